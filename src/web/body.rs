//! Reads the body of a request that changes something: all of it, soon, and not too much.
//!
//! A body that trickles holds a connection and nothing else, and not for long. What was read is handed on, so that
//! handlers never wait for a client.

use super::form::Form;
use super::problem::Problem;
use actix_web::HttpMessage as _;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::Bytes;
use futures_util::StreamExt as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// Time for the whole body.
const WITHIN: Duration = Duration::from_secs(5);
/// Longest reason that is copied from a body that nobody has judged yet, characters.
const REASON_CHARS_MAX: usize = 256;

/// A body that was read.
pub(super) struct Body {
    /// SHA-256, in hexadecimal.
    pub(super) hash: String,
    /// Its `reason`, when it is a JSON object that has one; without what could move a cursor.
    pub(super) reason: Option<String>,
    /// Its fields, where a page's form was asked for.
    pub(super) form: Option<Form>,
}

/// Reads the body and puts it back, whole. `form` asks for a page's form instead of JSON.
///
/// # Errors
/// 408, 413, 415, or 400 when the client breaks off.
pub(super) async fn read(request: &mut ServiceRequest, form: bool) -> Result<Body, Problem> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|text| text.parse::<usize>().ok()).is_some_and(|all| all > super::BODY_BYTES_MAX) {
        return Err(Problem::payload_too_large());
    }
    let payload = request.take_payload();
    let bytes = match tokio::time::timeout(WITHIN, collect(payload)).await {
        Ok(read) => read?,
        Err(_) => {
            let detail = format!("the body did not come within {} seconds", WITHIN.as_secs());
            return Err(Problem::request_timeout(detail));
        }
    };
    let hash = hex::encode(Sha256::digest(&bytes));
    if form {
        if !is(request, "application/x-www-form-urlencoded") {
            return Err(Problem::unsupported_media_type());
        }
        let form = Form::read(&bytes)?;
        let reason = form.get("reason").map(short);
        return Ok(Body { hash, reason, form: Some(form) });
    }
    if !bytes.is_empty() && !is(request, "application/json") {
        return Err(Problem::unsupported_media_type());
    }
    let body = Body { hash, reason: reason(&bytes), form: None };
    request.set_payload(Payload::from(bytes));
    Ok(body)
}

async fn collect(mut payload: Payload) -> Result<Bytes, Problem> {
    let mut read = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Problem::bad_request(format!("the body broke off: {error}")))?;
        if read.len().saturating_add(chunk.len()) > super::BODY_BYTES_MAX {
            return Err(Problem::payload_too_large());
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read.into())
}

fn is(request: &ServiceRequest, media: &str) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case(media))
}

fn reason(bytes: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    Some(short(value.get("reason")?.as_str()?))
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_short_and_moves_no_cursor() {
        assert_eq!(reason(b"{\"reason\": \"a\\u001b[2Jb\"}").as_deref(), Some("a[2Jb"));
        let long = format!("{{\"reason\": \"{}\"}}", "x".repeat(1_000));
        assert_eq!(reason(long.as_bytes()).map(|text| text.len()), Some(REASON_CHARS_MAX));
        for none in ["", "[]", "{\"reason\": 7}", "{\"reason\"", "\"reason\""] {
            assert_eq!(reason(none.as_bytes()), None, "{none}");
        }
    }
}
