//! What the shell shows of itself: standing alerts, totals, latencies, log lines. It decides nothing.

use super::readings::{OmsReadings, OpenAlert};
use crate::domain::drift::StageSource;
use crate::domain::journal::Batch;
use crate::domain::oms::{Change, Notice, NoticeLevel};
use crate::domain::order::{Order, OrderNumber, OrderState};
use crate::domain::time::{Mono, WallMs};
use std::collections::BTreeMap;
use std::time::Instant;

/// Alerts that can stand at once; codes times scopes are bounded by venues, instruments and open orders.
const ALERTS_MAX: usize = 1_024;
/// Orders whose stages are being timed.
const TIMED_MAX: usize = 8_192;

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Show {
    alerts: BTreeMap<(&'static str, String), OpenAlert>,
    totals: BTreeMap<OrderState, u64>,
    timed: BTreeMap<OrderNumber, Timed>,
    /// How long stages took, where series are watched; its time begins with the first of them.
    stages: StageSource,
    first: Option<Instant>,
}

#[derive(Debug)]
struct Timed {
    began: Instant,
    acked: bool,
}

impl Show {
    /// Begins to time the intents of a batch.
    pub(super) fn batch(&mut self, batch: &Batch) {
        if !batch.refusable {
            return;
        }
        let began = crate::clock::monotonic();
        for order in batch.orders.iter().filter(|order| order.state == OrderState::PendingSubmit) {
            if self.timed.len() >= TIMED_MAX {
                self.timed.pop_first();
            }
            self.timed.insert(order.number, Timed { began, acked: false });
        }
    }

    /// Takes note of a change that is being published.
    pub(super) fn change(&mut self, change: &Change, readings: &OmsReadings) {
        if let Change::Order(order) = change {
            let total = self.totals.entry(order.state).or_default();
            *total = total.saturating_add(1);
            self.time(order, readings);
        }
    }

    fn time(&mut self, order: &Order, readings: &OmsReadings) {
        let Some(timed) = self.timed.get_mut(&order.number) else { return };
        let at = crate::clock::monotonic();
        let took = at.saturating_duration_since(timed.began);
        let latency = readings.latency();
        let since = at.saturating_duration_since(*self.first.get_or_insert(at));
        let now = Mono(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let mut stage = |stage: &'static str| {
            let Some(tap) = readings.drift_tap() else { return };
            if let Some((name, mean)) = self.stages.note(now, stage, &order.venue, took.as_secs_f64()) {
                tap.note(name, None, mean);
            }
        };
        match order.state {
            OrderState::PendingSubmit => {
                latency.journal.note(took);
                stage("journal");
            }
            OrderState::Submitted | OrderState::PendingCancel | OrderState::Unknown => {}
            _ if !timed.acked => {
                timed.acked = true;
                latency.venue_ack.note(took);
                stage("venue_ack");
            }
            _ => {}
        }
        if !order.booked.is_zero() {
            latency.fill.note(took);
            stage("fill");
            self.timed.remove(&order.number);
        } else if order.state.is_final() {
            self.timed.remove(&order.number);
        }
    }

    pub(super) fn raise(&mut self, code: &'static str, scope: String, reason: String) {
        let key = (code, scope.clone());
        if self.alerts.contains_key(&key) {
            return;
        }
        tracing::error!(alert.code = code, alert.scope = scope, runbook = code, "{reason}");
        if self.alerts.len() >= ALERTS_MAX {
            // Told above; only the list is bounded.
            return;
        }
        let raised_at = WallMs(crate::clock::wall_millis());
        self.alerts.insert(key, OpenAlert { code, scope, reason, raised_at });
    }

    pub(super) fn clear(&mut self, code: &'static str, scope: &str) {
        if self.alerts.remove(&(code, scope.to_owned())).is_some() {
            tracing::info!(alert.code = code, alert.scope = scope, "cleared");
        }
    }

    pub(super) fn alerts(&self) -> Vec<OpenAlert> {
        self.alerts.values().cloned().collect()
    }

    pub(super) fn totals(&self) -> BTreeMap<OrderState, u64> {
        self.totals.clone()
    }
}

/// Logs a notice under the runbook's event name.
pub(super) fn tell(notice: &Notice) {
    let fields: Vec<String> = notice.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let fields = fields.join(" ");
    match notice.level {
        NoticeLevel::Info => tracing::info!(event = notice.event, "{fields}"),
        NoticeLevel::Warn => tracing::warn!(event = notice.event, "{fields}"),
        NoticeLevel::Error => tracing::error!(event = notice.event, runbook = "live-trading", "{fields}"),
    }
}
