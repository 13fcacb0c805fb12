//! What the journal shows of itself: commit times, age of the last write, what waits, room on the disk.

use crate::actors::oms::Histogram;
use crate::db::{BUSY_TIMEOUT, Keep};
use crate::domain::journal::Seq;
use parking_lot::RwLock;
use std::sync::Arc;
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
    /// How long alerts, silences and intents that are over stay in their tables.
    pub keep_alerts: Duration,
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
            keep_alerts: Duration::from_secs(90 * 86_400),
        }
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
    /// Observations of performance that found no room.
    pub performance_dropped: u64,
    /// Lines of the audit that found no room.
    pub controls_dropped: u64,
}

/// The latest reading, shared with those who show it.
#[derive(Debug, Clone, Default)]
pub struct JournalReadings {
    latest: Arc<RwLock<JournalReading>>,
    commits: Arc<Histogram>,
}

impl JournalReadings {
    /// How the journal is.
    #[must_use]
    pub fn latest(&self) -> JournalReading {
        self.latest.read().clone()
    }

    /// How long its commits took.
    #[must_use]
    pub fn commits(&self) -> &Histogram {
        &self.commits
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut JournalReading)) {
        change(&mut self.latest.write());
    }
}
