//! The outcome of one step under construction: rows first, then everything else.
//!
//! Intents go into a batch of their own: only they may be refused by the journal and forgotten.

use super::core::Now;
use super::effect::{Answer, Change, Effect, Notice, NoticeLevel, Refusal, RefusalKind};
use super::event::{Actor, ReplyTo};
use crate::domain::control::ControlNote;
use crate::domain::journal::{BalanceRow, NewRow};
use crate::domain::ledger::{BookedFill, Position};
use crate::domain::order::OrderNumber;
use crate::domain::risk::DecisionRecord;
use std::collections::BTreeSet;

/// One batch under construction.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) rows: Vec<NewRow>,
    pub(super) orders: BTreeSet<OrderNumber>,
    pub(super) fills: Vec<BookedFill>,
    pub(super) positions: Vec<Position>,
    pub(super) balances: Vec<BalanceRow>,
    /// Requests that steered, and their answers.
    pub(super) notes: Vec<(ControlNote, Answer)>,
    /// Answers that wait until it is on disk.
    pub(super) replies: Vec<(ReplyTo, Answer)>,
    /// Orders that go out when it is on disk.
    pub(super) release: Vec<OrderNumber>,
}

impl Draft {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.orders.is_empty() && self.balances.is_empty() && self.notes.is_empty()
    }
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Out {
    pub(super) now: Now,
    pub(super) evidence: Draft,
    pub(super) intents: Draft,
    pub(super) effects: Vec<Effect>,
    /// Orders whose listeners are told, without a row.
    pub(super) told: BTreeSet<OrderNumber>,
    pub(super) snapshot: bool,
    /// The request behind this step, until its answer is known.
    pub(super) note: Option<ControlNote>,
    /// Positions are to be closed, after this one's reset.
    pub(super) flatten: Option<Actor>,
    /// The decision behind a refusal that is about to be recorded.
    pub(super) denied: Option<Box<DecisionRecord>>,
}

impl Out {
    pub(super) fn new(now: Now) -> Self {
        Self {
            now,
            evidence: Draft::default(),
            intents: Draft::default(),
            effects: Vec::new(),
            told: BTreeSet::new(),
            snapshot: false,
            note: None,
            flatten: None,
            denied: None,
        }
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn reply(&mut self, to: Option<ReplyTo>, answer: Answer) {
        if let Some(to) = to {
            self.effects.push(Effect::Reply(to, answer));
        }
    }

    /// Answers once what was done is on disk, and leaves the line of the audit with it.
    pub(super) fn done(&mut self, to: Option<ReplyTo>, answer: Answer) {
        if let Some(note) = self.note.take() {
            self.evidence.notes.push((note, answer.clone()));
        }
        self.evidence.replies.extend(to.map(|to| (to, answer)));
    }

    pub(super) fn refuse(&mut self, to: Option<ReplyTo>, refusal: Refusal) {
        self.reply(to, Answer::Refused(refusal));
    }

    pub(super) fn balance(&mut self, row: BalanceRow) {
        self.effects.push(Effect::Publish(Change::Balance(Box::new(row.clone()))));
        self.evidence.balances.push(row);
    }

    pub(super) fn notice(
        &mut self,
        level: NoticeLevel,
        event: &'static str,
        fields: Vec<(&'static str, String)>,
    ) {
        self.effects.push(Effect::Notice(Notice { level, event, fields }));
    }
}

/// A refusal in one line.
pub(super) fn refusal(code: &'static str, kind: RefusalKind, detail: String) -> Refusal {
    Refusal { code, detail, kind }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}
