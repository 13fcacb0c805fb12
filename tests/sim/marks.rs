//! Counts that the rare branches were taken: a batch of seeds in which one never was has tested less than
//! its name says, and fails.

use crate::store::Store;
use plimsoll::domain::money::Quantity;
use plimsoll::domain::oms::{Change, Effect, Event, Oms};
use plimsoll::domain::order::{Order, OrderNumber, OrderState, Origin};
use std::collections::BTreeMap;

/// Every batch must have met these.
pub const REQUIRED: &[&str] = &[
    "absent_proved_then_resent",
    "adopted_foreign",
    "bust",
    "cancel_came_too_late",
    "cold_start",
    "crash_between_commit_and_send",
    "crash_between_send_and_answer",
    "duplicate_report",
    "fill_after_cancel",
    "fill_before_ack",
    "gap_found_by_cumulative",
    "halt_survives_crash",
    "late_reject",
    "not_durable",
    "overfill",
    "snapshot_used",
    "unknown_then_found",
];

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Marks(pub BTreeMap<&'static str, u64>);

impl Marks {
    pub fn hit(&mut self, mark: &'static str) {
        *self.0.entry(mark).or_default() += 1;
    }

    pub fn hit_if(&mut self, mark: &'static str, when: bool) {
        if when {
            self.hit(mark);
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (mark, count) in &other.0 {
            *self.0.entry(mark).or_default() += count;
        }
    }

    /// What a crash interrupts.
    pub fn note_crash(&mut self, store: &Store, oms: &Oms) {
        for order in oms.orders() {
            let on_disk = store.orders.contains_key(&order.number);
            let waiting = order.state == OrderState::PendingSubmit;
            self.hit_if("crash_between_commit_and_send", waiting && on_disk);
            self.hit_if("crash_between_send_and_answer", order.state == OrderState::Submitted);
        }
        let latch =
            store.rows.iter().rfind(|row| matches!(row.kind.as_str(), "halt" | "unhalt" | "cold_start"));
        self.hit_if("halt_survives_crash", latch.is_some_and(|row| row.kind == "halt"));
    }
}

/// Follows what is published, to tell what led to what.
#[derive(Debug, Default)]
pub struct Watcher {
    known: BTreeMap<OrderNumber, (OrderState, Quantity)>,
    by_report: bool,
    by_fetch: bool,
}

impl Watcher {
    pub fn before(&mut self, event: &Event, oms: &Oms) {
        self.by_report = matches!(event, Event::Report { .. });
        self.by_fetch = matches!(event, Event::Fills { .. });
        if matches!(event, Event::Start { .. }) {
            self.known = oms.orders().map(|order| (order.number, (order.state, order.booked))).collect();
        }
    }

    pub fn after(&mut self, effects: &[Effect], marks: &mut Marks) {
        for effect in effects {
            match effect {
                Effect::Persist(batch) => {
                    for row in &batch.rows {
                        marks.hit_if("absent_proved_then_resent", row.kind == "resend");
                        marks.hit_if("gap_found_by_cumulative", row.kind == "fill" && self.by_fetch);
                        marks.hit_if("bust", row.kind == "bust");
                    }
                }
                Effect::Publish(Change::Order(order)) => self.changed(order, marks),
                _ => {}
            }
        }
    }

    fn changed(&mut self, order: &Order, marks: &mut Marks) {
        use OrderState::{Cancelled, Filled, PartiallyFilled, PendingSubmit, Submitted, Unknown, Working};
        let before = self.known.insert(order.number, (order.state, order.booked));
        let Some((state, booked)) = before else {
            return marks.hit_if("adopted_foreign", order.origin == Origin::Adopted);
        };
        let executing = matches!(order.state, PartiallyFilled | Filled);
        let found = executing || order.state == Working;
        marks.hit_if("unknown_then_found", state == Unknown && found);
        marks.hit_if("fill_after_cancel", state == Cancelled && order.booked > booked);
        let unanswered = matches!(state, PendingSubmit | Submitted);
        marks.hit_if("fill_before_ack", unanswered && executing && self.by_report);
    }
}
