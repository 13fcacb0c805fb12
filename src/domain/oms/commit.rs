//! From a step to the disk and back: batches are made here, and what waits for them goes on here.
//!
//! Evidence comes before intents, rows before everything else. What waits for a batch tells how things stand when the
//! batch is on disk, not how they stood when it was made.

use super::core::Oms;
use super::effect::{Answer, Change, Effect, StateView};
use super::out::{Draft, Out};
use crate::domain::control::{ControlNote, ControlRow};
use crate::domain::journal::{Batch, Snapshot, Ticket};
use crate::domain::time::WallMs;

impl Oms {
    pub(super) fn finish(&mut self, mut out: Out) -> Vec<Effect> {
        let mut effects = Vec::with_capacity(out.effects.len().saturating_add(4));
        let (evidence, intents) = (std::mem::take(&mut out.evidence), std::mem::take(&mut out.intents));
        out.told.extend(evidence.orders.iter().chain(&intents.orders).copied());
        let due = out.snapshot || self.facts >= self.snapshot_after();
        let last_is_intents = !intents.is_empty();
        let evidence_snapshot = due && !last_is_intents && !evidence.is_empty();
        let at = out.now.wall;
        self.persist(evidence, at, false, evidence_snapshot, &mut effects);
        self.persist(intents, at, true, due && last_is_intents, &mut effects);
        for number in &out.told {
            if let Some(order) = self.books.orders.get(number) {
                effects.push(Effect::Publish(Change::Order(Box::new(order.clone()))));
            }
        }
        effects.append(&mut out.effects);
        effects
    }

    /// Rows that a start may have to read before the next snapshot is due. A snapshot costs as much as there are orders in
    /// it, and both threads of the order path stand still for it: with sixteen thousand that is a tenth of a second and
    /// more, so books that hold many are written more rarely.
    fn snapshot_after(&self) -> u64 {
        let limits = &self.settings.limits;
        let held = u64::try_from(self.books.orders.len()).unwrap_or(u64::MAX);
        let by_orders = held.saturating_mul(limits.facts_per_held_order).min(limits.facts_per_snapshot_max);
        limits.facts_per_snapshot.max(by_orders)
    }

    /// A request and the answer that it gets.
    fn control_row(&self, at: WallMs, note: ControlNote, answer: Answer) -> ControlRow {
        let answer = self.latest(answer);
        let body = serde_json::Value::Object(answer.body()).to_string();
        note.answered(at, answer.status(), None, body)
    }

    fn persist(
        &mut self,
        mut draft: Draft,
        at: WallMs,
        refusable: bool,
        snapshot: bool,
        effects: &mut Vec<Effect>,
    ) {
        if draft.is_empty() {
            // What hangs on rows that were already written needs no new ones.
            for (to, answer) in draft.replies.drain(..) {
                effects.push(Effect::Reply(to, self.latest(answer)));
            }
            return;
        }
        self.ticket = self.ticket.saturating_add(1);
        let ticket = Ticket(self.ticket);
        let orders =
            draft.orders.iter().filter_map(|number| self.books.orders.get(number)).cloned().collect();
        let snapshot = snapshot.then(|| self.snapshot().ok()).flatten();
        if snapshot.is_some() {
            self.facts = 0;
        }
        let notes = std::mem::take(&mut draft.notes);
        let controls = notes.into_iter().map(|(note, answer)| self.control_row(at, note, answer)).collect();
        let batch = Batch {
            ticket,
            controls,
            rows: std::mem::take(&mut draft.rows),
            orders,
            fills: std::mem::take(&mut draft.fills),
            positions: std::mem::take(&mut draft.positions),
            balances: std::mem::take(&mut draft.balances),
            alerts: None,
            intents: Vec::new(),
            snapshot: snapshot.map(|state| Snapshot { state, refusals_seen: self.refusals }),
            refusable,
        };
        if refusable || !draft.replies.is_empty() || !draft.release.is_empty() {
            self.writing = self.writing.saturating_add(draft.release.len());
            self.waiting.insert(ticket, draft);
        }
        effects.push(Effect::Persist(batch));
    }

    /// An order and the state may have moved on since an answer was made: it tells how they stand now.
    fn latest(&self, answer: Answer) -> Answer {
        match answer {
            Answer::Accepted(order) => match self.books.orders.get(&order.number) {
                Some(latest) => Answer::Accepted(Box::new(latest.clone())),
                None => Answer::Accepted(order),
            },
            Answer::State(before) => {
                Answer::State(StateView { resting_orders: before.resting_orders, ..self.state_view() })
            }
            other => other,
        }
    }

    /// A batch is on disk: answers go out, and orders to their venues.
    pub(super) fn on_durable(&mut self, out: &mut Out, ticket: Ticket) {
        self.durable = self.durable.max(ticket.0);
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() > ticket {
                break;
            }
            let draft = entry.remove();
            for (to, answer) in draft.replies {
                out.reply(Some(to), self.latest(answer));
            }
            for number in draft.release {
                self.on_disk(out, number);
            }
        }
    }
}
