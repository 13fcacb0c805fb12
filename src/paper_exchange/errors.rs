//! Every refusal the exchange can put on the wire, as the venue's code, text and HTTP status.
//!
//! Owns the mapping from "what is wrong" to `{"code": -xxxx, "msg": "..."}`. Client libraries map
//! these codes (and some of the texts) to their own exceptions, so both are part of the protocol.
//! Codes follow Binance Spot's published error list. It decides nothing: callers pick the constructor.

use serde_json::json;
use std::borrow::Cow;

/// A refusal as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {msg}")]
pub struct ApiError {
    /// HTTP status (REST) or `status` member (WebSocket API).
    pub status: u16,
    /// The venue's code, negative.
    pub code: i32,
    /// The venue's text.
    pub msg: Cow<'static, str>,
    /// Seconds to wait, for 429 and 418: becomes `Retry-After`.
    pub retry_after_seconds: Option<u64>,
    /// Further facts some errors carry (`data` member), already JSON.
    pub data: Option<Box<str>>,
}

impl ApiError {
    /// A refusal with HTTP status 400.
    #[must_use]
    pub fn new(code: i32, msg: impl Into<Cow<'static, str>>) -> Self {
        Self { status: 400, code, msg: msg.into(), retry_after_seconds: None, data: None }
    }

    /// The same refusal under another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// -1102: a mandatory parameter is absent or empty.
    #[must_use]
    pub fn mandatory(name: &str) -> Self {
        Self::new(-1102, format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."))
    }

    /// -1105: a parameter was sent without a value.
    #[must_use]
    pub fn empty(name: &str) -> Self {
        Self::new(-1105, format!("Parameter '{name}' was empty."))
    }

    /// -1106: a parameter that does not belong to this kind of order.
    #[must_use]
    pub fn not_required(name: &str) -> Self {
        Self::new(-1106, format!("Parameter '{name}' sent when not required."))
    }

    /// -1100: characters outside what the parameter allows; `legal` is the allowed pattern.
    #[must_use]
    pub fn illegal_characters(name: &str, legal: &str) -> Self {
        Self::new(-1100, format!("Illegal characters found in parameter '{name}'; legal range is '{legal}'."))
    }

    /// -1101: a parameter given twice, or too many parameters.
    #[must_use]
    pub fn duplicate(name: &str) -> Self {
        Self::new(-1101, format!("Duplicate values for parameter '{name}' detected."))
    }

    /// -1101: more parameters than any endpoint reads.
    #[must_use]
    pub fn too_many_parameters(limit: usize) -> Self {
        Self::new(-1101, format!("Too many parameters; at most {limit} are read."))
    }

    /// -1130: a value that is not one of those the parameter allows.
    #[must_use]
    pub fn invalid_data(name: &str) -> Self {
        Self::new(-1130, format!("Data sent for parameter '{name}' is not valid."))
    }

    /// -1111: more decimals than the asset has.
    #[must_use]
    pub fn precision(name: &str) -> Self {
        Self::new(-1111, format!("Parameter '{name}' has too much precision."))
    }

    /// -1121: no such symbol here.
    #[must_use]
    pub fn invalid_symbol() -> Self {
        Self::new(-1121, "Invalid symbol.")
    }

    /// -1128: parameters that cannot be sent together or miss each other.
    #[must_use]
    pub fn bad_combination() -> Self {
        Self::new(-1128, "Combination of optional parameters invalid.")
    }

    /// -1135: a JSON value that cannot be read.
    #[must_use]
    pub fn invalid_json(why: &str) -> Self {
        Self::new(-1135, format!("Invalid JSON Request: {why}"))
    }

    /// -1022: the signature does not belong to what was received.
    #[must_use]
    pub fn bad_signature() -> Self {
        Self::new(-1022, "Signature for this request is not valid.")
    }

    /// -2014: the API key has no possible form.
    #[must_use]
    pub fn bad_api_key_format() -> Self {
        Self::new(-2014, "API-key format invalid.").with_status(401)
    }

    /// -2015: the API key is unknown here.
    #[must_use]
    pub fn unknown_api_key() -> Self {
        Self::new(-2015, "Invalid API-key, IP, or permissions for action.").with_status(401)
    }

    /// -1002: a method that needs an identity was called without one.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(-1002, "You are not authorized to execute this request.").with_status(401)
    }

