//! What the order management shows: a cheap copy of its state, and a bounded stream of changes.

use crate::actors::drift_sentry::DriftTap;
use crate::domain::ids::{Symbol, VenueId};
use crate::domain::oms::{Change, Mark, Phase};
use crate::domain::order::OrderState;
use crate::domain::risk::{Breach, Gauge, Latch, LimitsId, Restraint};
use crate::domain::time::WallMs;
use parking_lot::RwLock;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

/// Words, each of one or more changes, that a slow listener may fall behind before it must read everything anew.
const STREAM_CAPACITY: usize = 8_192;
/// Changes that are told with one word at most.
pub(super) const TOLD_TOGETHER_MAX: usize = 32;

/// May orders go to a venue?
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VenueGate {
    /// Which.
    pub venue: VenueId,
    /// May they?
    pub open: bool,
    /// Why not, or since what.
    pub reason: String,
}

/// Is there a price that an order could be judged by?
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriceGate {
    /// Where.
    pub venue: VenueId,
    /// Instrument.
    pub symbol: Symbol,
    /// Is its book in step and fresh?
    pub known: bool,
}

/// An alert that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenAlert {
    /// Its code, one of the interface's.
    pub code: &'static str,
    /// What it is about.
    pub scope: String,
    /// In a sentence.
    pub reason: String,
    /// Since when (wall clock).
    pub raised_at: WallMs,
}

/// The order management at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OmsView {
    /// How far it is.
    pub phase: Phase,
    /// Why.
    pub reason: String,
    /// Who brought it there.
    pub actor: String,
    /// Since when (wall clock).
    pub since: WallMs,
    /// Counts the changes of state of this journal.
    pub version: u64,
    /// Orders in memory by state.
    pub orders: BTreeMap<OrderState, usize>,
    /// Orders ever taken to a state in this run.
    pub totals: BTreeMap<OrderState, u64>,
    /// Every configured venue.
    pub gates: Vec<VenueGate>,
    /// Every configured instrument.
    pub prices: Vec<PriceGate>,
    /// Every alert that stands.
    pub alerts: Vec<OpenAlert>,
    /// Strategies and whether they may trade.
    pub strategies: BTreeMap<crate::domain::ids::StrategyId, bool>,
    /// Open orders that do not say of themselves that they only reduce.
    pub open_entries: usize,
    /// Open positions.
    pub open_positions: usize,
    /// Batches that are not on disk yet.
    pub undurable: usize,
    /// Can the journal write?
    pub journal_writable: bool,
}

/// A change and its place in the stream.
#[derive(Debug, Clone)]
pub struct Stamped {
    /// Rises by one within a run of the process.
    pub id: u64,
    /// When (wall clock).
    pub at: WallMs,
    /// What.
    pub change: Change,
}

/// Changes that became known together; told with one word, so that a listener is woken once for all of them.
type Told = Arc<[Arc<Stamped>]>;

/// The receiving end of the stream. `Lagged` means: read everything anew.
#[derive(Debug)]
pub struct EventStream {
    told: broadcast::Receiver<Told>,
    /// What was heard last, and how much of it was handed out.
    heard: Option<(Told, usize)>,
}

impl EventStream {
    /// The next change; waits for it.
    ///
    /// # Errors
    /// [`RecvError::Lagged`] when changes were missed, [`RecvError::Closed`] when none will come any more.
    pub async fn recv(&mut self) -> Result<Arc<Stamped>, RecvError> {
        loop {
            if let Some(next) = self.next() {
                return Ok(next);
            }
            self.heard = Some((self.told.recv().await?, 0));
        }
    }

    /// The next change, if one is there.
    ///
    /// # Errors
    /// As [`EventStream::recv`], and [`TryRecvError::Empty`].
    pub fn try_recv(&mut self) -> Result<Arc<Stamped>, TryRecvError> {
        loop {
            if let Some(next) = self.next() {
                return Ok(next);
            }
            self.heard = Some((self.told.try_recv()?, 0));
        }
    }

    fn next(&mut self) -> Option<Arc<Stamped>> {
        let (told, at) = self.heard.as_mut()?;
        match told.get(*at) {
            Some(next) => {
                *at = at.saturating_add(1);
                Some(Arc::clone(next))
            }
            None => {
                self.heard = None;
                None
            }
        }
    }
}

/// Prices of instruments as last seen, in step.
pub type Marks = BTreeMap<(VenueId, Symbol), Mark>;

/// How full the limits are.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RiskReading {
    /// Which limits hold.
    pub limits: Option<LimitsId>,
    /// Tightest first.
    pub gauges: Vec<Gauge>,
    /// Limits that stand broken.
    pub breaches: Vec<Breach>,
    /// Strategies that their own executions have stopped.
    pub latches: Vec<Latch>,
    /// Strategies whose entries are cut because a series of theirs drifts.
    pub restraints: Vec<Restraint>,
    /// When it was read (wall clock); `None` before the first time.
    pub at: Option<WallMs>,
}

