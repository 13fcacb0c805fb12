//! What a connection to Binance Spot, its testnet or a paper exchange needs: addresses, keys, limits.

use super::signing::{KeyError, Secret, Signer};
use crate::domain::connection::Policy;
use crate::domain::ids::{Symbol, VenueId};
use crate::domain::lease::Lease;
use crate::domain::tripwire::Tripwire;
use secrecy::SecretString;

/// How orders travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderPath {
    /// Over the persistent WebSocket API session; cancels and reads fall back to REST while it is down.
    WebSocket,
    /// Over REST, one request each. User data still comes over the WebSocket API.
    Rest,
}

/// Settings of one connection. All times in milliseconds.
#[derive(Debug, Clone)]
pub struct BinanceConfig {
    /// The venue's configured name.
    pub venue: VenueId,
    /// For example `https://api.binance.com`.
    pub rest_url: String,
    /// For example `wss://ws-api.binance.com:443/ws-api/v3`.
    pub ws_api_url: String,
    /// For example `wss://stream.binance.com:9443/stream`.
    pub stream_url: String,
    /// Instruments to follow and to trade.
    pub symbols: Vec<Symbol>,
    /// Keep a market session. `false` where another connection of the process follows the market.
    pub follow_market: bool,
    /// API key and secret; `None` follows the market only.
    pub credentials: Option<(SecretString, Secret)>,
    /// How orders travel.
    pub order_path: OrderPath,
    /// How old a request may be when it reaches the venue.
    pub recv_window_ms: i64,
    /// How long an accepted order may stay invisible to the venue's own queries (several backends, one truth).
    pub visibility_window_ms: u64,
    /// An order without an answer for so long is UNKNOWN. The venue's own backend gives up at 10 s.
    pub order_timeout_ms: u64,
    /// The same for reads.
    pub read_timeout_ms: u64,
    /// A call that could not be sent for so long is dropped unsent.
    pub send_within_ms: u64,
    /// The order session.
    pub order_session: Policy,
    /// The market session.
    pub market_session: Policy,
    /// How often the order session is asked for the time: measures the clock, proves the wire.
    pub probe_every_ms: u64,
    /// An unanswered probe ends the session.
    pub probe_timeout_ms: u64,
    /// A confirmed order whose report does not come on the stream for so long makes the stream suspect.
    pub report_overdue_ms: u64,
    /// No new orders beyond this measured clock offset; `None` disables.
    pub max_clock_offset_ms: Option<i64>,
    /// Order events that may wait for the owner.
    pub order_event_queue: usize,
    /// Market events that may wait for the owner.
    pub market_event_queue: usize,
    /// Requests that may wait for the session.
    pub request_queue: usize,
    /// Seeds the back-off.
    pub seed: u64,
    /// Asked right before a placement's bytes are handed to a socket; one of its own is never tripped.
    pub tripwire: Tripwire,
    /// Asked at the same instant; an unlimited one never runs out.
    pub lease: Lease,
}

