//! The name of a stream: bounded, and fit for a path, a label and an alert's scope.

use super::kind::Kind;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest name, characters.
pub const NAME_CHARS_MAX: usize = 120;

/// A stream's name, such as `slippage:maker` or `spread:paper:BTCUSDT`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName(String);

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stream's name is 1 to {NAME_CHARS_MAX} letters, digits, '_', '-', '.' or ':'; this is {given:?}")]
pub struct NameError {
    /// The text, cut.
    pub given: String,
}

impl StreamName {
    /// Takes a text as a name.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn new(text: &str) -> Result<Self, NameError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        if text.is_empty() || text.len() > NAME_CHARS_MAX || !text.chars().all(fits) {
            return Err(NameError { given: text.chars().take(NAME_CHARS_MAX).collect() });
        }
        Ok(Self(text.to_owned()))
    }

    /// Of a kind that is measured here and what it is of: characters that do not fit a name become `_`.
    #[must_use]
    pub fn of(kind: Kind, parts: &[&str]) -> Self {
        let fits = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' };
        let mut text = kind.word().to_owned();
        for part in parts {
            text.push(':');
            text.extend(part.chars().map(fits));
        }
        text.truncate(NAME_CHARS_MAX);
        Self(text)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for StreamName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> Self {
        name.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_plain() {
        assert_eq!(StreamName::of(Kind::SPREAD, &["paper", "BTC/USDT"]).as_str(), "spread:paper:BTC_USDT");
        assert!(StreamName::new("model.score-7:eu").is_ok());
        for bad in ["", "a/b", "a b", "a\u{e9}", &"x".repeat(121)] {
            assert!(StreamName::new(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<StreamName>("\"a/b\"").is_err());
    }
}
