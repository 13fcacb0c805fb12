//! What a paper exchange is made of: symbols, accounts, keys, limits, market, and bounds.
//!
//! Plain data with defaults that run out of the box: three symbols, the key pair `demo` /
//! `demo-secret` and a second account to trade against. Parsing of files lives in `accounts_file`.

use super::engine::{self, Amount, Asset, NameError, Price, Qty, Rate, Symbol, SymbolSpec};
use super::limits::LimitSettings;
use super::market::{AtEnd, Pace};
use secrecy::SecretString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Everything [`super::PaperExchange::start`] needs.
#[derive(Debug, Clone)]
pub struct PaperConfig {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// What moves prices.
    pub market: MarketConfig,
    /// Symbols that are listed; recordings add theirs.
    pub symbols: Vec<SymbolConfig>,
    /// Accounts and their keys.
    pub accounts: Vec<AccountConfig>,
    /// Announced and enforced limits.
    pub limits: LimitSettings,
    /// Bounds of the wire.
    pub wire: WireConfig,
    /// How much a run may record.
    pub truth: engine::Limits,
    /// Where state is kept; without it a restart forgets everything.
    pub data_dir: Option<PathBuf>,
}

impl Default for PaperConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            market: MarketConfig::default(),
            symbols: default_symbols().unwrap_or_default(),
            accounts: default_accounts().unwrap_or_default(),
            limits: LimitSettings::default(),
            wire: WireConfig::default(),
            truth: engine::Limits::default(),
            data_dir: None,
        }
    }
}

/// What moves prices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MarketConfig {
    /// Recordings; none means the synthetic market.
    pub files: Vec<PathBuf>,
    /// Seed of the synthetic market.
    pub seed: u64,
    /// How fast it runs.
    pub pace: Pace,
    /// What happens at the end of the recordings.
    pub at_end: AtEnd,
    /// Start only when released (`POST /paper/v1/market` or [`super::Running::release_market`]): until
    /// then the opening book stands still.
    pub hold: bool,
}

/// A listed symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SymbolConfig {
    /// Its rules.
    pub spec: SymbolSpec,
    /// Where the synthetic price starts.
    pub start: Price,
    /// The synthetic market quotes in multiples of this.
    pub lot: Qty,
}

/// An account.
#[derive(Debug, Clone)]
pub struct AccountConfig {
    /// Its name, for scopes and the control routes.
    pub name: String,
    /// Its API keys.
    pub keys: Vec<KeyConfig>,
    /// What it starts with.
    pub balances: Vec<(Asset, Amount)>,
    /// Commission of resting orders.
    pub maker: Rate,
    /// Commission of taking orders.
    pub taker: Rate,
}

/// An API key.
#[derive(Debug, Clone)]
pub struct KeyConfig {
    /// The key, as it travels in `X-MBX-APIKEY`.
    pub api_key: String,
    /// What proves it.
    pub proof: KeyProof,
}

/// What proves an API key.
#[derive(Debug, Clone)]
pub enum KeyProof {
    /// A shared secret.
    Secret(SecretString),
    /// An Ed25519 public key in PEM form.
    PublicKeyPem(String),
}

/// Bounds of the wire. Each has a reason to exist: nothing here may grow without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireConfig {
    /// TCP connections at once.
    pub max_connections: usize,
    /// Bytes that may wait for one session.
    pub outbox_bytes: usize,
    /// The largest message a WebSocket client may send; larger ones are refused unread.
    pub max_message_bytes: usize,
    /// The largest HTTP body.
    pub max_body_bytes: usize,
    /// Streams per connection.
    pub max_streams: usize,
    /// Messages per second a market session may send.
    pub stream_messages_per_second: u32,
    /// Time between two pings.
    pub ping_every: Duration,
    /// A peer that was silent for so long (no frame, no pong) is dropped.
    pub silent_after: Duration,
    /// How long a WebSocket session may live; the venue ends it after 24 hours.
    pub session_lifetime: Duration,
    /// How long a lost answer keeps its connection open.
    pub lost_answer_hold: Duration,
}

