//! What is kept of every request that steers the process: who, what, why, and how it was answered.
//!
//! A [`ControlNote`] travels with a request to whoever carries it out and comes back as a [`ControlRow`], written in
//! the same transaction as what was done. A row is one line of the audit; with a key and a success it also pins the
//! answer, so that the same request sent twice is done once and answered alike.

use super::time::WallMs;
use std::fmt;

/// Longest idempotency key, characters.
pub const KEY_CHARS_MAX: usize = 64;
/// Longest answer that is kept, bytes. Larger ones are not ours.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024;
/// First status that says that nothing was done.
const REFUSED_FROM: u16 = 300;

/// Why a text is not an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key has 1 to {KEY_CHARS_MAX} visible ASCII characters")]
pub struct KeyError;

/// What a caller names a request by, so that sending it twice does it once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Checks a key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let legal = !text.is_empty() && text.len() <= KEY_CHARS_MAX;
        if legal && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyError)
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known of a request before it is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlNote {
    /// Whose keys these are: the token's id, `loopback` without tokens, `nobody` before anybody was admitted.
    pub principal: String,
    /// Who: the token's name, `loopback` or `nobody`.
    pub actor: String,
    /// From which address.
    pub peer: String,
    /// Method and path, `POST /api/v1/controls/pause`.
    pub route: String,
    /// Its last word, `pause`.
    pub verb: String,
    /// Why, in the caller's words.
    pub reason: Option<String>,
    /// The caller's name for it.
    pub key: Option<IdempotencyKey>,
    /// SHA-256 of the body, in hexadecimal.
    pub body_hash: String,
    /// One line of the audit? Orders have the journal for that, and need only the key.
    pub audited: bool,
}

impl ControlNote {
    /// What is kept once the answer is known.
    #[must_use]
    pub fn answered(self, at: WallMs, status: u16, code: Option<String>, answer: String) -> ControlRow {
        let answer = if answer.len() > ANSWER_BYTES_MAX { None } else { Some(answer) };
        ControlRow { note: self, at, status, code, answer }
    }
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlRow {
    /// The request.
    pub note: ControlNote,
    /// When it was answered (wall clock).
    pub at: WallMs,
    /// The HTTP status.
    pub status: u16,
    /// The code of the refusal; `None` for a success.
    pub code: Option<String>,
    /// The body, JSON; `None` when it was too large to keep.
    pub answer: Option<String>,
}

impl ControlRow {
    /// Was nothing done?
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        self.status >= REFUSED_FROM
    }

    /// The key and the answer that it pins from now on. A refusal pins nothing: nothing was done, so the same request
    /// may be judged anew.
    #[must_use]
    pub fn pinned(&self) -> Option<(&IdempotencyKey, &str)> {
        match (&self.note.key, &self.answer) {
            (Some(key), Some(answer)) if !self.is_refusal() => Some((key, answer)),
            _ => None,
        }
    }
}

/// An answer that a key is pinned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Method and path of the request.
    pub route: String,
    /// SHA-256 of its body, in hexadecimal.
    pub body_hash: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The answer, JSON.
    pub answer: String,
}

/// A line of the audit, as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place; rises.
    pub id: u64,
    /// When it was answered (wall clock).
    pub at: WallMs,
    /// Who.
    pub actor: String,
    /// By which token, or `loopback`, or `nobody`.
    pub principal: String,
    /// From which address.
    pub peer: String,
    /// Method and path.
    pub route: String,
    /// The path's last word.
    pub verb: String,
    /// Why, in the caller's words.
    pub reason: Option<String>,
    /// The caller's name for it.
    pub key: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// The code of the refusal.
    pub code: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_and_visible() {
        for good in ["a", "7f3b-22", &"~".repeat(64)] {
            assert!(IdempotencyKey::new(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "a b", "a\n", "é", &"x".repeat(65)] {
            assert_eq!(IdempotencyKey::new(bad), Err(KeyError), "{bad}");
        }
    }

    #[test]
    fn only_what_was_done_pins_its_answer() {
        let note = ControlNote {
            principal: "0123456789ab".to_owned(),
            actor: "ops".to_owned(),
            peer: "127.0.0.1".to_owned(),
            route: "POST /x".to_owned(),
            verb: "x".to_owned(),
            reason: None,
            key: IdempotencyKey::new("k").ok(),
            body_hash: String::new(),
            audited: true,
        };
        let row = |status, answer: &str| note.clone().answered(WallMs(0), status, None, answer.to_owned());
        assert_eq!(row(202, "{}").pinned().map(|(key, answer)| (key.as_str(), answer)), Some(("k", "{}")));
        assert!(row(412, "{}").pinned().is_none() && row(412, "{}").is_refusal());
        assert!(row(202, &"x".repeat(ANSWER_BYTES_MAX + 1)).pinned().is_none());
        let keyless = ControlNote { key: None, ..note.clone() };
        assert!(keyless.answered(WallMs(0), 202, None, String::new()).pinned().is_none());
    }
}
