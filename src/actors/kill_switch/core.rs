//! What the handle, the disk thread and the watcher share: the latch under a lock, and what the disk knows of it.
//!
//! The lock is held for moments only, never across a write. The tripwire is pulled before the lock is asked for.

use super::handle::{Engaged, NotDurable};
use crate::db::LatchFiles;
use crate::domain::kill_switch::{Cause, Latch, LatchRecord, Turn};
use crate::domain::time::WallMs;
use crate::domain::tripwire::{Rearm, Tripwire};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Changes that are kept for those who tell them on. Each is an act of a person or a grave fault.
const HISTORY_MAX: usize = 64;

/// How a write ended: `Err` holds the reason.
pub(super) type Written = Result<(), String>;

/// See the module's head.
pub(super) struct Core {
    pub(super) files: LatchFiles,
    pub(super) tripwire: Tripwire,
    pub(super) rearm: Rearm,
    pub(super) state: Mutex<State>,
    /// There is something to write, or the end has come.
    pub(super) work: Condvar,
    /// A write has ended.
    pub(super) written: Condvar,
    /// The end has come, for the watcher.
    pub(super) end: Notify,
    /// Counts what is worth telling: changes of the latch, of its files, of who knows.
    pub(super) news: watch::Sender<u64>,
}

/// What the lock guards.
pub(super) struct State {
    pub(super) latch: Latch,
    /// What the disk is to hold, and the number of that wish.
    pub(super) wanted: (u64, LatchRecord),
    /// The last wish that was tried, and how that ended.
    pub(super) tried: (u64, Written),
    pub(super) closing: bool,
    history: VecDeque<LatchRecord>,
    acknowledged: Option<u64>,
    /// Up to which generation the log was told.
    logged: u64,
}

impl State {
    pub(super) fn new(record: LatchRecord, intact: bool) -> Self {
        // Wish 1 is what was read; where it is not on disk as it should be, it is still to be written.
        let tried = (u64::from(intact), Ok(()));
        let history = VecDeque::from([record.clone()]);
        let wanted = (1, record.clone());
        Self {
            latch: Latch::new(record),
            wanted,
            tried,
            closing: false,
            history,
            acknowledged: None,
            logged: 0,
        }
    }

    /// Wishes for a record on disk; the number of the wish.
    pub(super) fn want(&mut self, record: LatchRecord) -> u64 {
        self.wanted = (self.wanted.0.saturating_add(1), record);
        self.wanted.0
    }

    /// Takes note of a change for those who tell it on.
    pub(super) fn note(&mut self, record: LatchRecord) {
        if self.history.len() >= HISTORY_MAX {
            self.history.pop_front();
        }
        self.history.push_back(record);
    }

    /// Does the disk hold the last wish?
    pub(super) fn durable(&self) -> Result<(), NotDurable> {
        match &self.tried {
            (tried, _) if *tried < self.wanted.0 => Err(NotDurable::Pending),
            (_, Ok(())) => Ok(()),
            (_, Err(why)) => Err(NotDurable::Failed { why: why.clone() }),
        }
    }

    /// Changes after a generation, oldest first.
    pub(super) fn after(&self, generation: u64) -> Vec<LatchRecord> {
        self.history.iter().filter(|record| record.generation > generation).cloned().collect()
    }

    /// Changes that the log was not told of; from now on it was.
    pub(super) fn take_unlogged(&mut self) -> Vec<LatchRecord> {
        let fresh = self.after(self.logged);
        self.logged = fresh.last().map_or(self.logged, |record| record.generation);
        fresh
    }

    pub(super) const fn acknowledged(&self) -> Option<u64> {
        self.acknowledged
    }

    pub(super) fn acknowledge(&mut self, generation: Option<u64>) {
        self.acknowledged = match generation {
            Some(generation) => Some(self.acknowledged.unwrap_or(0).max(generation)),
            None => None,
        };
    }
}

impl Core {
    /// Engages the latch, and waits for the disk, at most `wait`.
    pub(super) fn engage(&self, cause: Cause, actor: &str, reason: &str, wait: Duration) -> Engaged {
        // Before anything that could take time.
        self.tripwire.trip();
        let now = WallMs(crate::clock::wall_millis());
        let mut state = self.state.lock();
        let turn = state.latch.engage(now, cause, actor, reason);
        if let Turn::Engaged(record) = &turn {
            state.want(record.clone());
            state.note(record.clone());
            self.work.notify_one();
        }
        self.tell();
        self.settle(&mut state, wait);
        let durable = state.durable();
        match turn {
            Turn::Engaged(record) => Engaged { record, already: false, durable },
            Turn::Already(record) => Engaged { record, already: true, durable },
        }
    }

    /// Waits until the disk was tried with the last wish, at most `wait`.
    pub(super) fn settle(&self, state: &mut MutexGuard<'_, State>, wait: Duration) {
        let until = crate::clock::monotonic().checked_add(wait);
        while state.tried.0 < state.wanted.0 {
            let timed_out = match until {
                Some(until) => self.written.wait_until(state, until).timed_out(),
                None => return,
            };
            if timed_out {
                return;
            }
        }
    }

    /// Wakes those who tell others.
    pub(super) fn tell(&self) {
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Ends the threads; what is still to be written is tried once more before.
    pub(super) fn close(&self) {
        self.state.lock().closing = true;
        self.work.notify_all();
        self.end.notify_one();
    }
}
