//! Request parameters and their three spellings: JSON for the WebSocket API, a query string for REST, and
//! the text that is signed.
//!
//! The WebSocket API signs `key=value` pairs in alphabetical order, joined by `&`, as they are; REST signs
//! exactly the percent-encoded string that is sent.

use super::signing::Signer;
use std::borrow::Cow;
use std::fmt::Write as _;

/// A parameter's value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(Cow<'static, str>),
    Number(i64),
}

impl Value {
    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Number(number) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "{number}");
            }
        }
    }
}

/// The parameters of one request, in the order they were added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params {
    pairs: Vec<(&'static str, Value)>,
}

impl Params {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, key: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.pairs.push((key, Value::Text(value.into())));
        self
    }

    /// Adds a whole number.
    #[must_use]
    pub fn number(mut self, key: &'static str, value: i64) -> Self {
        self.pairs.push((key, Value::Number(value)));
        self
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Adds `timestamp` and `recvWindow`, as every account request needs.
    #[must_use]
    pub fn stamped(self, timestamp_ms: i64, recv_window_ms: i64) -> Self {
        self.number("recvWindow", recv_window_ms).number("timestamp", timestamp_ms)
    }

    /// Adds `apiKey` and `signature` as the WebSocket API wants them.
    #[must_use]
    pub fn signed_for_ws(self, signer: &Signer) -> Self {
        let mut params = self.text("apiKey", signer.api_key().to_owned());
        params.pairs.sort_by_key(|(key, _)| *key);
        let mut payload = String::with_capacity(256);
        for (key, value) in &params.pairs {
            if !payload.is_empty() {
                payload.push('&');
            }
            payload.push_str(key);
            payload.push('=');
            value.write(&mut payload);
        }
        let signature = signer.sign(&payload);
        params.text("signature", signature)
    }

    /// The JSON object for the WebSocket API.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = String::with_capacity(384);
        out.push('{');
        for (key, value) in &self.pairs {
            if out.len() > 1 {
                out.push(',');
            }
            out.push('"');
            out.push_str(key);
            out.push_str("\":");
            match value {
                Value::Number(_) => value.write(&mut out),
                Value::Text(text) => quote(text, &mut out),
            }
        }
        out.push('}');
        out
    }

    /// The percent-encoded query string for REST, without a signature.
    #[must_use]
    pub fn query(&self) -> String {
        let mut out = String::with_capacity(256);
        for (key, value) in &self.pairs {
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(key);
            out.push('=');
            match value {
                Value::Number(_) => value.write(&mut out),
                Value::Text(text) => percent_encode(text, &mut out),
            }
        }
        out
    }

    /// The percent-encoded query string for REST with its signature last.
    #[must_use]
    pub fn signed_query(&self, signer: &Signer) -> String {
        let mut out = self.query();
        let signature = signer.sign(&out);
        out.push_str("&signature=");
        percent_encode(&signature, &mut out);
        out
    }
}

/// Writes a JSON string. Values are ids and decimals; anything else is escaped all the same.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// RFC 3986: everything but unreserved characters becomes `%XX`.
fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::signing::Secret;
    use super::*;

    fn signer() -> Signer {
        Signer::new("demo".into(), &Secret::Hmac("demo-secret".into())).unwrap()
    }

    #[test]
    fn rest_signs_what_is_sent() {
        let params = Params::new().text("symbol", "BTCUSDT").text("x", "a+b/c=").stamped(5, 5_000);
        assert_eq!(params.query(), "symbol=BTCUSDT&x=a%2Bb%2Fc%3D&recvWindow=5000&timestamp=5");
        let signed = params.signed_query(&signer());
        let (payload, signature) = signed.rsplit_once("&signature=").unwrap();
        assert_eq!(signature, signer().sign(payload));
    }

    #[test]
    fn ws_signs_in_alphabetical_order() {
        let params = Params::new().text("symbol", "BTCUSDT").stamped(5, 5_000).signed_for_ws(&signer());
        let want = signer().sign("apiKey=demo&recvWindow=5000&symbol=BTCUSDT&timestamp=5");
        let json: serde_json::Value = serde_json::from_str(&params.json()).unwrap();
        assert_eq!(json["signature"], want);
        assert_eq!(json["timestamp"], 5);
        assert_eq!(json["symbol"], "BTCUSDT");
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives_both_spellings(text in ".{0,40}") {
            let params = Params::new().text("k", text.clone());
            let json: serde_json::Value = serde_json::from_str(&params.json()).unwrap();
            proptest::prop_assert_eq!(json["k"].as_str().unwrap(), text.as_str());
            proptest::prop_assert!(params.query().is_ascii());
        }
    }
}
