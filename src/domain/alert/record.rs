//! One alert as it is kept: what was raised, who took it on, who was told, when it was over.
//!
//! A record is a whole: the row in the database holds it as JSON, and a fact of the journal carries it as it was after
//! the transition. Bounded: the list of moments keeps its beginning and its end.

use super::condition::{AlertKey, Condition, Locality};
use super::notice::ClearedBy;
use super::severity::Severity;
use crate::domain::escalation::Escalation;
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Moments that are kept of one alert.
pub const MOMENTS_MAX: usize = 48;
/// Of these, the first ones that stay.
const MOMENTS_FIRST: usize = 8;
/// Largest evidence that is kept, bytes of JSON.
pub const EVIDENCE_BYTES_MAX: usize = 4_096;

/// Somebody took it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Who.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
    /// When.
    pub at: WallMs,
    /// Until when it holds.
    pub until: WallMs,
}

/// Why nobody is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", content = "name", rename_all = "snake_case")]
pub enum Hidden {
    /// It follows from another alert.
    Root(AlertKey),
    /// Somebody silenced it.
    Silence(String),
}

impl Hidden {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Root(key) => format!("root {key}"),
            Self::Silence(id) => format!("silence {id}"),
        }
    }
}

/// Something that happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When.
    pub at: WallMs,
    /// What, a word.
    pub what: String,
    /// More of it, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Its place among all alerts; rises.
    pub number: u64,
    /// Its name for ever.
    pub id: String,
    /// Code and scope, which name it while it stands.
    pub key: AlertKey,
    /// How severe.
    pub severity: Severity,
    /// In a sentence.
    pub reason: String,
    /// The root that it follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<AlertKey>,
    /// Where the fault lies.
    pub locality: Locality,
    /// What it was judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<serde_json::Value>,
    /// What was already done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contained: Option<String>,
    /// Since when its condition held, as far as the evidence shows.
    pub since: WallMs,
    /// When it was raised.
    pub raised_at: WallMs,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_at: Option<WallMs>,
    /// By what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_by: Option<ClearedBy>,
    /// Who has taken it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack: Option<Ack>,
    /// When somebody first took it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_acked_at: Option<WallMs>,
    /// When a channel first had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_told_at: Option<WallMs>,
    /// Why nobody is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Hidden>,
    /// Its incident: the id of the root alert, its own when it is the root.
    pub incident: String,
    /// Number of its last transition that messages tell of.
    pub seq: u64,
    /// Who will be told when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
    /// Channels that have, or may have, a message about it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub told: BTreeSet<String>,
    /// Times that its condition went and came back.
    pub flaps: u32,
    /// What happened to it.
    pub moments: Vec<Moment>,
}

impl Alert {
    /// An alert of a condition.
    #[must_use]
    pub fn raised(number: u64, tag: &str, condition: &Condition, since: WallMs, now: WallMs) -> Self {
        let id = format!("{tag}-{number}");
        let large = |value: &serde_json::Value| value.to_string().len() > EVIDENCE_BYTES_MAX;
        let evidence = condition.evidence.clone().filter(|value| !large(value));
        Self {
            number,
            key: condition.key(),
            severity: condition.severity(),
            reason: condition.reason.clone(),
            cause: condition.cause.clone(),
            locality: condition.locality,
            evidence,
            contained: condition.contained.clone(),
            since: since.min(now),
            raised_at: now,
            cleared_at: None,
            cleared_by: None,
            ack: None,
            first_acked_at: None,
            first_told_at: None,
            hidden: None,
            incident: id.clone(),
            seq: 0,
            escalation: None,
            told: BTreeSet::new(),
            flaps: 0,
            moments: Vec::new(),
            id,
        }
    }

    /// Does it stand?
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.cleared_at.is_none()
    }

    /// Is it the root of its incident?
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.incident == self.id
    }

    /// How long it stood, or stands, milliseconds.
    #[must_use]
    pub fn stood_ms(&self, now: WallMs) -> u64 {
        let until = self.cleared_at.unwrap_or(now);
        u64::try_from(until.0.saturating_sub(self.raised_at.0)).unwrap_or(0)
    }

    /// Takes note of a moment.
    pub fn note(&mut self, at: WallMs, what: &str, note: impl Into<String>) {
        if self.moments.len() >= MOMENTS_MAX {
            self.moments.remove(MOMENTS_FIRST);
        }
        self.moments.push(Moment { at, what: what.to_owned(), note: note.into() });
    }

    /// The number of its next transition.
    pub const fn next_seq(&mut self) -> u64 {
        self.seq = self.seq.saturating_add(1);
        self.seq
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_bounded_and_keep_their_beginning() {
        let condition = Condition::new("disk_low", "data", "full");
        let mut alert = Alert::raised(7, "plabc", &condition, WallMs(9), WallMs(5));
        for n in 0..200 {
            alert.note(WallMs(n), "held", n.to_string());
        }
        assert_eq!(alert.moments.len(), MOMENTS_MAX);
        assert_eq!(alert.moments[0].note, "0");
        assert_eq!(alert.moments.last().unwrap().note, "199");
        assert_eq!(
            (alert.id.as_str(), alert.since),
            ("plabc-7", WallMs(5)),
            "no evidence is from the future"
        );
        let text = serde_json::to_string(&alert).unwrap();
        assert_eq!(serde_json::from_str::<Alert>(&text).unwrap(), alert);
    }

    #[test]
    fn evidence_that_is_too_large_is_left_out() {
        let mut condition = Condition::new("disk_low", "data", "full");
        condition.evidence = Some(serde_json::json!("x".repeat(EVIDENCE_BYTES_MAX)));
        assert_eq!(Alert::raised(1, "pl", &condition, WallMs(0), WallMs(0)).evidence, None);
    }
}
