//! The books of one mailbox: how much waits, what was handled, what was lost and why.
//!
//! `sent = handled + dead letters + depth` holds at rest; the soak test asserts it.

use super::clock::CoarseClock;
use serde::Serialize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Why a message was not handled to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetter {
    /// It was in hand when the incarnation panicked; its asker was told `Lost`.
    InHand,
    /// Its asker had given up before it was read.
    Abandoned,
    /// The mailbox was closed with the message in it.
    Closed,
    /// The restart policy said drop, or it was older than the policy keeps.
    TooOldAfterRestart,
    /// Refused at the door: the mailbox was full. The sender has the message.
    Full,
    /// It was dropped with a closed mailbox and its own destructor panicked.
    PanickedInDrop,
}

impl DeadLetter {
    /// All reasons, in the order of [`Ledger::dead_letters`].
    pub const ALL: [Self; 6] = [
        Self::InHand,
        Self::Abandoned,
        Self::Closed,
        Self::TooOldAfterRestart,
        Self::Full,
        Self::PanickedInDrop,
    ];

    /// The reason's name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InHand => "in_hand",
            Self::Abandoned => "abandoned",
            Self::Closed => "closed",
            Self::TooOldAfterRestart => "too_old_after_restart",
            Self::Full => "full",
            Self::PanickedInDrop => "panicked_in_drop",
        }
    }
}

/// See the module's head.
#[derive(Debug, Default)]
pub struct Ledger {
    depth: AtomicUsize,
    capacity: AtomicUsize,
    open: AtomicBool,
    handled: AtomicU64,
    in_hand: AtomicU64,
    abandoned: AtomicU64,
    closed: AtomicU64,
    too_old: AtomicU64,
    full: AtomicU64,
    panicked_in_drop: AtomicU64,
    /// What the mailbox is being emptied for, as an index into [`DeadLetter::ALL`].
    discarding: AtomicUsize,
    clock: OnceLock<CoarseClock>,
}

impl Ledger {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: AtomicUsize::new(capacity), open: AtomicBool::new(true), ..Self::default() }
    }

    /// Messages that wait, exact at any time, also while the actor's thread is blocked.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// Messages that may wait.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity.load(Ordering::Relaxed)
    }

    /// Messages given to a handler, the lost ones included.
    #[must_use]
    pub fn handled(&self) -> u64 {
        self.handled.load(Ordering::Relaxed)
    }

    /// Messages not handled to their end, by reason.
    #[must_use]
    pub fn dead_letters(&self, reason: DeadLetter) -> u64 {
        self.counter(reason).load(Ordering::Relaxed)
    }

    pub(crate) fn set_capacity(&self, capacity: usize) {
        self.capacity.store(capacity, Ordering::Relaxed);
    }

    pub(crate) fn attach(&self, clock: CoarseClock) {
        // A cell belongs to one tree; a second attachment keeps the first clock.
        let _ = self.clock.set(clock);
    }

    pub(crate) fn stamp(&self) -> u64 {
        self.clock.get().map_or(0, CoarseClock::millis)
    }

    /// Takes a place in the queue; false when it is full.
    pub(crate) fn enter(&self) -> bool {
        if self.depth.fetch_add(1, Ordering::Relaxed) >= self.capacity.load(Ordering::Relaxed) {
            self.depth.fetch_sub(1, Ordering::Relaxed);
            self.count(DeadLetter::Full);
            return false;
        }
        true
    }

    pub(crate) fn leave(&self) {
        self.depth.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn add_handled(&self, n: u64) {
        self.handled.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn count(&self, reason: DeadLetter) {
        self.counter(reason).fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a message that was dropped unread, under the reason last given to [`Self::discards_for`].
    pub(crate) fn count_discarded(&self) {
        let index = self.discarding.load(Ordering::Relaxed);
        self.count(DeadLetter::ALL.get(index).copied().unwrap_or(DeadLetter::Closed));
    }

    /// Says what messages are dropped for from here on.
    pub(crate) fn discards_for(&self, reason: DeadLetter) {
        let index = DeadLetter::ALL.iter().position(|r| *r == reason).unwrap_or_default();
        self.discarding.store(index, Ordering::Relaxed);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst)
    }

    pub(crate) fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }

    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::SeqCst);
    }

    const fn counter(&self, reason: DeadLetter) -> &AtomicU64 {
        match reason {
            DeadLetter::InHand => &self.in_hand,
            DeadLetter::Abandoned => &self.abandoned,
            DeadLetter::Closed => &self.closed,
            DeadLetter::TooOldAfterRestart => &self.too_old,
            DeadLetter::Full => &self.full,
            DeadLetter::PanickedInDrop => &self.panicked_in_drop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_mailbox_refuses_and_counts() {
        let ledger = Ledger::new(2);
        assert!(ledger.enter() && ledger.enter() && !ledger.enter());
        assert_eq!((ledger.depth(), ledger.dead_letters(DeadLetter::Full)), (2, 1));
        ledger.leave();
        assert!(ledger.enter());
    }
}
