//! What all channels over HTTP have in common: one request, and what its answer means.
//!
//! 2xx is success. A redirect is never followed: it is a mistake in the configuration, or somebody who wants the
//! message elsewhere. 408, 425, 429 and 5xx may pass; every other 4xx will be the same the next time.

use super::text::clean;
use super::{IdempotencyKey, SendError};
use crate::net::{Answer, Failure, Outbound};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::Serialize;

/// Header by which a receiver knows a repeated message.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Most of a receiver's words that are kept, characters.
const WORDS_MAX: usize = 160;

/// A request under way to a receiver.
pub(super) struct Call<'a> {
    outbound: &'a Outbound,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl<'a> Call<'a> {
    pub(super) fn new(outbound: &'a Outbound, method: Method, url: Url) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Self { outbound, method, url, headers, body: None }
    }

    pub(super) fn key(mut self, key: &IdempotencyKey) -> Self {
        // A key is made of header characters alone; a stored one that is not is no key.
        if let Ok(value) = HeaderValue::from_str(key.as_str()) {
            self.headers.insert(IDEMPOTENCY_KEY, value);
        }
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(super) fn authorization(mut self, value: Option<&HeaderValue>) -> Self {
        if let Some(value) = value {
            self.headers.insert(AUTHORIZATION, value.clone());
        }
        self
    }

    pub(super) fn json<T: Serialize>(self, body: &T) -> Result<Self, SendError> {
        let bytes = serde_json::to_vec(body).map_err(|error| permanent(format!("not JSON: {error}")))?;
        Ok(self.bytes("application/json", bytes))
    }

    pub(super) fn bytes(mut self, kind: &'static str, bytes: Vec<u8>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        self.body = Some(bytes);
        self
    }

    /// Sends it and judges the answer.
    pub(super) async fn send(self) -> Result<Answer, SendError> {
        match self.outbound.send(self.method, self.url, self.headers, self.body).await {
            Ok(answer) => judge(answer),
            Err(error @ Failure::Request(_)) => Err(permanent(error.to_string())),
            Err(error @ (Failure::Timeout(_) | Failure::Connect(_) | Failure::Broken(_))) => {
                Err(SendError::Temporary { reason: clean(&error.to_string(), 300), retry_after: None })
            }
        }
    }
}

fn judge(answer: Answer) -> Result<Answer, SendError> {
    let status = answer.status;
    if (200..300).contains(&status) {
        return Ok(answer);
    }
    let said = words(&answer.body);
    let reason = match status {
        300..=399 => format!("HTTP {status}: a redirect, which is not followed; configure the final address"),
        _ if said.is_empty() => format!("HTTP {status}"),
        _ => format!("HTTP {status}: {said}"),
    };
    if matches!(status, 408 | 425 | 429) || status >= 500 {
        Err(SendError::Temporary { reason, retry_after: answer.retry_after })
    } else if status == 403 && answer.retry_after.is_some() {
        // Some services limit rates with 403; the header says that this one passes.
        Err(SendError::Temporary { reason, retry_after: answer.retry_after })
    } else {
        Err(permanent(reason))
    }
}

pub(super) fn permanent(reason: impl Into<String>) -> SendError {
    SendError::Permanent { reason: reason.into() }
}

pub(super) fn temporary(reason: impl Into<String>) -> SendError {
    SendError::Temporary { reason: reason.into(), retry_after: None }
}

/// A receiver's words, made harmless.
pub(super) fn words(body: &[u8]) -> String {
    let start: Vec<u8> = body.iter().copied().take(WORDS_MAX * 4).collect();
    clean(&String::from_utf8_lossy(&start), WORDS_MAX)
}

/// A header value that logs do not show.
///
/// # Errors
/// A secret that cannot stand in a header.
pub(super) fn secret_header(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "the secret holds characters that cannot stand in a header".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Appends path segments, each escaped, to an address.
pub(super) fn below(base: &Url, segments: &[&str]) -> Result<Url, SendError> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| permanent("the address cannot have a path"))?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn outcome(status: u16, retry_after: Option<u64>) -> &'static str {
        let answer = Answer {
            status,
            retry_after: retry_after.map(Duration::from_secs),
            headers: HeaderMap::new(),
            body: b"no \r\n\x1b[31mway".to_vec(),
        };
        match judge(answer) {
            Ok(_) => "ok",
            Err(SendError::Temporary { reason, .. }) => {
                assert!(!reason.chars().any(char::is_control), "{reason:?}");
                "again"
            }
            Err(SendError::Permanent { .. }) => "never",
        }
    }

    #[test]
    fn an_answer_says_whether_to_try_again() {
        for (status, retry_after, want) in [
            (200, None, "ok"),
            (202, None, "ok"),
            (204, None, "ok"),
            (301, None, "never"),
            (302, Some(1), "never"),
            (400, None, "never"),
            (401, None, "never"),
            (403, None, "never"),
            (403, Some(60), "again"),
            (404, None, "never"),
            (408, None, "again"),
            (410, None, "never"),
            (422, None, "never"),
            (425, None, "again"),
            (429, None, "again"),
            (500, None, "again"),
            (503, Some(5), "again"),
            (599, None, "again"),
        ] {
            assert_eq!(outcome(status, retry_after), want, "{status}");
        }
    }

    #[test]
    fn a_segment_cannot_leave_its_place() {
        let base = Url::parse("https://api.example.org/v1/").unwrap();
        let url = below(&base, &["a/../b?c#d", "e"]).unwrap();
        assert_eq!(url.as_str(), "https://api.example.org/v1/a%2F..%2Fb%3Fc%23d/e");
    }
}
