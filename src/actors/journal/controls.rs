//! Rows of requests that never reach the order management: refused ones, and words to the process itself.
//!
//! They wait in a bounded queue and are written when nothing of the order path waits, so that no flood of bad
//! requests delays an order. What finds no room is counted. A row that cannot be written now is kept.

use super::cell::Journal;
use super::mail::AppendControls;
use actix::Handler;

/// Rows that may wait.
const WAITING_MAX: usize = 10_000;
/// Rows that are written at once.
const SLICE: usize = 256;

impl Handler<AppendControls> for Journal {
    type Result = ();

    fn handle(&mut self, rows: AppendControls, _: &mut Self::Context) {
        let room = WAITING_MAX.saturating_sub(self.controls.len());
        let dropped = u64::try_from(rows.0.len().saturating_sub(room)).unwrap_or(u64::MAX);
        self.controls.extend(rows.0.into_iter().take(room));
        if dropped > 0 {
            self.readings.change(|r| r.controls_dropped = r.controls_dropped.saturating_add(dropped));
        }
    }
}

impl Journal {
    /// Writes some of what waits. The rows stay until they are on the disk.
    pub(super) fn write_controls(&mut self) {
        let Ok(writer) = &mut self.writer else { return };
        let slice = self.controls.len().min(SLICE);
        if slice == 0 || !self.fence.is_current() {
            return;
        }
        let rows: Vec<_> = self.controls.drain(..slice).collect();
        if let Err(fault) = writer.append_controls(&rows) {
            tracing::warn!(error = %fault, rows = slice, "lines of the audit wait for the disk");
            for row in rows.into_iter().rev() {
                self.controls.push_front(row);
            }
        }
    }
}
