//! REST: one client, no proxy, no redirects, timeouts, a cap on every body, limits read from every answer.

use super::config::ConfigError;
use super::last_hop::Hop;
use super::messages::api::decode_error;
use super::shared::Shared;
use super::ws_calls::{Answer, CallFailure, CallResult};
use crate::domain::outcome::{Denial, UnknownWhy, bounded};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Body, Method, Response};
use std::time::Duration;

/// Largest body that is read.
const MAX_BODY_BYTES: usize = 16 << 20;
/// Longest time to open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections are kept shorter than venues keep them, so that a request rarely meets a closed one.
const IDLE: Duration = Duration::from_secs(30);

/// The REST side of a venue.
pub(super) struct Rest {
    client: reqwest::Client,
    base: String,
}

impl Rest {
    pub(super) fn new(base: &str) -> Result<Self, ConfigError> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(8)
            .tcp_nodelay(true)
            .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| ConfigError::Http(bounded(&error.to_string())))?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned() })
    }

    /// Sends one request whose query is complete. POST carries it in the body, the others in the address. A
    /// placement comes with its `hop`.
    pub(super) async fn send(
        &self,
        shared: &Shared,
        method: Method,
        path: &str,
        query: String,
        timeout_ms: u64,
        hop: Option<&Hop>,
    ) -> CallResult {
        let post = method == Method::POST;
        let mut url = format!("{}{path}", self.base);
        if !post && !query.is_empty() {
            url.push('?');
            url.push_str(&query);
        }
        let mut request = self.client.request(method, url).timeout(Duration::from_millis(timeout_ms));
        if let Some(signer) = &shared.signer {
            request = request.header("X-MBX-APIKEY", signer.api_key());
        }
        if post {
            let body = match hop {
                Some(hop) => Body::wrap(hop.body(query)),
                None => Body::from(query),
            };
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        }
        match request.send().await {
            Ok(response) => read(shared, response, timeout_ms).await,
            // What the wire kept back never left, whatever the connection makes of it.
            Err(error) => match hop.and_then(Hop::refused) {
                Some(denial) => Err(CallFailure::NotSent(denial)),
                None => Err(failure(&error, timeout_ms)),
            },
        }
    }
}

async fn read(shared: &Shared, mut response: Response, timeout_ms: u64) -> CallResult {
    let status = response.status().as_u16();
    observe(shared, response.headers());
    if matches!(status, 418 | 429) {
        let seconds = number(response.headers(), "retry-after");
        shared.hold(seconds.map(|s| s.saturating_mul(1_000)));
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) <= MAX_BODY_BYTES => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => {
                let detail = format!("the body is larger than {MAX_BODY_BYTES} bytes");
                return Err(CallFailure::Unknown(UnknownWhy::Undecodable { detail }));
            }
            Ok(None) => break,
            Err(error) => return Err(failure(&error, timeout_ms)),
        }
    }
    let Ok(text) = String::from_utf8(body) else {
        let detail = "the body is not UTF-8".to_owned();
        return Err(CallFailure::Unknown(UnknownWhy::Undecodable { detail }));
    };
    if (200..300).contains(&status) {
        return Ok(Answer { status, body: Ok(text) });
    }
    // A gateway may answer with a page of its own: then only the status speaks.
    let (code, words) = decode_error(&text).map_or_else(|| (0, bounded(&text)), |e| (e.code, e.message()));
    Ok(Answer { status, body: Err((code, words)) })
}

/// A connection that was never made carried no request; everything else may have arrived.
fn failure(error: &reqwest::Error, timeout_ms: u64) -> CallFailure {
    if error.is_connect() || error.is_builder() {
        CallFailure::NotSent(Denial::NotConnected { state: "rest" })
    } else if error.is_timeout() {
        CallFailure::Unknown(UnknownWhy::Timeout { after_ms: timeout_ms })
    } else {
        CallFailure::Unknown(UnknownWhy::Disconnected)
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn observe(shared: &Shared, headers: &HeaderMap) {
    let now = shared.clock.now();
    let mut pacer = shared.pacer.borrow_mut();
    if let Some(used) = number(headers, "x-mbx-used-weight-1m").and_then(|n| u32::try_from(n).ok()) {
        pacer.observe_weight(now, used);
    }
    if let Some(used) = number(headers, "x-mbx-order-count-10s").and_then(|n| u32::try_from(n).ok()) {
        pacer.observe_orders(now, used);
    }
}
