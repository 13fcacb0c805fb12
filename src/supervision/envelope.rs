//! A message on its way: the message, where its answer goes, and its place in the books.
//!
//! The ticket reaches the envelope through a thread-local, because actix calls
//! [`ToEnvelope::pack`] synchronously inside the send and gives it nothing else to carry.

use super::context::Ctx;
use super::ledger::{DeadLetter, Ledger};
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

/// A place in the queue; gives it back when dropped.
pub(super) struct Ticket {
    ledger: Arc<Ledger>,
    stamp_millis: u64,
    fate: Option<Arc<Fate>>,
}

impl Ticket {
    pub(super) fn new(ledger: &Arc<Ledger>, fate: Option<Arc<Fate>>) -> Self {
        Self { ledger: Arc::clone(ledger), stamp_millis: ledger.stamp(), fate }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.ledger.leave();
    }
}

thread_local!(static HANDOVER: Cell<Option<Ticket>> = const { Cell::new(None) });

/// Runs `send` with `ticket` ready for the envelope that it packs.
pub(super) fn with_ticket<R>(ticket: Ticket, send: impl FnOnce() -> R) -> R {
    HANDOVER.set(Some(ticket));
    let result = send();
    // Still there when the channel was closed and nothing was packed.
    HANDOVER.set(None);
    result
}

struct CellEnvelope<M: Message> {
    message: Option<M>,
    reply: Option<OneshotSender<M::Result>>,
    ticket: Option<Ticket>,
}

impl<A, M> EnvelopeProxy<A> for CellEnvelope<M>
where
    A: Actor<Context = Ctx<A>> + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn handle(&mut self, actor: &mut A, ctx: &mut Ctx<A>) {
        let reply = self.reply.take();
        let ticket = self.ticket.take();
        let Some(message) = self.message.take() else { return };
        if let Some(ticket) = &ticket {
            if reply.as_ref().is_some_and(OneshotSender::is_closed) {
                ticket.ledger.count(DeadLetter::Abandoned);
                return;
            }
            if ticket.stamp_millis < ctx.keeps_mail_from_millis() {
                ticket.ledger.count(DeadLetter::TooOldAfterRestart);
                return;
            }
            if let Some(fate) = &ticket.fate {
                fate.0.store(true, Ordering::Release);
            }
        }
        drop(ticket);
        ctx.begin_message(std::any::type_name::<M>());
        <A as Handler<M>>::handle(actor, message, ctx).handle(ctx, reply);
    }
}

impl<M: Message> Drop for CellEnvelope<M> {
    fn drop(&mut self) {
        if self.message.is_some()
            && let Some(ticket) = &self.ticket
        {
            ticket.ledger.count_discarded();
        }
    }
}

impl<A, M> ToEnvelope<A, M> for Ctx<A>
where
    A: Actor<Context = Self> + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn pack(message: M, reply: Option<OneshotSender<M::Result>>) -> Envelope<A> {
        let ticket = HANDOVER.take();
        Envelope::with_proxy(Box::new(CellEnvelope { message: Some(message), reply, ticket }))
    }
}
