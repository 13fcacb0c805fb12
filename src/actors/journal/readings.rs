//! What the journal shows of itself: commit times, age of the last write, what waits, room on the disk.

use crate::db::{BUSY_TIMEOUT, Keep};
use crate::domain::journal::Seq;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How the journal runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalSettings {
    /// How long a write waits for another writer.
    pub busy_timeout: Duration,
    /// Largest size of the database, in pages; `None` for SQLite's own limit.
    pub pages_max: Option<u32>,
    /// What stays in the database.
    pub keep: Keep,
    /// Free bytes below which the disk counts as low.
    pub disk_low_bytes: u64,
    /// Rows in one transaction.
    pub group_rows: usize,
    /// An idle journal proves this often that it can write.
    pub heartbeat: Duration,
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self {
            busy_timeout: BUSY_TIMEOUT,
            pages_max: None,
            keep: Keep::default(),
            disk_low_bytes: 256 * 1024 * 1024,
            group_rows: super::queue::GROUP_ROWS,
            heartbeat: Duration::from_secs(2),
        }
    }
}

/// Upper bounds of the buckets of commit times, microseconds.
pub const COMMIT_BOUNDS_US: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
    30_000_000,
];

/// How long commits took: a histogram that never grows.
#[derive(Debug, Default)]
pub struct CommitTimes {
    buckets: [AtomicU64; COMMIT_BOUNDS_US.len()],
    beyond: AtomicU64,
    sum_us: AtomicU64,
}

impl CommitTimes {
    /// Notes one commit.
    pub fn note(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = COMMIT_BOUNDS_US.iter().position(|bound| us <= *bound);
        bucket.and_then(|at| self.buckets.get(at)).unwrap_or(&self.beyond).fetch_add(1, Relaxed);
        self.sum_us.fetch_add(us, Relaxed);
    }

    /// Counts per bucket (not cumulative), the count beyond the last bound, and the sum in microseconds.
    #[must_use]
    pub fn read(&self) -> (Vec<u64>, u64, u64) {
        let buckets = self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        (buckets, self.beyond.load(Relaxed), self.sum_us.load(Relaxed))
    }
}

/// How the journal is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalReading {
    /// It can write, as far as the last attempt says.
    pub writable: bool,
    /// When a write last succeeded. Readiness asks for its age.
    pub last_write: Option<Instant>,
    /// Why it cannot write, or cannot be trusted.
    pub failure: Option<String>,
    /// Rows that wait to be written.
    pub waiting_rows: usize,
    /// Intents refused in this session.
    pub refusals: u64,
    /// Its last row.
    pub head: Seq,
    /// Free bytes on its disk.
    pub free_bytes: Option<u64>,
    /// Less than the limit is free.
    pub disk_low: bool,
    /// Measurements that found no room.
    pub telemetry_dropped: u64,
}

/// The latest reading, shared with those who show it.
#[derive(Debug, Clone, Default)]
pub struct JournalReadings {
    latest: Arc<RwLock<JournalReading>>,
    commits: Arc<CommitTimes>,
}

impl JournalReadings {
    /// How the journal is.
    #[must_use]
    pub fn latest(&self) -> JournalReading {
        self.latest.read().clone()
    }

    /// How long its commits took.
    #[must_use]
    pub fn commits(&self) -> &CommitTimes {
        &self.commits
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut JournalReading)) {
        change(&mut self.latest.write());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_times_fall_into_their_buckets() {
        let times = CommitTimes::default();
        for us in [100, 101, 40_000_000] {
            times.note(Duration::from_micros(us));
        }
        let (buckets, beyond, sum_us) = times.read();
        assert_eq!((buckets[0], buckets[1], beyond, sum_us), (1, 1, 1, 40_000_201));
    }
}
