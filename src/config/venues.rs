//! Settings of the venues.
//!
//! Owns the keys under `venues`. What kind of money is at stake follows from the
//! addresses alone, so that a paper configuration and a live one differ by addresses, keys and limits only.

use super::problems::Problems;
use super::secret::SecretRef;
use crate::domain::alert::Stake;
use crate::domain::ids::{Asset, Symbol, VenueId};
use crate::domain::money::Amount;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Venues in one process.
pub const VENUES_MAX: usize = 8;
/// Instruments of one venue.
pub const SYMBOLS_MAX: usize = 100;
/// Allowed age of a request on arrival at the venue, in milliseconds.
pub const RECV_WINDOW_MS: RangeInclusive<u64> = 50..=60_000;
/// Allowed visibility window, in milliseconds.
pub const VISIBILITY_WINDOW_MS: RangeInclusive<u64> = 0..=600_000;
/// Allowed time for an answer about an order, in milliseconds.
pub const ORDER_TIMEOUT_MS: RangeInclusive<u64> = 50..=600_000;
/// The address that stands for the exchange inside this process.
pub const EMBEDDED: &str = "embedded";

/// The protocol that a venue speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VenueKind {
    /// Binance Spot, its testnet, and the paper exchange.
    #[default]
    BinanceSpot,
}

/// What stands at stake at a venue, as its addresses say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A paper exchange on this host.
    Paper,
    /// A venue's own test network.
    Testnet,
    /// Real money. Whatever is not known to be harmless counts as this.
    Live,
}

impl From<Mode> for Stake {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Paper => Self::Paper,
            Mode::Testnet => Self::Testnet,
            Mode::Live => Self::Live,
        }
    }
}

/// How orders travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderPath {
    /// Over one persistent WebSocket session.
    #[default]
    Websocket,
    /// Over REST, a request each.
    Rest,
}

/// How the secret signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    /// HMAC-SHA256; the secret is a text.
    #[default]
    Hmac,
    /// Ed25519; the secret is a private key in PKCS#8 PEM.
    Ed25519,
}

/// What becomes of venue orders that this journal does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExternalOrders {
    /// Taken under watch as the strategy `external`.
    #[default]
    Adopt,
    /// Cancelled.
    Cancel,
    /// Left alone; an alert stands.
    Hold,
}

/// One venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Venue {
    /// Its name here: 1 to 32 of `A-Z a-z 0-9 - _`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,32}$"))]
    pub name: String,
    /// Its protocol.
    pub kind: VenueKind,
    /// REST address such as `https://testnet.binance.vision`, or `embedded` for the exchange inside this process.
    pub rest_url: String,
    /// Address of the WebSocket API. Left out: derived from `rest_url` on loopback addresses, else required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ws_api_url: Option<String>,
    /// Address of the market streams. Left out: as for `ws_api_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_url: Option<String>,
    /// Instruments to follow and trade, in the venue's spelling.
    pub symbols: Vec<String>,
    /// The API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<SecretRef>,
    /// Its secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_secret: Option<SecretRef>,
    /// How the secret signs.
    pub key_type: KeyType,
    /// On a paper exchange only: one of its well-known accounts instead of a key, `demo` or `demo-2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paper_account: Option<String>,
    /// How orders travel.
    pub order_path: OrderPath,
    /// Age at which the venue refuses a request of ours, in milliseconds.
    #[schemars(range(min = 50, max = 60_000))]
    pub recv_window_ms: u64,
    /// How long an accepted order may stay invisible to queries, in milliseconds.
    #[schemars(range(min = 0, max = 600_000))]
    pub visibility_window_ms: u64,
    /// An order without an answer for so long is UNKNOWN, in milliseconds.
    #[schemars(range(min = 50, max = 600_000))]
    pub order_timeout_ms: u64,
    /// What becomes of orders at the venue that are unknown here.
    pub external_orders: ExternalOrders,
    /// Difference between the ledger's and the venue's balance that is tolerated, per asset; nothing by default.
    #[schemars(with = "BTreeMap<String, String>")]
    pub balance_tolerance: BTreeMap<String, String>,
}

impl Default for Venue {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: VenueKind::default(),
            rest_url: String::new(),
            ws_api_url: None,
            stream_url: None,
            symbols: Vec::new(),
            api_key: None,
            api_secret: None,
            key_type: KeyType::default(),
            paper_account: None,
            order_path: OrderPath::default(),
            recv_window_ms: 5_000,
            visibility_window_ms: 5_000,
            order_timeout_ms: 11_000,
            external_orders: ExternalOrders::default(),
            balance_tolerance: BTreeMap::new(),
        }
    }
}

