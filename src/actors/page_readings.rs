//! What the operator's page and the event streams have shown: the last stage of every flow.
//!
//! Written by whoever answers readers, read by the sentinel. Counts and instants only.

use parking_lot::RwLock;
use std::sync::Arc;
use std::time::Instant;

/// The latest figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageReading {
    /// Changes handed to streams.
    pub shown: u64,
    /// The number of the last one.
    pub sequence: u64,
    /// When that was.
    pub shown_at: Option<Instant>,
    /// Changes that streams missed because they were slow; each was told to read everything anew.
    pub lost: u64,
    /// Streams that are open.
    pub streams: u64,
    /// When the database last gave no answer.
    pub read_failed: Option<Instant>,
}

/// See the module's head. Clones are ends of the same figures.
#[derive(Debug, Clone, Default)]
pub struct PageReadings(Arc<RwLock<PageReading>>);

impl PageReadings {
    /// The latest figures.
    #[must_use]
    pub fn latest(&self) -> PageReading {
        *self.0.read()
    }

    /// A change was handed to a stream; `sequence` is its number.
    pub fn shown(&self, sequence: u64) {
        let mut reading = self.0.write();
        reading.shown = reading.shown.saturating_add(1);
        reading.sequence = reading.sequence.max(sequence);
        reading.shown_at = Some(crate::clock::monotonic());
    }

    /// A stream missed so many.
    pub fn lost(&self, count: u64) {
        let mut reading = self.0.write();
        reading.lost = reading.lost.saturating_add(count);
    }

    /// A stream was opened (`true`) or has ended.
    pub fn stream(&self, opened: bool) {
        let mut reading = self.0.write();
        reading.streams =
            if opened { reading.streams.saturating_add(1) } else { reading.streams.saturating_sub(1) };
    }

    /// The database gave no answer.
    pub fn read_failed(&self) {
        self.0.write().read_failed = Some(crate::clock::monotonic());
    }
}
