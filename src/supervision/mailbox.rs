//! A mailbox that outlives every incarnation of its cell.
//!
//! It owns the receiving half of one actix channel for the cell's whole life, so the address never
//! changes and queued mail waits for the next incarnation. One lock guards the receiver; it is held to
//! pop ONE envelope, never while user code runs. It is a spin lock that yields, because it is taken for
//! each message, practically never contended (only fencing and closing compete), and releasing it costs
//! no atomic read-modify-write. The epoch is compared under the same lock: a fenced
//! incarnation can take no further message.

use super::ledger::{DeadLetter, Ledger};
use super::machine::Epoch;
use super::panics;
use actix::dev::Envelope;
use actix::dev::channel::AddressReceiver;
use actix::{Actor, AsyncContext};
use futures_util::Stream;
use spin::mutex::SpinMutex;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

/// Says whether one incarnation may still act. Side-effecting ports keep it and ask before each effect:
/// fencing a mailbox does not fence what a zombie already has in hand.
#[derive(Debug, Clone)]
pub struct Fence {
    epoch: Epoch,
    current: Arc<AtomicU64>,
}

impl Fence {
    /// The incarnation this fence belongs to.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether that incarnation is still the acting one.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.current.load(Ordering::Acquire) == acting(self.epoch)
    }
}

/// The acting epoch, shifted left, with the lowest bit set; without the bit nobody acts.
const fn acting(epoch: Epoch) -> u64 {
    (epoch << 1) | 1
}

/// What a pop found.
pub(crate) enum Popped<A: Actor> {
    Mail(Envelope<A>),
    Empty,
    Fenced,
}

/// See the module's head.
pub(crate) struct Mailbox<A: Actor> {
    receiver: SpinMutex<Option<AddressReceiver<A>>, spin::Yield>,
    current: Arc<AtomicU64>,
    ledger: Arc<Ledger>,
}

impl<A> Mailbox<A>
where
    A: Actor,
    A::Context: AsyncContext<A>,
{
    pub(crate) fn new(receiver: AddressReceiver<A>, ledger: Arc<Ledger>) -> Self {
        Self { receiver: SpinMutex::new(Some(receiver)), current: Arc::new(AtomicU64::new(0)), ledger }
    }

    pub(crate) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub(crate) fn fence(&self, epoch: Epoch) -> Fence {
        Fence { epoch, current: Arc::clone(&self.current) }
    }

    /// Makes `epoch` the acting incarnation and opens the mailbox. False when it was dropped for good.
    pub(crate) fn admit(&self, epoch: Epoch) -> bool {
        let receiver = self.receiver.lock();
        if receiver.is_none() {
            return false;
        }
        self.current.store(acting(epoch), Ordering::Release);
        self.ledger.open();
        true
    }

    /// From here on no incarnation takes mail, until the next is admitted.
    pub(crate) fn fence_off(&self, epoch: Epoch) {
        let _receiver = self.receiver.lock();
        let _ = self.current.compare_exchange(acting(epoch), epoch << 1, Ordering::AcqRel, Ordering::Acquire);
    }

    pub(crate) fn is_current(&self, epoch: Epoch) -> bool {
        self.current.load(Ordering::Acquire) == acting(epoch)
    }

    /// Takes one envelope for the incarnation `epoch`, or registers its waker.
    pub(crate) fn pop(&self, epoch: Epoch, cx: &mut Context<'_>) -> Popped<A> {
        let mut receiver = self.receiver.lock();
        if !self.is_current(epoch) {
            return Popped::Fenced;
        }
        let Some(receiver) = receiver.as_mut() else { return Popped::Fenced };
        match Pin::new(receiver).poll_next(cx) {
            Poll::Ready(Some(envelope)) => {
                self.ledger.leave();
                Popped::Mail(envelope)
            }
            // Every sender is gone: only timers and futures can move this actor now.
            Poll::Ready(None) | Poll::Pending => Popped::Empty,
        }
    }

    /// Refuses mail until the next admission; what is queued goes to the dead letters.
    pub(crate) fn close(&self) {
        self.ledger.close();
        self.drain();
    }

    /// Drops the receiver: closed for good, also for raw addresses.
    pub(crate) fn drop_for_good(&self) {
        self.close();
        let mut slot = self.receiver.lock();
        // Clearing the lowest bit: whatever epoch acts, acts no more.
        self.current.fetch_and(!1, Ordering::AcqRel);
        let receiver = slot.take();
        drop(slot);
        drop(receiver);
    }

    /// Empties a closed mailbox. A sender that enqueued while the mailbox was being closed calls it as
    /// well, so that no message is left behind between its check and the drain.
    pub(crate) fn drain(&self) {
        while !self.ledger.is_open() && self.discard_one(DeadLetter::Closed) {}
    }

    /// Drops what is queued now, because the restart policy says so.
    pub(crate) fn discard_queued(&self) {
        let mut left = self.ledger.depth();
        while left > 0 && self.discard_one(DeadLetter::TooOldAfterRestart) {
            left -= 1;
        }
    }

    fn discard_one(&self, reason: DeadLetter) -> bool {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let envelope = {
            let mut receiver = self.receiver.lock();
            let Some(receiver) = receiver.as_mut() else { return false };
            match Pin::new(receiver).poll_next(&mut cx) {
                Poll::Ready(Some(envelope)) => {
                    self.ledger.leave();
                    envelope
                }
                Poll::Ready(None) | Poll::Pending => return false,
            }
        };
        // The message's own Drop may panic; it must not take the supervisor's thread with it.
        let dropped = panics::guarded(|| drop(envelope));
        // One reason for each message: the books must add up.
        self.ledger.count(if dropped.is_ok() { reason } else { DeadLetter::PanickedInDrop });
        if let Err(payload) = dropped {
            let report = panics::report(payload, "drop");
            tracing::warn!(failure = %report, "a discarded message panicked");
        }
        true
    }
}