/// The three addresses of a venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// REST.
    pub rest: String,
    /// WebSocket API.
    pub ws_api: String,
    /// Market streams.
    pub stream: String,
}

impl Venue {
    /// Is it the exchange inside this process?
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.rest_url == EMBEDDED
    }

    /// What is at stake.
    #[must_use]
    pub fn mode(&self) -> Mode {
        let host = host(&self.rest_url);
        if self.is_embedded() || is_loopback(host) {
            Mode::Paper
        } else if host == "testnet.binance.vision" || host.ends_with(".testnet.binance.vision") {
            Mode::Testnet
        } else {
            Mode::Live
        }
    }

    /// Its addresses; `embedded` is the `host:port` of the exchange inside this process.
    #[must_use]
    pub fn addresses(&self, embedded: Option<&str>) -> Option<Addresses> {
        let authority = if self.is_embedded() { embedded? } else { authority(&self.rest_url) };
        let at = |text: &Option<String>, path: &str| {
            text.clone().unwrap_or_else(|| format!("ws://{authority}/{path}"))
        };
        Some(Addresses {
            rest: if self.is_embedded() { format!("http://{authority}") } else { self.rest_url.clone() },
            ws_api: at(&self.ws_api_url, "ws-api/v3"),
            stream: at(&self.stream_url, "stream"),
        })
    }

    fn validate(&self, problems: &mut Problems, path: &str) {
        if let Err(error) = VenueId::new(&self.name) {
            problems.rule(
                format!("{path}.name").as_str(),
                "bad_name",
                error.to_string(),
                "name the venue, such as `paper`",
            );
        }
        problems.range(format!("{path}.recv_window_ms").as_str(), self.recv_window_ms, &RECV_WINDOW_MS);
        problems.range(
            format!("{path}.visibility_window_ms").as_str(),
            self.visibility_window_ms,
            &VISIBILITY_WINDOW_MS,
        );
        problems.range(format!("{path}.order_timeout_ms").as_str(), self.order_timeout_ms, &ORDER_TIMEOUT_MS);
        self.validate_addresses(problems, path);
        self.validate_keys(problems, path);
        self.validate_symbols(problems, path);
        for (asset, tolerance) in &self.balance_tolerance {
            let at = format!("{path}.balance_tolerance.{asset}");
            if let Err(error) = Asset::new(asset) {
                problems.rule(at.as_str(), "bad_asset", error.to_string(), "name an asset, such as `USDT`");
            }
            match Amount::parse(tolerance) {
                Ok(amount) if amount >= Amount::ZERO => {}
                Ok(_) => problems.rule(
                    at.as_str(),
                    "bad_tolerance",
                    format!("{tolerance} is negative"),
                    "write 0 or more",
                ),
                Err(error) => problems.rule(
                    at.as_str(),
                    "bad_tolerance",
                    error.to_string(),
                    "write a quoted decimal, such as \"0.01\"",
                ),
            }
        }
    }

    fn validate_addresses(&self, problems: &mut Problems, path: &str) {
        let urls = [
            ("rest_url", Some(&self.rest_url), ["http://", "https://"]),
            ("ws_api_url", self.ws_api_url.as_ref(), ["ws://", "wss://"]),
            ("stream_url", self.stream_url.as_ref(), ["ws://", "wss://"]),
        ];
        for (field, url, schemes) in urls {
            let at = format!("{path}.{field}");
            let Some(url) = url else {
                if self.mode() != Mode::Paper && field != "rest_url" {
                    problems.rule(
                        at.as_str(),
                        "url_missing",
                        "no address",
                        "give the venue's address; it is derived from `rest_url` on loopback addresses only",
                    );
                }
                continue;
            };
            if field == "rest_url" && self.is_embedded() {
                continue;
            }
            let [plain, safe] = schemes;
            let is_safe = url.starts_with(safe);
            if !(is_safe || url.starts_with(plain)) || host(url).is_empty() {
                let shown: String = url.chars().take(120).collect();
                let advice = format!(
                    "begin with {safe} (or {plain} on loopback){}",
                    if field == "rest_url" { ", or write `embedded`" } else { "" }
                );
                problems.rule(at.as_str(), "bad_url", format!("`{shown}` is not an address"), advice);
            } else if !is_safe && !is_loopback(host(url)) {
                problems.rule(
                    at.as_str(),
                    "url_not_encrypted",
                    format!("`{plain}` sends keys and orders in the clear"),
                    format!("use {safe} for anything beyond this host"),
                );
            }
        }
    }

    fn validate_keys(&self, problems: &mut Problems, path: &str) {
        let at = |field: &str| format!("{path}.{field}");
        if let Some(account) = &self.paper_account {
            if self.mode() != Mode::Paper {
                problems.rule(
                    at("paper_account").as_str(),
                    "paper_account_elsewhere",
                    "paper accounts exist on a paper exchange only",
                    "give `api_key_file` and `api_secret_file`",
                );
            }
            if paper_keys(account).is_none() {
                problems.rule(
                    at("paper_account").as_str(),
                    "unknown_paper_account",
                    format!("`{account}` is not a well-known account"),
                    "use `demo` or `demo-2`, or give `api_key_file` and `api_secret_file`",
                );
            }
            if self.api_key.is_some() || self.api_secret.is_some() {
                problems.rule(
                    at("paper_account").as_str(),
                    "two_identities",
                    "a paper account and a key are both given",
                    "keep one of them",
                );
            }
        } else if self.api_key.is_none() || self.api_secret.is_none() {
            problems.rule(path, "key_missing", "orders need a key and its secret", "give `api_key_file` and `api_secret_file`, their environment variables, or on a paper exchange `paper_account: demo`");
        }
    }

    fn validate_symbols(&self, problems: &mut Problems, path: &str) {
        let at = format!("{path}.symbols");
        if self.symbols.is_empty() || self.symbols.len() > SYMBOLS_MAX {
            problems.rule(
                at.as_str(),
                "symbols_count",
                format!("{} instruments", self.symbols.len()),
                format!("name 1 to {SYMBOLS_MAX}"),
            );
        }
        let mut seen = BTreeSet::new();
        for (index, symbol) in self.symbols.iter().enumerate() {
            let at = format!("{at}.{index}");
            if let Err(error) = Symbol::new(symbol) {
                problems.rule(
                    at.as_str(),
                    "bad_symbol",
                    error.to_string(),
                    "write it as the venue does, such as `BTCUSDT`",
                );
            }
            if !seen.insert(symbol) {
                problems.rule(
                    at.as_str(),
                    "symbol_twice",
                    format!("`{symbol}` stands twice"),
                    "name each instrument once",
                );
            }
        }
    }
}

