//! A condition: something that holds now and wants somebody. Components assert and retract conditions; the router
//! makes alerts of them.

use super::severity::Severity;
use crate::domain::time::WallMs;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// Longest scope, characters; longer ones are cut.
pub const SCOPE_CHARS_MAX: usize = 160;
/// Longest reason, characters; longer ones are cut.
pub const REASON_CHARS_MAX: usize = 1_000;

/// What names an alert while it stands: its code and scope, as `code:scope`. Shared text: an alert's key is kept in many
/// places at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertKey(Arc<str>);

impl Serialize for AlertKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AlertKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

impl AlertKey {
    /// The key of a code and a scope.
    #[must_use]
    pub fn new(code: &str, scope: &str) -> Self {
        Self(format!("{code}:{}", cut(scope, SCOPE_CHARS_MAX)).into())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> &str {
        self.0.split_once(':').map_or(self.as_str(), |(code, _)| code)
    }

    /// Its scope.
    #[must_use]
    pub fn scope(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, scope)| scope)
    }
}

impl fmt::Display for AlertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the fault lies, seen from this process or from the component that is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locality {
    /// In the component itself, in this process or on this host.
    #[default]
    Local,
    /// Between the venue and this process, or between two stages of a flow.
    Pipeline,
    /// At whoever depends on it.
    Downstream,
}

impl Locality {
    /// On the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Pipeline => "pipeline",
            Self::Downstream => "downstream",
        }
    }
}

/// Something that holds now. See the module's head.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// Its code, one of [`super::codes::CODES`].
    pub code: &'static str,
    /// What it is about, such as `paper/BTCUSDT`.
    pub scope: String,
    /// In a sentence.
    pub reason: String,
    /// How severe; the code's own severity when `None`.
    pub severity: Option<Severity>,
    /// The root that this is a consequence of.
    pub cause: Option<AlertKey>,
    /// Where the fault lies.
    pub locality: Locality,
    /// What it was judged by.
    pub evidence: Option<serde_json::Value>,
    /// What the system has already done about it.
    pub contained: Option<String>,
    /// Since when it holds, as far as the evidence shows (wall clock); the moment of the report when `None`.
    pub since: Option<WallMs>,
}

impl Condition {
    /// A condition without anything that is optional.
    #[must_use]
    pub fn new(code: &'static str, scope: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            code,
            scope: cut(&scope.into(), SCOPE_CHARS_MAX),
            reason: cut(&reason.into(), REASON_CHARS_MAX),
            severity: None,
            cause: None,
            locality: Locality::default(),
            evidence: None,
            contained: None,
            since: None,
        }
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> AlertKey {
        AlertKey::new(self.code, &self.scope)
    }

    /// How severe it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity.unwrap_or_else(|| super::codes::severity(self.code))
    }
}

/// A condition and when it was asserted.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// What holds.
    pub condition: Condition,
    /// When it was asserted (wall clock).
    pub at: WallMs,
}

/// A text without control characters and no longer than `chars_max`.
#[must_use]
pub fn cut(text: &str, chars_max: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_apart_at_its_first_colon() {
        let key = AlertKey::new("venue_quotes_stale", "paper/[::1]:80");
        assert_eq!((key.code(), key.scope()), ("venue_quotes_stale", "paper/[::1]:80"));
        assert_eq!(key.as_str(), "venue_quotes_stale:paper/[::1]:80");
    }

    #[test]
    fn texts_from_outside_are_bounded_and_hold_no_line_breaks() {
        let condition = Condition::new("disk_low", "a\r\nb", "x".repeat(5_000));
        assert_eq!(condition.scope, "a  b");
        assert_eq!(condition.reason.len(), REASON_CHARS_MAX);
        assert_eq!(condition.severity(), Severity::Warning);
    }
}
