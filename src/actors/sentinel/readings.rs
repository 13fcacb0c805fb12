//! What the sentinel last said: one snapshot behind every health route.

use crate::actors::journal::JournalReading;
use crate::actors::oms::OmsView;
use crate::domain::containment::Intent;
use crate::domain::health::{Table, Verdicts};
use crate::supervision::Node;
use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The order path as last heard.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderPath {
    /// The order management.
    pub oms: OmsView,
    /// The journal.
    pub journal: JournalReading,
    /// Since the journal last wrote something; `None` before its first write.
    pub journal_idle: Option<Duration>,
}

/// One completed judgement, and what it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Rises with every judgement of this process.
    pub id: u64,
    /// When it was made (wall clock).
    pub at: DateTime<Utc>,
    /// The same, monotonic.
    pub judged: Instant,
    /// Whether the tree was up and not ending.
    pub up: bool,
    /// What was done by itself: what ended, the latest last, then what is under way.
    pub intents: Vec<Intent>,
    /// The tree.
    pub nodes: Vec<Node>,
    /// The order path, in a process that has one.
    pub orders: Option<OrderPath>,
    /// The evidence.
    pub table: Table,
    /// What follows from it.
    pub verdicts: Verdicts,
}

#[derive(Debug)]
struct Shared {
    latest: RwLock<Option<Arc<Snapshot>>>,
    ids: AtomicU64,
    began: Instant,
    lasts: Duration,
}

/// See the module's head. Clones are ends of the same readings.
#[derive(Debug, Clone)]
pub struct SentinelReadings(Arc<Shared>);

impl Default for SentinelReadings {
    fn default() -> Self {
        Self::new(crate::clock::monotonic(), Duration::from_secs(3))
    }
}

impl SentinelReadings {
    /// Readings of a sentinel that has said nothing yet. A judgement is good for `lasts`.
    #[must_use]
    pub fn new(began: Instant, lasts: Duration) -> Self {
        let latest = RwLock::default();
        Self(Arc::new(Shared { latest, ids: AtomicU64::new(0), began, lasts }))
    }

    /// The last judgement; `None` before the first.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Snapshot>> {
        self.0.latest.read().clone()
    }

    /// When a judgement was last completed and its consequences handed on; `None` before the first.
    #[must_use]
    pub fn completed(&self) -> Option<Instant> {
        self.0.latest.read().as_ref().map(|snapshot| snapshot.judged)
    }

    /// How old the last judgement is; since the start when there is none.
    #[must_use]
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.completed().unwrap_or(self.0.began))
    }

    /// How long a judgement is good for.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.0.lasts
    }

    /// Is there no judgement that is still good?
    #[must_use]
    pub fn is_stale(&self, now: Instant) -> bool {
        self.age(now) > self.0.lasts
    }

    /// Since when there is anybody to judge.
    #[must_use]
    pub fn began(&self) -> Instant {
        self.0.began
    }

    pub(super) fn next_id(&self) -> u64 {
        self.0.ids.fetch_add(1, Relaxed).saturating_add(1)
    }

    pub(super) fn publish(&self, snapshot: Snapshot) {
        *self.0.latest.write() = Some(Arc::new(snapshot));
    }
}
