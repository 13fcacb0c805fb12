//! The envelopes of the WebSocket API: answers, events, errors, and the rate limits that answers carry.

use super::{DecodeError, read};
use crate::domain::outcome::bounded;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The venue's error body, the same on REST and WebSocket.
#[derive(Debug, Clone, Deserialize)]
pub struct WireError {
    /// Code.
    pub code: i64,
    #[serde(default)]
    msg: String,
    /// Details of a rate limit.
    #[serde(default)]
    pub data: Option<WireErrorData>,
}

/// Details that come with some errors.
#[derive(Debug, Clone, Deserialize)]
pub struct WireErrorData {
    /// Venue time at which requests may resume, milliseconds.
    #[serde(rename = "retryAfter", default)]
    pub retry_after: Option<i64>,
    /// The venue's time.
    #[serde(rename = "serverTime", default)]
    pub server_time: Option<i64>,
}

impl WireError {
    /// The text, bounded.
    #[must_use]
    pub fn message(&self) -> String {
        bounded(&self.msg)
    }
}

/// One limit's state.
#[derive(Debug, Clone, Deserialize)]
pub struct RateLimit<'a> {
    /// `REQUEST_WEIGHT`, `ORDERS`, ...
    #[serde(rename = "rateLimitType", borrow)]
    pub kind: Cow<'a, str>,
    /// `SECOND`, `MINUTE`, `DAY`.
    #[serde(borrow)]
    pub interval: Cow<'a, str>,
    /// How many of them.
    #[serde(rename = "intervalNum")]
    pub interval_num: u32,
    /// The limit.
    pub limit: u32,
    /// Spent; absent in exchange information.
    #[serde(default)]
    pub count: Option<u32>,
}

impl RateLimit<'_> {
    /// Is it the weight per minute?
    #[must_use]
    pub fn is_weight_per_minute(&self) -> bool {
        self.kind == "REQUEST_WEIGHT" && self.interval == "MINUTE" && self.interval_num == 1
    }

    /// Is it the number of unfilled orders per ten seconds?
    #[must_use]
    pub fn is_orders_per_10s(&self) -> bool {
        self.kind == "ORDERS" && self.interval == "SECOND" && self.interval_num == 10
    }
}

/// A frame of the WebSocket API.
#[derive(Debug, Deserialize)]
pub struct ApiFrame<'a> {
    /// The request's number, in an answer to one of ours.
    #[serde(default)]
    pub id: Option<u64>,
    /// HTTP-like status, in an answer.
    #[serde(default)]
    pub status: Option<u16>,
    /// The result of a request that succeeded.
    #[serde(borrow, default)]
    pub result: Option<&'a RawValue>,
    /// The error of one that did not.
    #[serde(default)]
    pub error: Option<WireError>,
    /// The limits' state.
    #[serde(rename = "rateLimits", borrow, default)]
    pub rate_limits: Option<Vec<RateLimit<'a>>>,
    /// An event of a user data subscription.
    #[serde(borrow, default)]
    pub event: Option<&'a RawValue>,
    /// The subscription.
    #[serde(rename = "subscriptionId", default)]
    pub subscription: Option<i64>,
    /// The kind of an event that comes without an envelope.
    #[serde(rename = "e", borrow, default)]
    pub bare_event: Option<Cow<'a, str>>,
}

/// Reads a frame of the WebSocket API.
///
/// # Errors
/// [`DecodeError`] when it is not such a frame.
pub fn decode(frame: &str) -> Result<ApiFrame<'_>, DecodeError> {
    read("websocket api frame", frame)
}

/// Reads an error body over REST; `None` when it is not one (a gateway's page, for example).
#[must_use]
pub fn decode_error(body: &str) -> Option<WireError> {
    serde_json::from_str(body).ok()
}

/// The answer to `time`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ServerTime {
    /// Milliseconds since the epoch.
    #[serde(rename = "serverTime")]
    pub server_time: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_errors_and_events() {
        let frame = decode(
            r#"{"id":7,"status":200,"result":{"a":1},"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT",
               "interval":"MINUTE","intervalNum":1,"limit":6000,"count":12}]}"#,
        )
        .unwrap();
        assert_eq!((frame.id, frame.status), (Some(7), Some(200)));
        assert!(frame.rate_limits.unwrap().first().unwrap().is_weight_per_minute());
        let frame = decode(
            r#"{"id":7,"status":418,"error":{"code":-1003,"msg":"x","data":{"serverTime":1,"retryAfter":9}}}"#,
        )
        .unwrap();
        assert_eq!(frame.error.unwrap().data.unwrap().retry_after, Some(9));
        let frame = decode(r#"{"subscriptionId":0,"event":{"e":"balanceUpdate"}}"#).unwrap();
        assert!(frame.event.unwrap().get().contains("balanceUpdate"));
        assert!(decode("[1]").is_err());
        assert!(decode(r#"{"id":"seven"}"#).is_err());
        assert!(decode_error("<html>").is_none());
    }
}