    /// -1021: the request is too old for its window.
    #[must_use]
    pub fn outside_recv_window() -> Self {
        Self::new(-1021, "Timestamp for this request is outside of the recvWindow.")
    }

    /// -1021: the request comes from more than a second in the future.
    #[must_use]
    pub fn ahead_of_server() -> Self {
        Self::new(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    }

    /// -1131: the receive window exceeds 60 s.
    #[must_use]
    pub fn bad_recv_window() -> Self {
        Self::new(-1131, "recvWindow must be less than 60000")
    }

    /// -1003 with 429: the weight of this minute is used up.
    #[must_use]
    pub fn too_much_weight(limit: u32, retry_after_seconds: u64) -> Self {
        Self {
            status: 429,
            code: -1003,
            msg: format!(
                "Too much request weight used; current limit is {limit} request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API."
            )
            .into(),
            retry_after_seconds: Some(retry_after_seconds),
            data: None,
        }
    }

    /// -1003 with 418: banned until the given venue time (ms since the epoch).
    #[must_use]
    pub fn banned(until_ms: i64, retry_after_seconds: u64) -> Self {
        Self {
            status: 418,
            code: -1003,
            msg: format!(
                "Way too much request weight used; IP banned until {until_ms}. Please use WebSocket Streams for live updates to avoid bans."
            )
            .into(),
            retry_after_seconds: Some(retry_after_seconds),
            data: None,
        }
    }

    /// -1015 with 429: too many new orders in an interval, for example `"10 SECOND"`.
    #[must_use]
    pub fn too_many_orders(limit: u32, interval: &str, retry_after_seconds: u64) -> Self {
        Self {
            status: 429,
            code: -1015,
            msg: format!("Too many new orders; current limit is {limit} orders per {interval}.").into(),
            retry_after_seconds: Some(retry_after_seconds),
            data: None,
        }
    }

    /// -1007 with 503: the outcome is unknown, by the venue's own words.
    #[must_use]
    pub fn backend_timeout() -> Self {
        Self::new(
            -1007,
            "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
        )
        .with_status(503)
    }

    /// -1016: the exchange is stopping.
    #[must_use]
    pub fn shutting_down() -> Self {
        Self::new(-1016, "This service is shutting down.").with_status(503)
    }

    /// 404: no such path.
    #[must_use]
    pub fn no_such_path(path: &str) -> Self {
        Self::new(-1000, format!("Path {path}, which does not exist on this exchange.")).with_status(404)
    }

    /// 413: the body exceeds the cap.
    #[must_use]
    pub fn body_too_large(limit_bytes: usize) -> Self {
        Self::new(-1101, format!("The request body exceeds {limit_bytes} bytes.")).with_status(413)
    }

    /// The REST body: `{"code":...,"msg":...}` with `data` when there is one.
    #[must_use]
    pub fn body(&self) -> String {
        match &self.data {
            Some(data) => {
                format!(r#"{{"code":{},"msg":{},"data":{data}}}"#, self.code, json!(self.msg))
            }
            None => format!(r#"{{"code":{},"msg":{}}}"#, self.code, json!(self.msg)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_whatever_the_text_holds() {
        let error = ApiError::new(-1100, "a \"quoted\"\nname");
        let back: serde_json::Value = serde_json::from_str(&error.body()).unwrap();
        assert_eq!(back, json!({"code": -1100, "msg": "a \"quoted\"\nname"}));
    }

    #[test]
    fn data_travels_beside_code_and_text() {
        let mut error = ApiError::new(-2022, "Order cancel-replace failed.");
        error.data = Some(r#"{"cancelResult":"FAILURE"}"#.into());
        let back: serde_json::Value = serde_json::from_str(&error.body()).unwrap();
        assert_eq!(back["data"]["cancelResult"], "FAILURE");
    }

    #[test]
    fn limits_carry_their_waiting_time() {
        assert_eq!(ApiError::banned(9, 120).retry_after_seconds, Some(120));
        assert_eq!(ApiError::banned(9, 120).status, 418);
        assert_eq!(ApiError::too_much_weight(6000, 5).status, 429);
    }
}
