//! From the settings of a venue to what its connectors need: addresses, keys, limits.

use crate::actors::paper_exchange::EmbeddedAddress;
use crate::config::paper_exchange::PaperExchangeSettings;
use crate::config::venues::{KeyType, OrderPath as OrderPathSetting, Venue, paper_keys};
use crate::config::{EnvReader, Fault, SecretRef};
use crate::domain::ids::{Symbol, VenueId};
use crate::paper_exchange::PaperConfig;
use crate::paper_exchange::market::Pace;
use crate::venues::binance::signing::Secret;
use crate::venues::binance::{BinanceConfig, OrderPath};
use secrecy::SecretString;
use std::path::Path;

/// One venue, ready to be opened.
#[derive(Clone)]
pub struct VenuePlan {
    /// Its name.
    pub id: VenueId,
    /// Its instruments.
    pub symbols: Vec<Symbol>,
    settings: Venue,
    credentials: (SecretString, Secret),
    embedded: EmbeddedAddress,
}

/// Why a venue cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum VenueError {
    /// A name that the settings let through but the domain does not.
    #[error("venues: {0}")]
    Name(#[from] crate::domain::ids::IdError),
    /// A key or secret cannot be read.
    #[error("venue {venue}: {field}: {fault}")]
    Secret {
        /// Which venue.
        venue: String,
        /// Which key.
        field: &'static str,
        /// What was wrong with it.
        fault: Fault,
    },
    /// The embedded market cannot run like this.
    #[error("paper_exchange: {0}")]
    Paper(String),
}

impl VenuePlan {
    /// Reads the keys.
    ///
    /// # Errors
    /// [`VenueError`].
    pub fn new(venue: &Venue, env: &dyn EnvReader, embedded: &EmbeddedAddress) -> Result<Self, VenueError> {
        let secret = |field: &'static str, place: &Option<SecretRef>| {
            let failed = |fault| VenueError::Secret { venue: venue.name.clone(), field, fault };
            let place = place.as_ref().ok_or_else(|| failed(Fault::SecretEmpty))?;
            let value = place.resolve(env).map_err(failed)?;
            Ok::<SecretString, VenueError>(SecretString::from(value.expose().to_owned()))
        };
        let well_known = venue.paper_account.as_deref().and_then(paper_keys);
        let credentials = match well_known {
            Some((key, secret)) => (SecretString::from(key), Secret::Hmac(SecretString::from(secret))),
            None => {
                let (key, secret) =
                    (secret("api_key", &venue.api_key)?, secret("api_secret", &venue.api_secret)?);
                let secret = match venue.key_type {
                    KeyType::Hmac => Secret::Hmac(secret),
                    KeyType::Ed25519 => Secret::Ed25519Pem(secret),
                };
                (key, secret)
            }
        };
        Ok(Self {
            id: VenueId::new(&venue.name)?,
            symbols: venue.symbols.iter().map(|s| Symbol::new(s)).collect::<Result<_, _>>()?,
            settings: venue.clone(),
            credentials,
            embedded: embedded.clone(),
        })
    }

    /// Settings of the order session.
    ///
    /// # Errors
    /// In words, while the embedded exchange has no address yet.
    pub fn orders(&self) -> Result<BinanceConfig, String> {
        Ok(BinanceConfig {
            follow_market: false,
            credentials: Some(self.credentials.clone()),
            order_path: match self.settings.order_path {
                OrderPathSetting::Websocket => OrderPath::WebSocket,
                OrderPathSetting::Rest => OrderPath::Rest,
            },
            ..self.common()?
        })
    }

    /// Settings of the market session.
    ///
    /// # Errors
    /// As for [`VenuePlan::orders`].
    pub fn market(&self) -> Result<BinanceConfig, String> {
        Ok(BinanceConfig { follow_market: true, credentials: None, ..self.common()? })
    }

    /// An order's absence proves nothing for so long after it was last sent: a request may be under way for
    /// the one, and an accepted order invisible for the other.
    #[must_use]
    pub fn absence_proof_after_ms(&self) -> u64 {
        self.settings.recv_window_ms.saturating_add(self.settings.visibility_window_ms)
    }

    /// The settings it was made from.
    #[must_use]
    pub fn settings(&self) -> &Venue {
        &self.settings
    }

    fn common(&self) -> Result<BinanceConfig, String> {
        let embedded = self.embedded.get().map(|address| address.to_string());
        let addresses =
            self.settings.addresses(embedded.as_deref()).ok_or("the embedded exchange has no address yet")?;
        Ok(BinanceConfig {
            rest_url: addresses.rest,
            ws_api_url: addresses.ws_api,
            stream_url: addresses.stream,
            recv_window_ms: i64::try_from(self.settings.recv_window_ms).unwrap_or(i64::MAX),
            order_timeout_ms: self.settings.order_timeout_ms,
            visibility_window_ms: self.settings.visibility_window_ms,
            seed: u64::from(std::process::id()),
            ..BinanceConfig::at(self.id.clone(), "127.0.0.1:0", self.symbols.clone())
        })
    }
}

/// Settings of the exchange inside this process; its books live beside ours.
///
/// # Errors
/// [`VenueError::Paper`] for a speed that it does not have.
pub fn paper_config(settings: &PaperExchangeSettings, data_dir: &Path) -> Result<PaperConfig, VenueError> {
    let defaults = PaperConfig::default();
    let thousandths = settings.speed_permille;
    let speed = format!("{}.{:03}", thousandths.div_euclid(1_000), thousandths.rem_euclid(1_000));
    let pace: Pace = speed.parse().map_err(|error| VenueError::Paper(format!("{error}")))?;
    Ok(PaperConfig {
        market: crate::paper_exchange::config::MarketConfig {
            files: settings.market.clone(),
            seed: settings.seed,
            pace,
            ..defaults.market
        },
        data_dir: Some(data_dir.join("paper-exchange")),
        ..PaperConfig::default()
    })
}
