//! Facts about alerts: the rows of kind `alert` in the journal.
//!
//! A fact carries the records as they were after the transition, so that reading the rows in order, each record's last
//! word kept, gives the history again ([`History`]). Claims of deliveries are no facts: a claim that ends without an
//! outcome has told nobody anything.

use super::delivery::{Delivery, DeliveryState};
use super::record::Alert;
use super::silence::Silence;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The rows' kind.
pub const KIND: &str = "alert";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An alert was raised.
    Raised,
    /// It is over.
    Cleared,
    /// More is known of it.
    Updated,
    /// Somebody took it on.
    Acked,
    /// The acknowledgement has ended.
    AckEnded,
    /// More people are told.
    Escalated,
    /// Whatever hid it is gone, and it is told now.
    Shown,
    /// A message arrived, or never will.
    Settled,
    /// Alerts are not told for a while.
    Silenced,
    /// They are told again.
    SilenceEnded,
    /// A channel is tested.
    Tested,
    /// Read from the file of last resort, because the database could not be written then.
    Recovered,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertFact {
    /// What happened.
    pub what: What,
    /// Who did it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The alert after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<Alert>,
    /// Deliveries that it made or settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<Delivery>,
    /// The silence after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
}

/// What the rows of a journal say, folded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Every alert by its number.
    pub alerts: BTreeMap<u64, Alert>,
    /// Every delivery by its key, claims taken for what they are: not settled.
    pub deliveries: BTreeMap<String, Delivery>,
    /// Every silence by its id.
    pub silences: BTreeMap<String, Silence>,
}

impl History {
    /// Takes in the next fact.
    pub fn apply(&mut self, fact: AlertFact) {
        if let Some(alert) = fact.alert {
            self.alerts.insert(alert.number, alert);
        }
        for delivery in fact.deliveries {
            self.deliveries.insert(delivery.key.as_str().to_owned(), delivery);
        }
        if let Some(silence) = fact.silence {
            self.silences.insert(silence.id.clone(), silence);
        }
    }

    /// Deliveries that are settled.
    pub fn settled(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.values().filter(|delivery| delivery.is_settled())
    }

    /// How many deliveries stand in a state.
    #[must_use]
    pub fn count(&self, state: DeliveryState) -> usize {
        self.deliveries.values().filter(|delivery| delivery.state == state).count()
    }
}
