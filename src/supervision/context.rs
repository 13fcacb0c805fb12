//! The execution context of a cell: `type Context = Ctx<Self>` is all that an actor must say.
//!
//! It implements actix's own context traits, so `run_interval`, `notify`, `add_stream`,
//! `ResponseActFuture` and `AtomicResponse` work as everywhere. It differs from `actix::Context` in that
//! each incarnation gets a fresh one: no timer, stream or cancel handle of a failed incarnation can
//! reach the next. `ResponseFuture` must not be used in cells: its tasks outlive the incarnation.
//!
//! All futures of an actor are polled on each wake, as in actix: fine for some twenty of them.

use super::clock::Stamp;
use super::handle::Handle;
use super::ledger::Ledger;
use super::machine::Epoch;
use super::mailbox::Fence;
use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, ActorState, Addr, AsyncContext, SpawnHandle};
use std::pin::Pin;

pub(super) type BoxedActorFuture<A> = Pin<Box<dyn ActorFuture<A, Output = ()>>>;

/// How far the actor's own wish to end has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Running,
    Stopping,
    Stopped,
}

/// One spawned future; the future is taken out while it is polled.
pub(super) struct Spawned<A: Actor> {
    pub(super) handle: SpawnHandle,
    pub(super) future: Option<BoxedActorFuture<A>>,
}

/// One `ctx.wait` future; the last one added is polled first, as in actix.
pub(super) struct Waiting<A: Actor> {
    pub(super) serial: u64,
    pub(super) future: Option<BoxedActorFuture<A>>,
}

/// See the module's head.
pub struct Ctx<A: Actor<Context = Self>> {
    handle: Handle<A>,
    fence: Fence,
    keeps_mail_from: Stamp,
    pub(super) run: Run,
    pub(super) spawned: Vec<Spawned<A>>,
    pub(super) waits: Vec<Waiting<A>>,
    /// Set when a future was added or cancelled, so that the driver polls again before it sleeps.
    pub(super) touched: bool,
    pub(super) during: &'static str,
    pub(super) in_message: bool,
    next_handle: SpawnHandle,
    next_wait: u64,
}

impl<A: Actor<Context = Self>> Ctx<A> {
    pub(super) fn new(handle: Handle<A>, fence: Fence, keeps_mail_from: Stamp) -> Self {
        Self {
            handle,
            fence,
            keeps_mail_from,
            run: Run::Running,
            spawned: Vec::new(),
            waits: Vec::new(),
            touched: false,
            during: "factory",
            in_message: false,
            next_handle: SpawnHandle::default(),
            next_wait: 0,
        }
    }

    /// Which incarnation this is; 1 is the first.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.fence.epoch()
    }

    /// What side-effecting ports ask before each effect.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence.clone()
    }

    /// The cell's own handle.
    #[must_use]
    pub fn handle(&self) -> Handle<A> {
        self.handle.clone()
    }

    pub(super) fn ledger(&self) -> &Ledger {
        self.handle.ledger()
    }

    pub(super) const fn keeps_mail_from(&self) -> Stamp {
        self.keeps_mail_from
    }

    pub(super) fn begin_message(&mut self, name: &'static str) {
        self.during = name;
        self.in_message = true;
    }
}

impl<A: Actor<Context = Self>> ActorContext for Ctx<A> {
    fn stop(&mut self) {
        if self.run == Run::Running {
            self.run = Run::Stopping;
        }
    }

    fn terminate(&mut self) {
        self.run = Run::Stopped;
    }

    fn state(&self) -> ActorState {
        match self.run {
            Run::Running => ActorState::Running,
            Run::Stopping => ActorState::Stopping,
            Run::Stopped => ActorState::Stopped,
        }
    }
}

impl<A: Actor<Context = Self>> AsyncContext<A> for Ctx<A> {
    fn address(&self) -> Addr<A> {
        self.handle.addr()
    }

    fn spawn<F>(&mut self, future: F) -> SpawnHandle
    where
        F: ActorFuture<A, Output = ()> + 'static,
    {
        self.next_handle = self.next_handle.next();
        self.spawned.push(Spawned { handle: self.next_handle, future: Some(Box::pin(future)) });
        self.touched = true;
        self.next_handle
    }

    fn wait<F>(&mut self, future: F)
    where
        F: ActorFuture<A, Output = ()> + 'static,
    {
        self.next_wait = self.next_wait.saturating_add(1);
        self.waits.push(Waiting { serial: self.next_wait, future: Some(Box::pin(future)) });
        self.touched = true;
    }

    fn waiting(&self) -> bool {
        !self.waits.is_empty() || self.run != Run::Running
    }

    fn cancel_future(&mut self, handle: SpawnHandle) -> bool {
        let Some(index) = self.spawned.iter().position(|s| s.handle == handle) else { return false };
        // A future that cancels itself is being polled: its slot goes now, the driver drops it after.
        drop(self.spawned.swap_remove(index));
        self.touched = true;
        true
    }
}
