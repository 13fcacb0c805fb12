//! A message on its way: the message, where its answer goes, and what its restart policy must know.
//!
//! Stamp and fate reach the envelope through a thread-local, because actix calls
//! [`ToEnvelope::pack`] synchronously inside the send and gives it nothing else to carry.

use super::context::Ctx;
use super::ledger::DeadLetter;
use actix::dev::{Envelope, EnvelopeProxy, MessageResponse, OneshotSender, ToEnvelope};
use actix::{Actor, Handler, Message};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether an asked message had been taken from the mailbox when its answer channel closed:
/// `Lost` (it may have acted) against `Closed` (it certainly did not).
#[derive(Debug, Default)]
pub(super) struct Fate(AtomicBool);

impl Fate {
    pub(super) fn was_taken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What a handle gives to the envelope that is packed for it.
struct Handover {
    stamp_millis: u64,
    fate: Option<Arc<Fate>>,
}

thread_local!(static HANDOVER: Cell<Option<Handover>> = const { Cell::new(None) });

/// Runs `send`, which packs one envelope on this thread; what it packs carries the stamp and the fate.
pub(super) fn with_handover<R>(stamp_millis: u64, fate: Option<Arc<Fate>>, send: impl FnOnce() -> R) -> R {
    HANDOVER.set(Some(Handover { stamp_millis, fate }));
    let result = send();
    // Still there when the channel was closed and nothing was packed.
    drop(HANDOVER.take());
    result
}

struct CellEnvelope<M: Message> {
    message: Option<M>,
    reply: Option<OneshotSender<M::Result>>,
    /// Absent when the message came through a raw address.
    handover: Option<Handover>,
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
        if self.handover.is_none() {
            ctx.ledger().settle_uncounted();
        }
        if reply.as_ref().is_some_and(OneshotSender::is_closed) {
            ctx.ledger().count(DeadLetter::Abandoned);
            return;
        }
        match &self.handover {
            Some(handover) if handover.stamp_millis < ctx.keeps_mail_from_millis() => {
                ctx.ledger().count(DeadLetter::TooOldAfterRestart);
                return;
            }
            Some(Handover { fate: Some(fate), .. }) => fate.0.store(true, Ordering::Release),
            Some(_) | None => {}
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
        Envelope::with_proxy(Box::new(CellEnvelope { message: Some(message), reply, handover }))
    }
}
