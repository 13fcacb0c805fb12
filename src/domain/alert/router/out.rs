//! What one step of the router gathers: facts, records that changed, messages that go out once they are on disk.

use super::super::delivery::Delivery;
use super::super::fact::{AlertFact, What};
use super::super::notice::{IdempotencyKey, Notice};
use super::super::record::Alert;
use super::super::silence::Silence;
use super::event::{Answer, Effect, ReplyTo};
use crate::domain::time::WallMs;
use std::collections::{BTreeMap, BTreeSet};

/// A message that goes out once its claim is on disk.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sending {
    pub(super) channel: String,
    pub(super) key: IdempotencyKey,
    pub(super) notice: Box<Notice>,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub(super) now: WallMs,
    pub(super) facts: Vec<AlertFact>,
    /// Alerts as they are now, by number.
    pub(super) alerts: BTreeMap<u64, Alert>,
    pub(super) deliveries: BTreeMap<String, Delivery>,
    pub(super) silences: Vec<Silence>,
    /// Channels whose record changed.
    pub(super) channels: BTreeSet<String>,
    pub(super) sends: Vec<Sending>,
    /// Channels whose outcome is written with this step: they go on when it is on disk.
    pub(super) recording: BTreeSet<String>,
    pub(super) answers: Vec<(ReplyTo, Answer)>,
    /// What follows at once.
    pub(super) effects: Vec<Effect>,
}

impl Out {
    pub(super) fn at(now: WallMs) -> Self {
        Self { now, ..Self::default() }
    }

    /// An alert changed: for the table alone.
    pub(super) fn touch(&mut self, alert: &Alert) {
        self.alerts.insert(alert.number, alert.clone());
    }

    /// A delivery changed: for the table alone.
    pub(super) fn keep(&mut self, delivery: &Delivery) {
        self.deliveries.insert(delivery.key.as_str().to_owned(), delivery.clone());
    }

    /// An alert went through a transition.
    pub(super) fn fact(&mut self, what: What, by: Option<&str>, alert: &Alert, deliveries: Vec<Delivery>) {
        self.touch(alert);
        for delivery in &deliveries {
            self.keep(delivery);
        }
        let (by, alert) = (by.map(str::to_owned), Some(alert.clone()));
        self.facts.push(AlertFact { what, by, alert, deliveries, silence: None });
    }

    /// Deliveries without an alert of their own changed.
    pub(super) fn fact_of(&mut self, what: What, by: Option<&str>, deliveries: Vec<Delivery>) {
        for delivery in &deliveries {
            self.keep(delivery);
        }
        self.facts.push(AlertFact {
            what,
            by: by.map(str::to_owned),
            alert: None,
            deliveries,
            silence: None,
        });
    }

    /// A silence began or ended.
    pub(super) fn silence(&mut self, what: What, by: Option<&str>, silence: &Silence) {
        self.silences.push(silence.clone());
        self.facts.push(AlertFact {
            what,
            by: by.map(str::to_owned),
            alert: None,
            deliveries: Vec::new(),
            silence: Some(silence.clone()),
        });
    }

    pub(super) fn answer(&mut self, to: ReplyTo, answer: Answer) {
        self.answers.push((to, answer));
    }

    pub(super) fn refuse(&mut self, to: ReplyTo, why: super::event::Refusal) {
        self.effects.push(Effect::Reply { to, answer: Answer::Refused(why) });
    }
}
