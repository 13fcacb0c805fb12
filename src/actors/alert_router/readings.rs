//! What the alert router shows of itself: what stands, how its channels are, how far it got.

use crate::actors::oms::Histogram;
use crate::domain::alert::router::{ChannelReading, OpenCounts};
use crate::domain::alert::{Alert, AlertKey, Medians};
use crate::domain::time::WallMs;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::broadcast;

/// Changes that a slow listener may fall behind.
const STREAM_CAPACITY: usize = 1_024;

/// A channel's health with what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelHealth {
    /// What it speaks.
    pub kind: &'static str,
    /// How it is.
    pub reading: ChannelReading,
    /// Messages that arrived since the process began.
    pub delivered: u64,
    /// Attempts that failed since the process began.
    pub failed: u64,
}

/// The router at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AlertReading {
    /// It has read what was on disk and works.
    pub ready: bool,
    /// When it last decided (monotonic).
    pub judged_at: Option<Instant>,
    /// When its work was last found on disk, or nothing waited for the disk (monotonic).
    pub committed_at: Option<Instant>,
    /// Work that is not on disk yet.
    pub undurable: usize,
    /// How many alerts stand.
    pub open: OpenCounts,
    /// Every channel.
    pub channels: Vec<ChannelHealth>,
    /// Medians of incidents that are over.
    pub medians: Medians,
    /// Conditions that hold and are no alert yet, for lack of samples.
    pub refused: u64,
}

impl AlertReading {
    /// Since when nothing could be delivered although something waits (wall clock): the oldest message of a channel
    /// that fails.
    #[must_use]
    pub fn stuck_since(&self) -> Option<WallMs> {
        let failing = self.channels.iter().filter(|channel| channel.reading.failures > 0);
        failing.filter_map(|channel| channel.reading.oldest).min()
    }
}

#[derive(Debug)]
struct Shared {
    latest: RwLock<AlertReading>,
    /// The alerts that stand and are on disk.
    open: RwLock<BTreeMap<AlertKey, String>>,
    changes: broadcast::Sender<Arc<Alert>>,
    delivery: Histogram,
}

/// The latest reading, shared with those who show it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AlertReadings(Arc<Shared>);

impl Default for AlertReadings {
    fn default() -> Self {
        let (changes, _) = broadcast::channel(STREAM_CAPACITY);
        Self(Arc::new(Shared {
            latest: RwLock::default(),
            open: RwLock::default(),
            changes,
            delivery: Histogram::default(),
        }))
    }
}

impl AlertReadings {
    /// How the router is.
    #[must_use]
    pub fn latest(&self) -> AlertReading {
        self.0.latest.read().clone()
    }

    /// Does an alert of this key stand, on disk?
    #[must_use]
    pub fn stands(&self, key: &AlertKey) -> bool {
        self.0.open.read().contains_key(key)
    }

    /// How many alerts stand, on disk.
    #[must_use]
    pub fn open(&self) -> usize {
        self.0.open.read().len()
    }

    /// Alerts that changed, from now on, each as it is on disk.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Alert>> {
        self.0.changes.subscribe()
    }

    /// From the decision to tell somebody to the word that the message arrived.
    #[must_use]
    pub fn delivery(&self) -> &Histogram {
        &self.0.delivery
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut AlertReading)) {
        change(&mut self.0.latest.write());
    }

    pub(super) fn standing(&self, alerts: impl Iterator<Item = (AlertKey, String)>) {
        *self.0.open.write() = alerts.collect();
    }

    pub(super) fn changed(&self, alert: Alert) {
        {
            let mut open = self.0.open.write();
            if alert.is_open() {
                open.insert(alert.key.clone(), alert.id.clone());
            } else if open.get(&alert.key) == Some(&alert.id) {
                open.remove(&alert.key);
            }
        }
        // Nobody listening is no failure.
        let _ = self.0.changes.send(Arc::new(alert));
    }
}
