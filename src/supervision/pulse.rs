//! What one incarnation tells the outside without being asked: whether its code runs, since when not.
//!
//! Two counters, written by the incarnation's thread alone. Odd means "inside": user code on the thread
//! (`work`), or a pending `ctx.wait` future (`wait`). The watchdog compares them between its ticks, so
//! the hot path reads no clock and costs two relaxed stores per message.

use super::exit::HangKind;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::Waker;

/// A failure made on purpose, for drills and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The incarnation panics.
    Panic,
    /// The incarnation holds its mailbox in a `ctx.wait` that never resolves.
    Wedge,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    work: AtomicU64,
    wait: AtomicU64,
    stop_asked: AtomicBool,
    over: AtomicBool,
    fault: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

impl Pulse {
    /// User code begins.
    pub(crate) fn enter(&self) {
        let next = self.work.load(Ordering::Relaxed).wrapping_add(1) | 1;
        self.work.store(next, Ordering::Release);
    }

    /// Another piece of user code begins right after the last one.
    pub(crate) fn go_on(&self) {
        let next = self.work.load(Ordering::Relaxed).wrapping_add(2) | 1;
        self.work.store(next, Ordering::Release);
    }

    /// User code has returned, or was caught panicking.
    pub(crate) fn leave(&self) {
        let next = self.work.load(Ordering::Relaxed).wrapping_add(1) & !1;
        self.work.store(next, Ordering::Release);
    }

    /// A `ctx.wait` future with this serial number (from 1) pends.
    pub(crate) fn wait_pends(&self, serial: u64) {
        self.wait.store(serial.wrapping_mul(2) | 1, Ordering::Release);
    }

    /// No `ctx.wait` future pends any more.
    pub(crate) fn wait_over(&self) {
        let current = self.wait.load(Ordering::Relaxed);
        if current & 1 == 1 {
            self.wait.store(current.wrapping_add(1), Ordering::Release);
        }
    }

    /// A value that changes with every step of the incarnation, and what it would be hung in.
    pub(crate) fn reading(&self) -> Reading {
        Reading { work: self.work.load(Ordering::Acquire), wait: self.wait.load(Ordering::Acquire) }
    }

    /// Whether the thread is inside user code right now.
    pub(crate) fn is_inside(&self) -> bool {
        self.work.load(Ordering::Acquire) & 1 == 1
    }

    /// Remembers whom to wake for commands.
    pub(crate) fn register(&self, waker: &Waker) {
        let mut slot = self.waker.lock();
        if !slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }

    /// Asks the incarnation to stop after the message in hand.
    pub(crate) fn ask_to_stop(&self) {
        self.stop_asked.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether it was asked; true once.
    pub(crate) fn take_stop(&self) -> bool {
        self.stop_asked.swap(false, Ordering::AcqRel)
    }

    /// Makes the incarnation fail at its next turn.
    pub(crate) fn inject(&self, fault: Fault) {
        let code = match fault {
            Fault::Panic => 1,
            Fault::Wedge => 2,
        };
        self.fault.store(code, Ordering::Release);
        self.wake();
    }

    /// The failure asked for; once.
    pub(crate) fn take_fault(&self) -> Option<Fault> {
        if self.fault.load(Ordering::Relaxed) == 0 {
            return None;
        }
        match self.fault.swap(0, Ordering::AcqRel) {
            1 => Some(Fault::Panic),
            2 => Some(Fault::Wedge),
            _ => None,
        }
    }

    /// Makes the incarnation look at its fence.
    pub(crate) fn wake(&self) {
        let waker = self.waker.lock().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The incarnation has ended; the watchdog may forget it.
    pub(crate) fn finish(&self) {
        self.over.store(true, Ordering::Release);
        *self.waker.lock() = None;
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

/// Both counters at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    work: u64,
    wait: u64,
}

impl Reading {
    /// What an incarnation that stays at this reading is hung in, if it is inside anything.
    pub(crate) fn inside(self) -> Option<HangKind> {
        match (self.work & 1 == 1, self.wait & 1 == 1) {
            (true, _) => Some(HangKind::Handler),
            (false, true) => Some(HangKind::Wait),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_means_inside() {
        let pulse = Pulse::default();
        assert_eq!(pulse.reading().inside(), None);
        pulse.enter();
        assert_eq!(pulse.reading().inside(), Some(HangKind::Handler));
        pulse.leave();
        pulse.wait_pends(1);
        assert_eq!(pulse.reading().inside(), Some(HangKind::Wait));
        let before = pulse.reading();
        pulse.wait_pends(2);
        assert_ne!(before, pulse.reading());
        pulse.wait_over();
        assert_eq!(pulse.reading().inside(), None);
    }

    #[test]
    fn leaving_twice_stays_outside() {
        let pulse = Pulse::default();
        pulse.enter();
        pulse.leave();
        pulse.leave();
        assert!(!pulse.is_inside());
        pulse.enter();
        assert!(pulse.is_inside());
    }
}