struct Shared {
    view: RwLock<OmsView>,
    /// When the view was last renewed.
    renewed: RwLock<Option<Instant>>,
    /// The number of the last change that was told.
    told: AtomicU64,
    risk: RwLock<RiskReading>,
    marks: RwLock<Marks>,
    changes: broadcast::Sender<Told>,
    latency: super::latency::Latencies,
    drift: OnceLock<DriftTap>,
}

/// See the module's head. Cheap to clone.
#[derive(Clone)]
pub struct OmsReadings(Arc<Shared>);

impl Default for OmsReadings {
    fn default() -> Self {
        let (changes, _) = broadcast::channel(STREAM_CAPACITY);
        Self(Arc::new(Shared {
            view: RwLock::default(),
            renewed: RwLock::default(),
            told: AtomicU64::new(0),
            risk: RwLock::default(),
            marks: RwLock::default(),
            changes,
            latency: super::latency::Latencies::default(),
            drift: OnceLock::new(),
        }))
    }
}

impl OmsReadings {
    /// The latest copy, at most some tens of milliseconds old.
    #[must_use]
    pub fn view(&self) -> OmsView {
        self.0.view.read().clone()
    }

    /// When the copy was last renewed; `None` before the first time.
    #[must_use]
    pub fn renewed(&self) -> Option<Instant> {
        *self.0.renewed.read()
    }

    /// The number of the last change that was told to streams.
    #[must_use]
    pub fn told(&self) -> u64 {
        self.0.told.load(Relaxed)
    }

    /// How full the limits are, at most a second or so ago.
    #[must_use]
    pub fn risk(&self) -> RiskReading {
        self.0.risk.read().clone()
    }

    /// The alerts that stand.
    #[must_use]
    pub fn alerts(&self) -> Vec<OpenAlert> {
        self.0.view.read().alerts.clone()
    }

    pub(super) fn set_risk(&self, risk: RiskReading) {
        *self.0.risk.write() = risk;
    }

    /// What an instrument is worth now; `None` while its book is not in step.
    #[must_use]
    pub fn mark(&self, venue: &VenueId, symbol: &Symbol) -> Option<Mark> {
        self.0.marks.read().get(&(venue.clone(), symbol.clone())).copied()
    }

    /// Changes from now on.
    #[must_use]
    pub fn subscribe(&self) -> EventStream {
        EventStream { told: self.0.changes.subscribe(), heard: None }
    }

    /// How long the stages of orders took.
    #[must_use]
    pub fn latency(&self) -> &super::latency::Latencies {
        &self.0.latency
    }

    /// Where measurements are dropped, when series are watched.
    pub(super) fn drift_tap(&self) -> Option<&DriftTap> {
        self.0.drift.get()
    }

    /// From now on measurements are dropped there. The first word holds.
    pub fn measure_into(&self, tap: DriftTap) {
        let _ = self.0.drift.set(tap);
    }

    pub(super) fn set_view(&self, view: OmsView) {
        *self.0.view.write() = view;
        *self.0.renewed.write() = Some(crate::clock::monotonic());
    }

    pub(super) fn set_mark(&self, venue: &VenueId, symbol: &Symbol, mark: Option<Mark>) {
        let key = (venue.clone(), symbol.clone());
        match mark {
            Some(mark) => self.0.marks.write().insert(key, mark),
            None => self.0.marks.write().remove(&key),
        };
    }

    /// Tells changes, in their order.
    pub(super) fn publish(&self, changes: Vec<Arc<Stamped>>) {
        let Some(last) = changes.last() else { return };
        self.0.told.store(last.id, Relaxed);
        // Nobody listening is no failure.
        let _ = self.0.changes.send(changes.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(readings: &OmsReadings, ids: std::ops::Range<u64>) {
        let change = || Change::Strategy {
            strategy: crate::domain::ids::StrategyId::new("maker").unwrap(),
            enabled: true,
        };
        let all = ids.map(|id| Arc::new(Stamped { id, at: WallMs(0), change: change() }));
        readings.publish(all.collect());
    }

    #[tokio::test]
    async fn what_is_told_together_is_heard_one_by_one_in_order() {
        let readings = OmsReadings::default();
        let mut stream = readings.subscribe();
        assert!(matches!(stream.try_recv(), Err(TryRecvError::Empty)));
        told(&readings, 1..4);
        told(&readings, 4..5);
        told(&readings, 5..5);
        assert_eq!(readings.told(), 4);
        let mut heard = vec![stream.recv().await.unwrap().id];
        while let Ok(stamped) = stream.try_recv() {
            heard.push(stamped.id);
        }
        assert_eq!(heard, [1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn who_falls_behind_is_told_so_and_goes_on_with_what_is_left() {
        let readings = OmsReadings::default();
        let mut stream = readings.subscribe();
        let words = u64::try_from(STREAM_CAPACITY).unwrap();
        for word in 0..words + 2 {
            told(&readings, word * 2..word * 2 + 2);
        }
        assert!(matches!(stream.recv().await, Err(RecvError::Lagged(2))));
        assert_eq!(stream.recv().await.unwrap().id, 4);
    }
}
