//! What a person is told: one message about one transition of one alert, before any channel has shaped it.
//!
//! Owns the facts and the key by which a receiver knows a repeated message again. Renders nothing: words, lengths and
//! escapes are the business of `crate::notify`. Texts come from venues and files and are hostile until a channel has
//! made them harmless.

use super::severity::Severity;
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// Longest key that is kept as written, characters. Receivers cap their keys at 255 or below.
const KEY_CHARS_MAX: usize = 128;

/// Which step of an alert's life a message tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Transition {
    /// The alert was raised.
    Raise,
    /// It is over.
    Clear,
    /// It was raised and is over again, and neither could be said in time.
    Late {
        /// From the raise to this message, milliseconds.
        undelivered_ms: u64,
    },
    /// It still stands, and nobody has acknowledged it.
    Reminder {
        /// Which reminder, from 1.
        count: u32,
    },
    /// The people told before have not acknowledged it: now this contact is told.
    Escalated {
        /// Which step of the policy, from 1.
        step: u32,
    },
    /// Somebody took it on.
    Acknowledged {
        /// Who.
        by: String,
        /// Until when the acknowledgement holds, if it ends.
        until: Option<WallMs>,
    },
    /// No alert: a message that tests the channel.
    Canary,
    /// Several notices in one message, because of a limit of messages per contact. The notice's own fields are
    /// those of the gravest, and of these the oldest.
    Bundle {
        /// How many notices.
        count: u32,
        /// Their keys, the gravest first; may be cut short.
        keys: Vec<String>,
    },
}

impl Transition {
    /// The word on the wire and in the database: the same as the `kind` of the JSON form.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Raise => "raise",
            Self::Clear => "clear",
            Self::Late { .. } => "late",
            Self::Reminder { .. } => "reminder",
            Self::Escalated { .. } => "escalated",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Canary => "canary",
            Self::Bundle { .. } => "bundle",
        }
    }

    /// Does the message say that the alert is over?
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Clear | Self::Late { .. })
    }
}

/// What ended an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClearedBy {
    /// The condition went away without a hand on it.
    Itself,
    /// A person.
    Operator,
    /// An automatic action, whose success was verified.
    Repair,
    /// Its condition was not asserted again after a restart.
    Restart,
}

impl ClearedBy {
    /// In words, to follow "cleared by".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Itself => "itself",
            Self::Operator => "an operator",
            Self::Repair => "automatic repair",
            Self::Restart => "a restart (not asserted again)",
        }
    }
}

/// What is at stake in the runtime that speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stake {
    /// A paper exchange.
    Paper,
    /// A venue's own test network.
    Testnet,
    /// Real money.
    Live,
}

impl Stake {
    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Testnet => "testnet",
            Self::Live => "live",
        }
    }
}

/// Earlier messages to this contact that were held back, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// How many.
    pub count: u32,
    /// By what: a budget, a silence, a root incident.
    pub by: String,
}

/// One message. Times are wall-clock, since a person reads them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Stable id of the alert, unique over all restarts; visible ASCII.
    pub alert_id: String,
    /// `code:scope`.
    pub key: String,
    /// What kind of alert; the runbook's name as well.
    pub code: String,
    /// Which step of its life.
    pub transition: Transition,
    /// How grave.
    pub severity: Severity,
    /// What it concerns: a venue, a strategy, a component.
    pub scope: String,
    /// Why, in one sentence with its figures.
    pub reason: String,
    /// When it was raised.
    pub raised_at: WallMs,
    /// When it was over; none while it stands.
    pub cleared_at: Option<WallMs>,
    /// How long it stood, milliseconds; none while it stands.
    pub duration_ms: Option<u64>,
    /// What ended it; none while it stands.
    pub cleared_by: Option<ClearedBy>,
    /// Key of the alert that this one follows from.
    pub cause: Option<String>,
    /// Keys of the alerts that follow from this one.
    pub consequences: Vec<String>,
    /// What the runtime has already done about it.
    pub contained: Option<String>,
    /// Where the runbook page stands.
    pub runbook_url: String,
    /// How to acknowledge it: a command or an address.
    pub acknowledge: String,
    /// Which deployment and process speaks, such as `desk/local`.
    pub instance: String,
    /// What is at stake there.
    pub mode: Stake,
    /// Messages to this contact that were held back before this one.
    pub suppressed: Option<Suppressed>,
}

/// By what a receiver knows that a message is the same one again: the alert, the number of its transition, and the
/// channel. A resend after a crash carries the same key; no two different messages share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// `alert_id.seq.channel`, fit for a header, a file name and a message id: at most 128 of
    /// `A-Z a-z 0-9 - _ .`. Parts that are longer or hold other characters are replaced by their hash.
    #[must_use]
    pub fn new(alert_id: &str, transition_seq: u64, channel: &str) -> Self {
        let plain = format!("{alert_id}.{transition_seq}.{channel}");
        let is_safe = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        if plain.len() <= KEY_CHARS_MAX && is_safe(alert_id) && is_safe(channel) {
            return Self(plain);
        }
        // Lengths go in as well, so that parts cannot be shifted into each other.
        let whole = format!("{}:{alert_id}:{transition_seq}:{channel}", alert_id.len());
        Self(format!("h.{}", hex::encode(Sha256::digest(whole.as_bytes()))))
    }

    /// Takes a key as it was stored.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_alert_transition_and_channel() {
        let key = |id: &str, seq, channel: &str| IdempotencyKey::new(id, seq, channel).as_str().to_owned();
        assert_eq!(key("a-17", 3, "ops_mail"), "a-17.3.ops_mail");
        assert_eq!(key("a-17", 3, "ops_mail"), key("a-17", 3, "ops_mail"));
        let all = ["a", "a\r\nX: y", "a b", "", "ä", "a.1", &"x".repeat(300)];
        let mut seen = std::collections::BTreeSet::new();
        for id in all {
            for seq in [1, 2] {
                for channel in ["c", "c\n", "1.c"] {
                    let key = key(id, seq, channel);
                    assert!(key.len() <= KEY_CHARS_MAX, "{key}");
                    assert!(key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{key}");
                    assert!(seen.insert(key), "two messages share a key");
                }
            }
        }
    }

    #[test]
    fn the_word_of_a_transition_is_its_kind() {
        let all = [
            Transition::Raise,
            Transition::Clear,
            Transition::Late { undelivered_ms: 1 },
            Transition::Reminder { count: 1 },
            Transition::Escalated { step: 2 },
            Transition::Acknowledged { by: "ann".into(), until: Some(WallMs(5)) },
            Transition::Canary,
            Transition::Bundle { count: 2, keys: vec!["a:b".into()] },
        ];
        for one in all {
            let json = serde_json::to_value(&one).unwrap();
            assert_eq!(json.get("kind").unwrap(), one.word());
            assert_eq!(serde_json::from_value::<Transition>(json).unwrap(), one);
        }
    }
}