impl Default for WireConfig {
    /// The venue's figures where it publishes one, roomy ones elsewhere.
    fn default() -> Self {
        Self {
            max_connections: 1_024,
            outbox_bytes: 8 * 1024 * 1024,
            max_message_bytes: 64 * 1024,
            max_body_bytes: 64 * 1024,
            max_streams: 1_024,
            stream_messages_per_second: 5,
            ping_every: Duration::from_secs(20),
            silent_after: Duration::from_secs(60),
            session_lifetime: Duration::from_secs(86_400),
            lost_answer_hold: Duration::from_secs(60),
        }
    }
}

/// A default value that is not legal: a bug in this file, reported instead of panicking.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A number.
    #[error("{0}")]
    Number(#[from] engine::DecimalError),
}

/// BTCUSDT, ETHUSDT, and SHIBUSDT for its odd tick.
///
/// # Errors
/// [`ConfigError`] never happens for these constants; the test proves it.
pub fn default_symbols() -> Result<Vec<SymbolConfig>, ConfigError> {
    let rows = [
        ("BTC", "0.01", "0.00001", "61000", "0.00100"),
        ("ETH", "0.01", "0.0001", "2650", "0.0200"),
        ("SHIB", "0.00000001", "1", "0.00002450", "100000"),
    ];
    rows.iter()
        .map(|(base, tick, step, start, lot)| {
            let mut spec = SymbolSpec::usual(
                Symbol::new(&format!("{base}USDT"))?,
                Asset::new(base)?,
                Asset::new("USDT")?,
                tick.parse()?,
                step.parse()?,
            );
            if *base == "SHIB" {
                spec.lot.max_qty = "40000000000".parse()?;
                spec.market_lot.max_qty = "40000000000".parse()?;
            }
            Ok(SymbolConfig { spec, start: start.parse()?, lot: lot.parse()? })
        })
        .collect()
}

/// A symbol of a recording that is not configured: the usual rules, split at the longest known quote.
///
/// # Errors
/// [`ConfigError::Name`] when the symbol ends in no known quote asset.
pub fn symbol_of_recording(symbol: Symbol) -> Result<SymbolSpec, ConfigError> {
    const QUOTES: [&str; 8] = ["FDUSD", "USDT", "USDC", "TUSD", "EUR", "BTC", "ETH", "BNB"];
    let name = symbol.as_str();
    let base = QUOTES.iter().find_map(|quote| name.strip_suffix(quote).map(|base| (base, *quote)));
    let (base, quote) = base.unwrap_or((name, "USDT"));
    let (tick, step) = (Price::from_units(1), Qty::from_units(1));
    Ok(SymbolSpec::usual(symbol, Asset::new(base)?, Asset::new(quote)?, tick, step))
}

/// `demo` / `demo-secret` and `demo-2` / `demo-2-secret`, both well funded, 10 basis points a trade.
///
/// # Errors
/// [`ConfigError`] never happens for these constants; the test proves it.
pub fn default_accounts() -> Result<Vec<AccountConfig>, ConfigError> {
    ["demo", "demo-2"]
        .iter()
        .map(|name| {
            let balances = [("USDT", "1000000"), ("BTC", "100"), ("ETH", "1000"), ("SHIB", "10000000000")];
            let balances = balances.iter().map(|(asset, amount)| Ok((Asset::new(asset)?, amount.parse()?)));
            Ok(AccountConfig {
                name: (*name).to_owned(),
                keys: vec![KeyConfig {
                    api_key: (*name).to_owned(),
                    proof: KeyProof::Secret(format!("{name}-secret").into()),
                }],
                balances: balances.collect::<Result<_, ConfigError>>()?,
                maker: "0.001".parse()?,
                taker: "0.001".parse()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_legal_and_complete() {
        assert_eq!(default_symbols().unwrap().len(), 3);
        assert_eq!(default_accounts().unwrap().len(), 2);
        let config = PaperConfig::default();
        assert_eq!((config.symbols.len(), config.accounts.len()), (3, 2));
        assert!(config.listen.ip().is_loopback());
        assert!(!format!("{config:?}").contains("demo-secret"));
    }

    #[test]
    fn recorded_symbols_split_at_their_quote() {
        let spec = symbol_of_recording(Symbol::new("SOLUSDT").unwrap()).unwrap();
        assert_eq!((spec.base.as_str(), spec.quote.as_str()), ("SOL", "USDT"));
        assert!(symbol_of_recording(Symbol::new("USDT").unwrap()).is_err());
    }
}
