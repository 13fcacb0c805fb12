//! The books of one mailbox: how much waits, what was handled, what was lost and why.
//!
//! At rest `handled + abandoned + closed + too old + panicked in drop + depth = sent`; the soak test asserts
//! it. What was lost in hand is part of `handled`, and what was refused at the door was never sent.

use super::clock::{CoarseClock, Stamp};
use super::deadline::Deadlines;
use serde::Serialize;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

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

/// Keeps what senders write and what the actor writes on cache lines of their own.
#[derive(Default)]
#[repr(align(128))]
struct OwnLine<T>(T);

/// Written by senders.
#[derive(Default)]
struct Senders {
    /// Places taken, each one counted up once; wraps.
    entered: AtomicUsize,
    /// What a sender last saw of `left`: enough to know that there is room, without touching the
    /// actor's cache line.
    seen_left: AtomicUsize,
}

/// See the module's head.
#[derive(Default)]
pub struct Ledger {
    senders: OwnLine<Senders>,
    /// Places given back. Written under the mailbox's lock alone, so that taking a message costs no
    /// atomic read-modify-write.
    left: OwnLine<AtomicUsize>,
    capacity: AtomicUsize,
    /// The capacity while the mailbox is open, zero while it is closed: one look tells a sender both.
    limit: AtomicUsize,
    open: AtomicBool,
    /// Whether a restart policy will ask how old a message is.
    stamped: AtomicBool,
    in_hand: AtomicU64,
    abandoned: AtomicU64,
    closed: AtomicU64,
    too_old: AtomicU64,
    full: AtomicU64,
    panicked_in_drop: AtomicU64,
    clock: OnceLock<CoarseClock>,
    deadlines: OnceLock<Arc<Deadlines>>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("depth", &self.depth())
            .field("handled", &self.handled())
            .finish_non_exhaustive()
    }
}

impl Ledger {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity: AtomicUsize::new(capacity),
            limit: AtomicUsize::new(capacity),
            open: AtomicBool::new(true),
            ..Self::default()
        }
    }

    /// Messages that wait, exact at any time, also while the actor's thread is blocked.
    #[must_use]
    pub fn depth(&self) -> usize {
        let left = self.left.0.load(Ordering::Acquire);
        waiting(self.senders.0.entered.load(Ordering::Acquire), left)
    }

    /// Messages that may wait.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity.load(Ordering::Relaxed)
    }

    /// Messages given to a handler, the lost ones included.
    #[must_use]
    pub fn handled(&self) -> u64 {
        let taken = u64::try_from(self.left.0.load(Ordering::Acquire)).unwrap_or(u64::MAX);
        let unread = [&self.abandoned, &self.closed, &self.too_old, &self.panicked_in_drop];
        taken.saturating_sub(unread.iter().map(|counter| counter.load(Ordering::Relaxed)).sum())
    }

    /// Messages not handled to their end, by reason.
    #[must_use]
    pub fn dead_letters(&self, reason: DeadLetter) -> u64 {
        self.counter(reason).load(Ordering::Relaxed)
    }

    pub(crate) fn set_capacity(&self, capacity: usize) {
        self.capacity.store(capacity, Ordering::Relaxed);
        self.limit.store(capacity, Ordering::Relaxed);
    }

    /// Stamps messages from here on, because a restart policy will ask for their age.
    pub(crate) fn stamp_mail(&self) {
        self.stamped.store(true, Ordering::Relaxed);
    }

    /// The time by which ages are judged.
    pub(crate) fn now(&self) -> Stamp {
        self.clock.get().map_or(Stamp::ORIGIN, CoarseClock::stamp)
    }

    /// Joins the mailbox to its tree: the clock that stamps mail, and where asks leave their deadlines.
    pub(super) fn attach(&self, clock: CoarseClock, deadlines: Option<Arc<Deadlines>>) {
        // A cell belongs to one tree; a second attachment keeps the first.
        let _ = self.clock.set(clock);
        if let Some(deadlines) = deadlines {
            let _ = self.deadlines.set(deadlines);
        }
    }

    pub(crate) fn stamp(&self) -> Stamp {
        if self.stamped.load(Ordering::Relaxed) { self.now() } else { Stamp::ORIGIN }
    }

    pub(super) fn deadlines(&self) -> Option<&Arc<Deadlines>> {
        self.deadlines.get()
    }

    /// Takes a place in the queue; false when it is full or closed. Whoever gives up its message then counts it.
    pub(crate) fn enter(&self) -> bool {
        let senders = &self.senders.0;
        let limit = self.limit.load(Ordering::Relaxed);
        let entered = senders.entered.fetch_add(1, Ordering::Relaxed);
        if waiting(entered, senders.seen_left.load(Ordering::Relaxed)) < limit {
            return true;
        }
        let left = self.left.0.load(Ordering::Relaxed);
        senders.seen_left.store(left, Ordering::Relaxed);
        if waiting(entered, left) < limit {
            return true;
        }
        self.withdraw();
        false
    }

    /// Gives back a place whose message never reached the queue.
    pub(crate) fn withdraw(&self) {
        self.senders.0.entered.fetch_sub(1, Ordering::Relaxed);
    }

    /// A message that came past the handle (through a raw address) is being handled: its place was
    /// given back without having been taken.
    pub(crate) fn settle_uncounted(&self) {
        self.senders.0.entered.fetch_add(1, Ordering::Relaxed);
    }

    /// A message was taken from the queue. Call it under the mailbox's lock.
    pub(crate) fn leave(&self) {
        let left = self.left.0.load(Ordering::Relaxed);
        self.left.0.store(left.wrapping_add(1), Ordering::Release);
    }

    pub(crate) fn count(&self, reason: DeadLetter) {
        self.counter(reason).fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst)
    }

    pub(crate) fn open(&self) {
        self.limit.store(self.capacity(), Ordering::Relaxed);
        self.open.store(true, Ordering::SeqCst);
    }

    pub(crate) fn close(&self) {
        self.limit.store(0, Ordering::Relaxed);
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

/// How many wait; a raw message between its taking and its settling must not look like a full queue.
const fn waiting(entered: usize, left: usize) -> usize {
    let waiting = entered.wrapping_sub(left);
    if waiting > usize::MAX / 2 { 0 } else { waiting }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_mailbox_refuses() {
        let ledger = Ledger::new(2);
        assert!(ledger.enter() && ledger.enter() && !ledger.enter());
        assert_eq!(ledger.depth(), 2);
        ledger.leave();
        assert!(ledger.enter());
    }
}
