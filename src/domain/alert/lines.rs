//! What the router decided, in the form that the journal writes: rows of facts, and one line per record.
//!
//! Records are turned into text here, on the router's side, so that the one writer has less to do.

use super::budget::Budget;
use super::fact::KIND;
use super::router::Work;
use crate::domain::ids::Correlation;
use crate::domain::journal::{AlertLine, AlertLines, Batch, ChannelLine, DeliveryLine, NewRow, SilenceLine};
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};

/// What is kept of a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelRecord {
    /// What it has used of its limits.
    pub budget: Budget,
    /// When it last took a message; where its provider can be asked, when that last said that one had arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ok: Option<WallMs>,
    /// What is wrong with it: a restart repairs no channel.
    #[serde(default, skip_serializing_if = "Trouble::is_none")]
    pub trouble: Trouble,
}

/// What a channel's last attempts met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trouble {
    /// Failures since a message last arrived.
    pub failures: u32,
    /// A message was given up since then.
    pub gave_up: bool,
    /// What the last failure was.
    pub last_error: Option<String>,
}

impl Trouble {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A record that cannot be written as JSON, which none of these is.
#[derive(Debug, thiserror::Error)]
#[error("a record of the alert router cannot be written: {0}")]
pub struct LineError(#[from] serde_json::Error);

/// The transaction of a piece of work. `correlation` names what has none of its own.
///
/// # Errors
/// [`LineError`].
pub fn batch(work: &Work, correlation: &Correlation) -> Result<Batch, LineError> {
    let mut batch = Batch { ticket: work.ticket, ..Batch::default() };
    for fact in &work.facts {
        let own = fact.alert.as_ref().and_then(|alert| Correlation::new(&alert.id).ok());
        batch.rows.push(NewRow {
            kind: KIND,
            correlation: own.unwrap_or_else(|| correlation.clone()),
            at: work.at,
            payload: serde_json::to_string(fact)?,
        });
    }
    let mut lines = AlertLines::default();
    for alert in &work.alerts {
        lines.alerts.push(AlertLine {
            number: signed(alert.number),
            id: alert.id.clone(),
            key: alert.key.as_str().to_owned(),
            incident: alert.incident.clone(),
            is_open: alert.is_open(),
            is_root: alert.is_root(),
            record: serde_json::to_string(alert)?,
        });
    }
    for delivery in &work.deliveries {
        lines.deliveries.push(DeliveryLine {
            name: delivery.key.as_str().to_owned(),
            number: signed(delivery.number),
            seq: signed(delivery.seq),
            is_final: delivery.is_settled(),
            record: serde_json::to_string(delivery)?,
        });
    }
    for silence in &work.silences {
        lines.silences.push(SilenceLine {
            id: silence.id.clone(),
            number: silence.id.rsplit_once('-').and_then(|(_, digits)| digits.parse().ok()).unwrap_or(0),
            ended: silence.ended_at.is_some(),
            record: serde_json::to_string(silence)?,
        });
    }
    for (channel, record) in &work.channels {
        lines.channels.push(ChannelLine { channel: channel.clone(), record: serde_json::to_string(record)? });
    }
    batch.alerts = Some(Box::new(lines));
    Ok(batch)
}

/// Numbers beyond 2^63 do not occur.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
