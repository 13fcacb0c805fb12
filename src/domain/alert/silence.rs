//! Silences: alerts that nobody is told of for a while, by whom and why.
//!
//! A silenced alert is raised, kept and shown all the same; when the silence ends and the alert still stands, it is
//! told then. Nothing silences [`super::codes::NEVER_HIDDEN`].

use super::codes::NEVER_HIDDEN;
use super::condition::AlertKey;
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};

/// Longest pattern, characters.
pub const PATTERN_CHARS_MAX: usize = 200;
/// Silences that hold at once.
pub const SILENCES_MAX: usize = 256;

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its name.
    pub id: String,
    /// Codes that it covers: a code, or a pattern in which `*` stands for anything.
    pub code: String,
    /// Scopes that it covers, alike.
    pub scope: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// From when.
    pub at: WallMs,
    /// Until when.
    pub until: WallMs,
    /// When it was ended, by time or by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<WallMs>,
    /// Who ended it; `None` for time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

impl Silence {
    /// Does it cover an alert now?
    #[must_use]
    pub fn covers(&self, key: &AlertKey, now: WallMs) -> bool {
        self.ended_at.is_none()
            && now < self.until
            && key.code() != NEVER_HIDDEN
            && matches(&self.code, key.code())
            && matches(&self.scope, key.scope())
    }
}

/// Does a pattern fit a text? `*` stands for any run of characters, also none.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut left) = text.strip_suffix(last) else { return false };
    // The earliest place of each part leaves most room for what follows.
    middle.split('*').filter(|part| !part.is_empty()).all(|part| match left.split_once(part) {
        Some((_, after)) => {
            left = after;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("*", "paper/BTCUSDT", true),
            ("paper/*", "paper/BTCUSDT", true),
            ("paper/*", "binance/BTCUSDT", false),
            ("*USDT", "paper/BTCUSDT", true),
            ("*USDT", "paper/BTCEUR", false),
            ("p*/B*T", "paper/BTCUSDT", true),
            ("p*/X*T", "paper/BTCUSDT", false),
            ("paper", "paper/BTCUSDT", false),
            ("a*a", "a", false),
            ("**", "x", true),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} on {text}");
        }
    }

    #[test]
    fn what_must_be_told_is_not_covered() {
        let silence = Silence {
            id: "s-1".to_owned(),
            code: "*".to_owned(),
            scope: "*".to_owned(),
            reason: "a test".to_owned(),
            by: "ops".to_owned(),
            at: WallMs(0),
            until: WallMs(10),
            ended_at: None,
            ended_by: None,
        };
        let key = |code: &str| AlertKey::new(code, "paper");
        assert!(silence.covers(&key("heartbeat_missed"), WallMs(9)));
        assert!(!silence.covers(&key("heartbeat_missed"), WallMs(10)), "it is over");
        assert!(!silence.covers(&key(NEVER_HIDDEN), WallMs(9)));
        assert!(
            !Silence { ended_at: Some(WallMs(5)), ..silence }.covers(&key("heartbeat_missed"), WallMs(9))
        );
    }
}
