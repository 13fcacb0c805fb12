//! How others reach a cell: a bounded tell, an ask with a deadline, and ports that hide the actor's type.
//!
//! A handle names the logical actor, never an incarnation: it is valid before the first start, across
//! every restart, and answers `Closed` when the cell has ended.

use super::context::Ctx;
use super::deadline;
use super::envelope::{Fate, announce_ask, announce_tell, retract};
use super::ledger::{DeadLetter, Ledger};
use super::mailbox::Mailbox;
use actix::dev::channel::AddressSender;
use actix::prelude::SendError;
use actix::{Actor, Addr, Handler, Message};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A tell that was refused; the message comes back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TellError<M> {
    /// The mailbox holds as much as it may.
    #[error("the mailbox is full")]
    Full(M),
    /// The cell has ended.
    #[error("the mailbox is closed")]
    Closed(M),
}

impl<M> TellError<M> {
    /// The message.
    pub fn into_inner(self) -> M {
        match self {
            Self::Full(message) | Self::Closed(message) => message,
        }
    }
}

impl<M> fmt::Debug for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

/// An ask without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The mailbox holds as much as it may; the message was not queued.
    #[error("the mailbox is full")]
    Full,
    /// The cell has ended, or the message was dropped unread; it was certainly not handled.
    #[error("the mailbox is closed")]
    Closed,
    /// No answer in time. The message may be handled now; it is skipped if it was not yet read.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The incarnation failed with the message in hand: how much of it was done is unknown.
    #[error("the actor failed with the message in hand")]
    Lost,
}

struct Inner<A: Actor<Context = Ctx<A>>> {
    sender: AddressSender<A>,
    mailbox: Arc<Mailbox<A>>,
}

/// See the module's head.
pub struct Handle<A: Actor<Context = Ctx<A>>>(Arc<Inner<A>>);

impl<A: Actor<Context = Ctx<A>>> Clone for Handle<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A: Actor<Context = Ctx<A>>> fmt::Debug for Handle<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle<{}>", std::any::type_name::<A>())
    }
}

impl<A: Actor<Context = Ctx<A>>> Handle<A> {
    pub(super) fn new(sender: AddressSender<A>, mailbox: Arc<Mailbox<A>>) -> Self {
        Self(Arc::new(Inner { sender, mailbox }))
    }

    /// Queues a message without waiting. `Ok` means that it waits in the mailbox, where it outlives
    /// restarts as far as the restart policy keeps it.
    ///
    /// # Errors
    /// [`TellError::Full`] and [`TellError::Closed`], with the message.
    pub fn tell<M>(&self, message: M) -> Result<(), TellError<M>>
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let told = self.offer(message);
        if let Err(TellError::Full(_)) = &told {
            self.0.mailbox.ledger().count(DeadLetter::Full);
        }
        told
    }

    /// As [`Handle::tell`], for one who keeps a refused message and tries again: it is no dead letter.
    fn offer<M>(&self, message: M) -> Result<(), TellError<M>>
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let ledger = self.0.mailbox.ledger();
        if !ledger.enter() {
            let full = ledger.is_open();
            return Err(if full { TellError::Full(message) } else { TellError::Closed(message) });
        }
        announce_tell(ledger.stamp());
        match self.0.sender.do_send(message) {
            Ok(()) => {
                self.sweep_if_closed();
                Ok(())
            }
            Err(SendError::Closed(message) | SendError::Full(message)) => {
                retract();
                ledger.withdraw();
                Err(TellError::Closed(message))
            }
        }
    }

    /// Queues a message and waits for its answer, at most `within`.
    ///
    /// # Errors
    /// See [`AskError`]; only `Full` and `Closed` say that the message was certainly not handled.
    pub async fn ask<M>(&self, message: M, within: Duration) -> Result<M::Result, AskError>
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let fate = Fate::draw();
        let receiver = {
            let ledger = self.0.mailbox.ledger();
            if !ledger.enter() {
                if !ledger.is_open() {
                    return Err(AskError::Closed);
                }
                ledger.count(DeadLetter::Full);
                return Err(AskError::Full);
            }
            announce_ask(ledger.stamp(), Arc::clone(&fate));
            match self.0.sender.send(message) {
                Ok(receiver) => receiver,
                Err(_) => {
                    retract();
                    ledger.withdraw();
                    return Err(AskError::Closed);
                }
            }
        };
        self.sweep_if_closed();
        let answer = match deadline::within(self.0.mailbox.ledger().deadlines(), within, receiver).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) if fate.was_taken() => Err(AskError::Lost),
            Ok(Err(_)) => Err(AskError::Closed),
            Err(deadline::Elapsed) => Err(AskError::Timeout(within)),
        };
        Fate::give_back(fate);
        answer
    }

    /// A port for one message type, which hides what kind of actor answers.
    #[must_use]
    pub fn port<M>(&self) -> Port<M>
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        Port(Arc::new(self.clone()))
    }

    /// The mailbox's books.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        self.0.mailbox.ledger()
    }

    /// Whether the cell takes mail.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.mailbox.ledger().is_open() && self.0.sender.connected()
    }

    /// The raw actix address, for actix's own combinators. Mail sent through it is outside the bound.
    #[must_use]
    pub fn addr(&self) -> Addr<A> {
        Addr::new(self.0.sender.clone())
    }

    /// Closing and sending may cross; see [`Mailbox::drain`].
    fn sweep_if_closed(&self) {
        if !self.0.mailbox.ledger().is_open() {
            self.0.mailbox.drain();
        }
    }
}

trait Tell<M>: Send + Sync {
    fn tell(&self, message: M) -> Result<(), TellError<M>>;
    fn offer(&self, message: M) -> Result<(), TellError<M>>;
    fn is_open(&self) -> bool;
}

impl<A, M> Tell<M> for Handle<A>
where
    A: Actor<Context = Ctx<A>> + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn tell(&self, message: M) -> Result<(), TellError<M>> {
        Self::tell(self, message)
    }

    fn offer(&self, message: M) -> Result<(), TellError<M>> {
        Self::offer(self, message)
    }

    fn is_open(&self) -> bool {
        Self::is_open(self)
    }
}

/// Pause before a full mailbox is tried again.
const FULL_PAUSE: Duration = Duration::from_millis(2);

/// A bounded way to tell one kind of message to some cell.
pub struct Port<M>(Arc<dyn Tell<M>>);

impl<M> Clone for Port<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> fmt::Debug for Port<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Port<{}>", std::any::type_name::<M>())
    }
}

impl<M> Port<M> {
    /// As [`Handle::tell`].
    ///
    /// # Errors
    /// As [`Handle::tell`].
    pub fn tell(&self, message: M) -> Result<(), TellError<M>> {
        self.0.tell(message)
    }

    /// As [`Port::tell`], for a message that must not be missed: waits while the mailbox is full, without a dead letter,
    /// because nothing is lost. False when the cell has ended.
    pub async fn tell_waiting(&self, mut message: M) -> bool {
        loop {
            match self.0.offer(message) {
                Ok(()) => return true,
                Err(TellError::Closed(_)) => return false,
                Err(TellError::Full(back)) => message = back,
            }
            tokio::time::sleep(FULL_PAUSE).await;
        }
    }

    /// As [`Handle::is_open`].
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_open()
    }
}
