//! Observations of performance on their way to the disk.
//!
//! They wait in a bounded queue and are written when nothing of the order path waits. Each holds the whole fold, so an
//! observation that found no room is a gap in the curve and nothing worse. What cannot be written now is kept.

use super::cell::Journal;
use super::mail::AppendPerformance;
use actix::Handler;

/// Observations that may wait.
const WAITING_MAX: usize = 64;

impl Handler<AppendPerformance> for Journal {
    type Result = ();

    fn handle(&mut self, new: AppendPerformance, _: &mut Self::Context) {
        if self.performance.len() >= WAITING_MAX {
            self.performance.pop_front();
            self.readings.change(|r| r.performance_dropped = r.performance_dropped.saturating_add(1));
        }
        self.performance.push_back(*new.0);
    }
}

impl Journal {
    /// Writes what waits, oldest first, until something cannot be written.
    pub(super) fn write_performance(&mut self) {
        let Ok(writer) = &mut self.writer else { return };
        while self.fence.is_current() {
            let Some(next) = self.performance.front() else { return };
            if let Err(fault) = writer.append_performance(next) {
                tracing::warn!(error = %fault, waiting = self.performance.len(), "observations wait for the disk");
                return;
            }
            self.performance.pop_front();
        }
    }
}