/// Key and secret of a paper exchange's well-known account. They are no secrets.
#[must_use]
pub fn paper_keys(account: &str) -> Option<(&'static str, &'static str)> {
    match account {
        "demo" => Some(("demo", "demo-secret")),
        "demo-2" => Some(("demo-2", "demo-2-secret")),
        _ => None,
    }
}

fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or("")
}

fn host(url: &str) -> &str {
    let authority = authority(url);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(""),
        None => authority.split(':').next().unwrap_or(""),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Checks all venues.
pub(super) fn validate(venues: &[Venue], problems: &mut Problems) {
    if venues.len() > VENUES_MAX {
        problems.rule(
            "venues",
            "too_many_venues",
            format!("{} venues", venues.len()),
            format!("at most {VENUES_MAX} in one process"),
        );
    }
    let mut names = BTreeSet::new();
    for (index, venue) in venues.iter().enumerate() {
        let path = format!("venues.{index}");
        venue.validate(problems, &path);
        if !names.insert(&venue.name) {
            problems.rule(
                format!("{path}.name").as_str(),
                "name_twice",
                format!("`{}` stands twice", venue.name),
                "give each venue its own name",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_at_stake_follows_from_the_address() {
        let mode = |url: &str| Venue { rest_url: url.to_owned(), ..Venue::default() }.mode();
        assert_eq!(mode("embedded"), Mode::Paper);
        assert_eq!(mode("http://127.0.0.1:8780"), Mode::Paper);
        assert_eq!(mode("http://[::1]:8780/x"), Mode::Paper);
        assert_eq!(mode("https://testnet.binance.vision"), Mode::Testnet);
        assert_eq!(mode("https://api.binance.com"), Mode::Live);
        assert_eq!(mode("https://127.0.0.1.evil.example"), Mode::Live, "a name that begins like loopback");
        assert_eq!(mode("https://testnet.binance.vision.evil.example"), Mode::Live);
        assert_eq!(mode("https://localhost@evil.example"), Mode::Live, "a user name is no host");
        assert_eq!(mode(""), Mode::Live);
    }

    #[test]
    fn addresses_are_derived_on_one_host() {
        let venue = Venue { rest_url: "embedded".into(), ..Venue::default() };
        let all = venue.addresses(Some("127.0.0.1:7")).unwrap();
        assert_eq!(all.rest, "http://127.0.0.1:7");
        assert_eq!(all.ws_api, "ws://127.0.0.1:7/ws-api/v3");
        assert_eq!(all.stream, "ws://127.0.0.1:7/stream");
        assert_eq!(venue.addresses(None), None);
    }
}
