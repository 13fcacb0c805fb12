//! The drift sentry's streams: the newest state of each waits, and is written when nothing of the order path waits.

use super::cell::Journal;
use super::mail::SaveDrift;
use actix::Handler;

/// Streams that may wait; one waits once, whatever its changes.
const WAITING_MAX: usize = 16_384;
/// Streams that are written at once.
const SLICE: usize = 256;

impl Handler<SaveDrift> for Journal {
    type Result = ();

    fn handle(&mut self, rows: SaveDrift, _: &mut Self::Context) {
        for row in rows.0 {
            if self.drift.len() < WAITING_MAX || self.drift.contains_key(&row.name) {
                self.drift.insert(row.name.clone(), row);
            }
        }
    }
}

impl Journal {
    /// Writes some of what waits. What cannot be written now waits on, unless something newer has come.
    pub(super) fn write_drift(&mut self) {
        let Ok(writer) = &mut self.writer else { return };
        if self.drift.is_empty() || !self.fence.is_current() {
            return;
        }
        let names: Vec<String> = self.drift.keys().take(SLICE).cloned().collect();
        let rows: Vec<_> = names.iter().filter_map(|name| self.drift.get(name).cloned()).collect();
        match writer.save_drift(&rows) {
            Ok(()) => names.iter().for_each(|name| drop(self.drift.remove(name))),
            Err(fault) => {
                tracing::warn!(error = %fault, rows = rows.len(), "drift streams wait for the disk")
            }
        }
    }
}
