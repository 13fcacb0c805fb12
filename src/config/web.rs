//! The HTTP surface's settings: where it listens, to whom it answers, and how much one caller may ask.
//!
//! Values that act on each other are judged here, so that a process never starts half-safe. Whether tokens exist is
//! not a setting: whoever starts the process asks the data directory and refuses with [`listen_without_tokens`].

use super::error::ConfigError;
use super::fault::Fault;
use super::load::Document;
use super::problems::Problems;
use super::settings::Environment;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::net::SocketAddr;
use std::ops::RangeInclusive;

/// Allowed number of HTTP worker threads.
pub const WORKERS: RangeInclusive<u64> = 1..=16;
/// Allowed requests per second of one caller.
pub const REQUESTS_PER_SECOND: RangeInclusive<u64> = 1..=1_000_000;
/// Host names that may be listed.
const HOSTS_MAX: usize = 32;
/// Longest host name, by RFC 1035.
const HOST_CHARS_MAX: usize = 253;

/// The HTTP surface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// Address and port to listen on; port 0 takes a free one. Anything but loopback needs tokens (see
    /// `plimsoll token create`) and `tls_terminated_elsewhere`.
    #[serde(deserialize_with = "listen_address")]
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Acknowledges that something in front of this process ends TLS: it speaks plain HTTP itself.
    pub tls_terminated_elsewhere: bool,
    /// Names by which clients may address this process, without port. Loopback addresses and `localhost` need no
    /// entry while it listens on loopback; beyond loopback only these names and the listen address are answered.
    pub allowed_hosts: Vec<String>,
    /// Requests per second that one token (or, without tokens, the loopback address) may make; twice as many at
    /// once. The kill switch is never limited.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub requests_per_second: u64,
    /// Worker threads, 1 to 16.
    #[schemars(range(min = 1, max = 16))]
    pub workers: u64,
    /// Routes that break things on purpose, for tests. Refused outside development.
    pub debug_routes: bool,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            tls_terminated_elsewhere: false,
            allowed_hosts: Vec::new(),
            requests_per_second: 1_000,
            workers: 2,
            debug_routes: false,
        }
    }
}

impl Web {
    pub(super) fn validate(&self, environment: Environment, problems: &mut Problems) {
        problems.range("web.workers", self.workers, &WORKERS);
        problems.range("web.requests_per_second", self.requests_per_second, &REQUESTS_PER_SECOND);
        let is_loopback = self.listen.ip().is_loopback();
        if !is_loopback && !self.tls_terminated_elsewhere {
            problems.rule(
                "web.listen",
                "listen_without_tls",
                format!("{} is not a loopback address, and tokens would cross the network in the clear", self.listen),
                "use 127.0.0.1 or [::1]; or end TLS in front of it and say so with `web.tls_terminated_elsewhere: true`",
            );
        }
        if self.debug_routes && !(is_loopback && environment == Environment::Development) {
            problems.rule(
                "web.debug_routes",
                "debug_routes_outside_development",
                "debug routes can kill actors",
                "they need a loopback `web.listen` and `deployment.environment: development`; set false",
            );
        }
        if self.allowed_hosts.len() > HOSTS_MAX {
            problems.rule(
                "web.allowed_hosts",
                "too_many_hosts",
                format!("{} names are listed", self.allowed_hosts.len()),
                format!("at most {HOSTS_MAX} are possible"),
            );
        }
        for (index, host) in self.allowed_hosts.iter().enumerate() {
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
            if host.is_empty() || host.len() > HOST_CHARS_MAX || !host.chars().all(legal) {
                let path = super::path::KeyPath::from("web.allowed_hosts").child(index.to_string());
                let advice = "give a host name or an address without port, such as `ops.example.com`";
                problems.rule(path, "bad_host", "not a host name", advice);
            }
        }
    }
}

/// The refusal of an address beyond this host while no token exists, with the line that asks for it.
#[must_use]
pub fn listen_without_tokens(document: &Document, listen: SocketAddr) -> ConfigError {
    let fault = Fault::Rule {
        code: "listen_without_tokens",
        problem: format!(
            "{listen} is not a loopback address and the data directory holds no token: anybody could trade"
        ),
        advice: "make one first: plimsoll token create NAME --scope admin --data-dir DIR".to_owned(),
    };
    document.problem(super::path::KeyPath::from("web.listen"), fault)
}

fn listen_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        let expected = "an address with a port, such as `127.0.0.1:8787`";
        de::Error::invalid_value(de::Unexpected::Str(&text), &expected)
    })
}
