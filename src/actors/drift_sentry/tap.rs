//! Where numbers wait for the sentry: a bounded heap that whoever measures drops a number on and goes on.
//!
//! It never blocks for longer than another's push, allocates nothing in the steady state, and counts what finds no room.

use crate::domain::drift::{Kind, Sample, StreamName};
use crate::domain::ids::StrategyId;
use crate::domain::time::Mono;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// Numbers that may wait: a second of a thousand streams at fifty a second.
const WAITING_MAX: usize = 65_536;

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Vec<Sample>>,
    dropped: AtomicU64,
}

/// See the module's head. Clones are ends of the same heap.
#[derive(Debug, Clone, Default)]
pub struct DriftTap(Arc<Shared>);

impl DriftTap {
    /// Drops a number on the heap.
    pub fn note(&self, name: &StreamName, strategy: Option<&StrategyId>, x: f64) {
        let sample = Sample { name: name.clone(), strategy: strategy.cloned(), x };
        let mut waiting = self.0.waiting.lock();
        if waiting.len() < WAITING_MAX {
            waiting.push(sample);
        } else {
            drop(waiting);
            self.0.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Takes what waits, oldest first; `room` becomes the next heap.
    pub(super) fn take(&self, mut room: Vec<Sample>) -> Vec<Sample> {
        room.clear();
        std::mem::replace(&mut *self.0.waiting.lock(), room)
    }

    /// Numbers that found no room since the process began.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Relaxed)
    }
}

/// Between two observations of a strategy's signal, milliseconds.
const SIGNAL_EVERY_MS: u64 = 1_000;

/// The end of the tap for one strategy's signal; nothing is measured before [`SignalTap::connect`] names the heap.
#[derive(Debug, Clone, Default)]
pub struct SignalTap(Arc<OnceLock<(DriftTap, StreamName, StrategyId)>>, Arc<AtomicU64>);

impl SignalTap {
    /// From now on the signal of `strategy` is dropped on `tap`. The first word holds.
    pub fn connect(&self, tap: DriftTap, strategy: &StrategyId) {
        let name = StreamName::of(Kind::SIGNAL, &[strategy.as_str()]);
        let _ = self.0.set((tap, name, strategy.clone()));
    }

    /// Drops the signal, at most once a second.
    pub fn note(&self, now: Mono, signal: Option<f64>) {
        let (Some((tap, name, strategy)), Some(signal)) = (self.0.get(), signal) else { return };
        if now.0 >= self.1.load(Relaxed).saturating_add(SIGNAL_EVERY_MS) {
            self.1.store(now.0, Relaxed);
            tap.note(name, Some(strategy), signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted() {
        let (tap, name) = (DriftTap::default(), StreamName::new("x").unwrap());
        for n in 0..WAITING_MAX + 3 {
            tap.note(&name, None, if n == 0 { 7.0 } else { 0.0 });
        }
        let taken = tap.take(Vec::new());
        assert_eq!((taken.len(), taken[0].x, tap.dropped()), (WAITING_MAX, 7.0, 3));
        assert!(tap.take(taken).is_empty());
    }
}
