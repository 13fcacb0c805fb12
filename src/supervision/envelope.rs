//! A message on its way: the message, where its answer goes, and what its restart policy must know.
//!
//! Stamp and fate reach the envelope through a thread-local, because actix calls
//! [`ToEnvelope::pack`] synchronously inside the send and gives it nothing else to carry.

use super::clock::Stamp;
use super::context::Ctx;
use super::ledger::DeadLetter;
use actix::dev::{Envelope, EnvelopeProxy, MessageResponse, OneshotSender, ToEnvelope};
use actix::{Actor, Handler, Message};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether an asked message had been taken from the mailbox when its answer channel closed:
/// `Lost` (it may have acted) against `Closed` (it certainly did not).
#[derive(Debug, Default)]
pub(super) struct Fate(AtomicBool);

/// Fates kept per thread for the next asks, so that a steady stream of them allocates none.
const SPARE_FATES_MAX: usize = 64;

thread_local!(static SPARE_FATES: RefCell<Vec<Arc<Fate>>> = const { RefCell::new(Vec::new()) });

impl Fate {
    /// A fresh fate.
    pub(super) fn draw() -> Arc<Self> {
        SPARE_FATES.with_borrow_mut(Vec::pop).unwrap_or_default()
    }

    pub(super) fn was_taken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Keeps a fate that nobody else holds for a later ask.
    pub(super) fn give_back(fate: Arc<Self>) {
        // An envelope that still holds it may yet mark it. There are no weak references, so a count of
        // one is ours alone and stays so.
        if Arc::strong_count(&fate) != 1 {
            return;
        }
        fate.0.store(false, Ordering::Relaxed);
        SPARE_FATES.with_borrow_mut(|spare| {
            if spare.len() < SPARE_FATES_MAX {
                spare.push(fate);
            }
        });
    }
}

/// What a handle gives to the envelope that is packed for it. Copied, not dropped: this crosses a
/// thread-local for every message.
#[derive(Debug, Clone, Copy)]
struct Handover {
    stamp: Stamp,
    asked: bool,
}

thread_local! {
    static HANDOVER: Cell<Option<Handover>> = const { Cell::new(None) };
    static FATE: Cell<Option<Arc<Fate>>> = const { Cell::new(None) };
}

/// Announces a tell: the next envelope packed on this thread carries the stamp.
pub(super) fn announce_tell(stamp: Stamp) {
    HANDOVER.set(Some(Handover { stamp, asked: false }));
}

/// Announces an ask: the next envelope packed on this thread carries the stamp and the fate.
pub(super) fn announce_ask(stamp: Stamp, fate: Arc<Fate>) {
    FATE.set(Some(fate));
    HANDOVER.set(Some(Handover { stamp, asked: true }));
}

/// Takes an announcement back: the channel was closed and nothing was packed.
pub(super) fn retract() {
    if HANDOVER.take().is_some_and(|handover| handover.asked) {
        drop(FATE.take());
    }
}

struct CellEnvelope<M: Message> {
    message: Option<M>,
    reply: Option<OneshotSender<M::Result>>,
    /// Absent when the message came through a raw address.
    stamp: Option<Stamp>,
    /// Present when the message was asked.
    fate: Option<Arc<Fate>>,
}

impl<A, M> EnvelopeProxy<A> for CellEnvelope<M>
where
    A: Actor<Context = Ctx<A>> + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn handle(&mut self, actor: &mut A, ctx: &mut Ctx<A>) {
        let reply = self.reply.take();
        let Some(message) = self.message.take() else { return };
        if self.stamp.is_none() {
            ctx.ledger().settle_uncounted();
        }
        if reply.as_ref().is_some_and(OneshotSender::is_closed) {
            ctx.ledger().count(DeadLetter::Abandoned);
            return;
        }
        match self.stamp {
            Some(stamp) if stamp < ctx.keeps_mail_from() => {
                ctx.ledger().count(DeadLetter::TooOldAfterRestart);
                return;
            }
            Some(_) | None => {}
        }
        if let Some(fate) = &self.fate {
            fate.0.store(true, Ordering::Release);
        }
        ctx.begin_message(std::any::type_name::<M>());
        <A as Handler<M>>::handle(actor, message, ctx).handle(ctx, reply);
    }
}

impl<A, M> ToEnvelope<A, M> for Ctx<A>
where
    A: Actor<Context = Self> + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn pack(message: M, reply: Option<OneshotSender<M::Result>>) -> Envelope<A> {
        let handover = HANDOVER.take();
        let fate = match handover {
            Some(Handover { asked: true, .. }) => FATE.take(),
            Some(_) | None => None,
        };
        let stamp = handover.map(|handover| handover.stamp);
        Envelope::with_proxy(Box::new(CellEnvelope { message: Some(message), reply, stamp, fate }))
    }
}
