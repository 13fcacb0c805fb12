//! The alert router's lane: its work is written in order, after what waits of the order path, a bounded piece at a time.
//!
//! An alert may not delay an order: while orders come, a transaction of alerts stays small. What cannot be written now
//! waits and is tried again; what finds no room is dropped with its `done`, and the router sends it again.

use super::cell::{Journal, RETRY_MIN};
use super::mail::AppendAlerts;
use crate::clock;
use crate::db::WriteError;
use crate::domain::journal::Batch;
use crate::supervision::Ctx;
use actix::{AsyncContext, Handler, Message};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Pieces of work that may wait.
const WAITING_MAX: usize = 8_192;
/// Rows of one transaction while orders come.
const ROWS_BESIDE_ORDERS: usize = 32;
/// Rows of one transaction otherwise.
const ROWS: usize = 512;
/// Orders came within this time.
const LATELY: Duration = Duration::from_secs(1);
/// Longest pause before a failed write is tried again.
const RETRY_MAX: Duration = Duration::from_secs(1);

/// What waits.
#[derive(Debug)]
pub(super) struct AlertLane {
    waiting: VecDeque<AppendAlerts>,
    flushing: bool,
    retry_after: Duration,
}

impl Default for AlertLane {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), flushing: false, retry_after: RETRY_MIN }
    }
}

/// Write what waits in the lane.
#[derive(Message)]
#[rtype(result = "()")]
struct FlushAlerts;

fn weight(batch: &Batch) -> usize {
    let lines = batch.alerts.as_ref().map_or(0, |lines| lines.alerts.len().max(lines.deliveries.len()));
    batch.rows.len().max(lines).max(1)
}

impl Handler<AppendAlerts> for Journal {
    type Result = ();

    fn handle(&mut self, append: AppendAlerts, ctx: &mut Self::Context) {
        if self.lane.waiting.len() >= WAITING_MAX {
            return;
        }
        self.lane.waiting.push_back(append);
        self.flush_alerts_soon(ctx);
    }
}

impl Handler<FlushAlerts> for Journal {
    type Result = ();

    fn handle(&mut self, _: FlushAlerts, ctx: &mut Self::Context) {
        self.lane.flushing = false;
        match self.write_alerts() {
            Ok(()) => {
                self.lane.retry_after = RETRY_MIN;
                self.flush_alerts_soon(ctx);
            }
            Err(fault) => {
                tracing::warn!(error = %fault, waiting = self.lane.waiting.len(), "alerts wait for the disk");
                let after = self.lane.retry_after;
                self.lane.retry_after = after.saturating_mul(2).min(RETRY_MAX);
                self.lane.flushing = true;
                ctx.run_later(after, |_, ctx| ctx.notify(FlushAlerts));
            }
        }
    }
}

impl Journal {
    fn flush_alerts_soon(&mut self, ctx: &mut Ctx<Self>) {
        if !self.lane.flushing && !self.lane.waiting.is_empty() {
            self.lane.flushing = true;
            // Behind the mail that waits, and behind the orders that it holds.
            ctx.notify(FlushAlerts);
        }
    }

    /// Writes one piece.
    fn write_alerts(&mut self) -> Result<(), WriteError> {
        let beside = clock::monotonic().saturating_duration_since(self.last_append) < LATELY;
        let most = if beside { ROWS_BESIDE_ORDERS } else { ROWS };
        let (mut batches, mut rows): (Vec<Arc<Batch>>, usize) = (Vec::new(), 0);
        for append in &self.lane.waiting {
            rows = rows.saturating_add(weight(&append.batch));
            if rows > most && !batches.is_empty() {
                break;
            }
            batches.push(Arc::clone(&append.batch));
        }
        if batches.is_empty() {
            return Ok(());
        }
        self.commit(&batches)?;
        for append in self.lane.waiting.drain(..batches.len()) {
            // Whoever waited may have ended; what was written stays written.
            let _ = append.done.send(());
        }
        self.show();
        Ok(())
    }

    /// At the end: as much as the disk takes.
    pub(super) fn write_alerts_left(&mut self) {
        while !self.lane.waiting.is_empty() {
            if let Err(fault) = self.write_alerts() {
                let left = self.lane.waiting.len();
                tracing::error!(error = %fault, left, runbook = "journal_writer_stalled", "alerts were not written");
                return;
            }
        }
    }
}