/// Why settings cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// An address that is not `http(s)://` or `ws(s)://` as its field needs.
    #[error("{field}: {value:?} must begin with one of {allowed}")]
    Url {
        /// Which field.
        field: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// No instrument.
    #[error("symbols: at least one instrument is needed, at most {max}")]
    Symbols {
        /// Most that one connection carries.
        max: usize,
    },
    /// A figure out of its range.
    #[error("{field}: {value} is outside {min}..={max}")]
    Range {
        /// Which field.
        field: &'static str,
        /// What was given.
        value: u64,
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// The key pair.
    #[error("credentials: {0}")]
    Key(#[from] KeyError),
    /// The HTTP client could not be built.
    #[error("http client: {0}")]
    Http(String),
}

/// Instruments per connection: three streams each stay far below the venue's 1,024.
const MAX_SYMBOLS: usize = 200;

impl BinanceConfig {
    /// Settings for a server that serves everything at one address, such as the paper exchange.
    /// `authority` is `host:port`.
    #[must_use]
    pub fn at(venue: VenueId, authority: &str, symbols: Vec<Symbol>) -> Self {
        Self {
            venue,
            rest_url: format!("http://{authority}"),
            ws_api_url: format!("ws://{authority}/ws-api/v3"),
            stream_url: format!("ws://{authority}/stream"),
            symbols,
            follow_market: true,
            credentials: None,
            order_path: OrderPath::WebSocket,
            recv_window_ms: 5_000,
            visibility_window_ms: 5_000,
            order_timeout_ms: 11_000,
            read_timeout_ms: 10_000,
            send_within_ms: 2_000,
            order_session: Policy::default(),
            market_session: Policy { stale_after_ms: Some(2_000), ..Policy::default() },
            probe_every_ms: 10_000,
            probe_timeout_ms: 5_000,
            report_overdue_ms: 5_000,
            max_clock_offset_ms: Some(500),
            order_event_queue: 16_384,
            market_event_queue: 16_384,
            request_queue: 4_096,
            seed: 0,
            tripwire: Tripwire::default(),
            lease: Lease::unlimited(crate::clock::monotonic()),
        }
    }

    /// Checks everything that can be checked without a network.
    ///
    /// # Errors
    /// The first [`ConfigError`].
    pub(super) fn checked(&self) -> Result<Option<Signer>, ConfigError> {
        url("rest_url", &self.rest_url, &["http://", "https://"], "http:// https://")?;
        url("ws_api_url", &self.ws_api_url, &["ws://", "wss://"], "ws:// wss://")?;
        url("stream_url", &self.stream_url, &["ws://", "wss://"], "ws:// wss://")?;
        if self.symbols.is_empty() || self.symbols.len() > MAX_SYMBOLS {
            return Err(ConfigError::Symbols { max: MAX_SYMBOLS });
        }
        let recv_window = u64::try_from(self.recv_window_ms).unwrap_or(0);
        range("recv_window_ms", recv_window, 1, 60_000)?;
        range("order_timeout_ms", self.order_timeout_ms, 10, 600_000)?;
        range("read_timeout_ms", self.read_timeout_ms, 10, 600_000)?;
        range("probe_every_ms", self.probe_every_ms, 10, 600_000)?;
        range("probe_timeout_ms", self.probe_timeout_ms, 10, 600_000)?;
        for (field, queue) in [
            ("order_event_queue", self.order_event_queue),
            ("market_event_queue", self.market_event_queue),
            ("request_queue", self.request_queue),
        ] {
            range(field, u64::try_from(queue).unwrap_or(u64::MAX), 1, 1 << 20)?;
        }
        match &self.credentials {
            Some((key, secret)) => Ok(Some(Signer::new(key.clone(), secret)?)),
            None => Ok(None),
        }
    }
}

fn url(field: &'static str, value: &str, schemes: &[&str], allowed: &'static str) -> Result<(), ConfigError> {
    if schemes.iter().any(|scheme| value.len() > scheme.len() && value.starts_with(scheme)) {
        return Ok(());
    }
    Err(ConfigError::Url { field, value: value.chars().take(120).collect(), allowed })
}

fn range(field: &'static str, value: u64, min: u64, max: u64) -> Result<(), ConfigError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(ConfigError::Range { field, value, min, max }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> BinanceConfig {
        let venue = VenueId::new("paper").unwrap();
        BinanceConfig::at(venue, "127.0.0.1:1", vec![Symbol::new("BTCUSDT").unwrap()])
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        assert!(config().checked().unwrap().is_none());
        let bad = BinanceConfig { stream_url: "http://x".into(), ..config() };
        assert!(bad.checked().unwrap_err().to_string().starts_with("stream_url: \"http://x\" must begin"));
        let bad = BinanceConfig { symbols: vec![], ..config() };
        assert_eq!(bad.checked().unwrap_err(), ConfigError::Symbols { max: MAX_SYMBOLS });
        let bad = BinanceConfig { recv_window_ms: 60_001, ..config() };
        assert!(matches!(bad.checked(), Err(ConfigError::Range { field: "recv_window_ms", .. })));
        let bad = BinanceConfig {
            credentials: Some(("k".into(), Secret::Ed25519Pem("nonsense".into()))),
            ..config()
        };
        assert_eq!(bad.checked().unwrap_err(), ConfigError::Key(KeyError::NotEd25519));
    }
}
