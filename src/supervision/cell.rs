//! Declaring a supervised actor: one mailbox and one handle for life, one factory for every incarnation.

use super::clock::Stamp;
use super::context::Ctx;
use super::driver::Driver;
use super::exit::{ExitReason, HangKind};
use super::handle::Handle;
use super::ledger::Ledger;
use super::machine::{Epoch, KillWhy};
use super::mailbox::Mailbox;
use super::pulse::{Fault, Pulse};
use super::reporter::Reporter;
use super::seat::{Seat, SharedArbiters};
use super::spec::{ChildSpec, OnRestart};
use actix::Actor;
use actix::dev::channel::channel;
use std::fmt;
use std::sync::Arc;

/// Why a factory made nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartFailure {
    /// There is nothing to do; the child is not started and not restarted (OTP's `ignore`).
    Ignore,
    /// It cannot start now. At the supervisor's own start this fails the start; later it is retried.
    Failed(String),
}

impl fmt::Display for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ignore => f.write_str("nothing to do"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

pub(super) type Factory<A> = Box<dyn Fn(&mut Ctx<A>) -> Result<A, StartFailure> + Send + Sync>;

/// What every incarnation of a cell shares.
pub(super) struct CellCore<A: Actor<Context = Ctx<A>>> {
    pub(super) mailbox: Arc<Mailbox<A>>,
    pub(super) factory: Factory<A>,
    handle: Handle<A>,
}

/// The one owner of a cell. A declaration that is refused or dropped, and a tree that is torn down without
/// its end, close the mailbox with it: nobody waits for a cell that cannot start any more.
struct Owned<A: Actor<Context = Ctx<A>>>(Arc<CellCore<A>>);

impl<A: Actor<Context = Ctx<A>>> Drop for Owned<A> {
    fn drop(&mut self) {
        self.0.mailbox.drop_for_good();
    }
}

/// A declared cell, to be given to a supervisor.
pub struct Cell<A: Actor<Context = Ctx<A>>> {
    name: String,
    spec: ChildSpec,
    core: Owned<A>,
}

/// Declares the cell `name`. The handle is valid at once; mail waits for the first incarnation.
///
/// The factory runs on the cell's thread, once for each incarnation, under the same guard as the
/// actor: a panic in it is a failed start.
pub fn cell<A, F>(name: &str, spec: ChildSpec, factory: F) -> (Handle<A>, Cell<A>)
where
    A: Actor<Context = Ctx<A>>,
    F: Fn(&mut Ctx<A>) -> Result<A, StartFailure> + Send + Sync + 'static,
{
    let (sender, receiver) = channel(0);
    let ledger = Arc::new(Ledger::new(spec.mailbox.capacity));
    let mailbox = Arc::new(Mailbox::new(receiver, ledger));
    let handle = Handle::new(sender, Arc::clone(&mailbox));
    let core = Arc::new(CellCore { mailbox, factory: Box::new(factory), handle: handle.clone() });
    (handle, Cell { name: name.to_owned(), spec, core: Owned(core) })
}

/// A running or startable child, whatever its actor's type.
pub(super) trait CellControl: Send {
    fn ledger(&self) -> Arc<Ledger>;
    fn start(
        &mut self,
        epoch: Epoch,
        reporter: Reporter,
        shared: &mut SharedArbiters,
    ) -> Result<Arc<Pulse>, String>;
    fn stop(&self, epoch: Epoch);
    /// Makes the current incarnation fail on purpose; false when none lives.
    fn inject(&self, fault: Fault) -> bool;
    /// Fences the incarnation.
    fn kill(&mut self, epoch: Epoch, why: KillWhy) -> Killed;
    fn shares(&self) -> Option<(String, u64)>;
    fn close(&mut self);
    fn drop_for_good(&mut self);
}

/// What a kill left behind.
pub(super) enum Killed {
    /// The thread is free.
    Free,
    /// The child's own thread is stuck and was given up.
    GaveUpThread(Arc<Pulse>),
    /// The shared arbiter of this name is stuck; the runtime must move everybody on it.
    SharedIsStuck(String, Arc<Pulse>),
}

struct CellChild<A: Actor<Context = Ctx<A>>> {
    core: Owned<A>,
    on_restart: OnRestart,
    seat: Seat,
    pulse: Option<Arc<Pulse>>,
}

/// Makes the running part of a cell once its spec is final.
type MakeControl = Box<dyn FnOnce(&ChildSpec) -> Box<dyn CellControl> + Send>;

/// A cell whose actor's type is forgotten, with what the tree builder must know.
pub(super) struct AnyCell {
    pub(super) name: String,
    pub(super) spec: ChildSpec,
    pub(super) make: MakeControl,
}

impl<A: Actor<Context = Ctx<A>>> Cell<A> {
    pub(super) fn erase(self) -> AnyCell {
        let core = self.core;
        AnyCell {
            name: self.name,
            spec: self.spec,
            make: Box::new(move |spec| {
                let ledger = core.0.mailbox.ledger();
                ledger.set_capacity(spec.mailbox.capacity);
                if let OnRestart::KeepYoungerThan(_) = spec.mailbox.on_restart {
                    ledger.stamp_mail();
                }
                Box::new(CellChild {
                    core,
                    on_restart: spec.mailbox.on_restart,
                    seat: Seat::new(spec.placement.clone()),
                    pulse: None,
                })
            }),
        }
    }
}

impl<A: Actor<Context = Ctx<A>>> CellChild<A> {
    /// Applies the restart policy; answers from which stamp on mail is kept.
    fn sort_mail(&self, epoch: Epoch) -> Stamp {
        match self.on_restart {
            OnRestart::KeepYoungerThan(age) if epoch > 1 => self.core.0.mailbox.ledger().now().before(age),
            OnRestart::Drop if epoch > 1 => {
                self.core.0.mailbox.discard_queued();
                Stamp::ORIGIN
            }
            OnRestart::Keep | OnRestart::Drop | OnRestart::KeepYoungerThan(_) => Stamp::ORIGIN,
        }
    }
}

impl<A: Actor<Context = Ctx<A>>> CellControl for CellChild<A> {
    fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(self.core.0.mailbox.ledger())
    }

    fn start(
        &mut self,
        epoch: Epoch,
        reporter: Reporter,
        shared: &mut SharedArbiters,
    ) -> Result<Arc<Pulse>, String> {
        let keeps_from = self.sort_mail(epoch);
        if !self.core.0.mailbox.admit(epoch) {
            return Err("its mailbox was dropped for good".to_owned());
        }
        let pulse = Arc::new(Pulse::default());
        self.pulse = Some(Arc::clone(&pulse));
        let launch = Launch { reporter: Some(reporter) };
        let (core, for_driver) = (Arc::clone(&self.core.0), Arc::clone(&pulse));
        self.seat.spawn(shared, move || {
            let Some(reporter) = launch.done() else { return };
            let ctx = Ctx::new(core.handle.clone(), core.mailbox.fence(epoch), keeps_from);
            actix_rt::spawn(Driver::new(core, for_driver, reporter, ctx));
        })?;
        Ok(pulse)
    }

    fn stop(&self, _epoch: Epoch) {
        if let Some(pulse) = &self.pulse {
            pulse.ask_to_stop();
        }
    }

    fn inject(&self, fault: Fault) -> bool {
        let living = self.pulse.as_ref().filter(|pulse| !pulse.is_over());
        if let Some(pulse) = living {
            pulse.inject(fault);
        }
        living.is_some()
    }

    fn kill(&mut self, epoch: Epoch, why: KillWhy) -> Killed {
        self.core.0.mailbox.fence_off(epoch);
        let Some(pulse) = self.pulse.take() else { return Killed::Free };
        pulse.wake();
        let stuck = match why {
            KillWhy::Hung(kind) => kind == HangKind::Handler,
            // It had seconds to look up from its work, and is still inside.
            KillWhy::StartTimeout | KillWhy::StopTimeout => pulse.is_inside(),
            KillWhy::Brutal => false,
        };
        if !stuck {
            return Killed::Free;
        }
        if let Some((name, _)) = self.seat.shares() {
            return Killed::SharedIsStuck(name.to_owned(), pulse);
        }
        if self.seat.abandon_own() { Killed::GaveUpThread(pulse) } else { Killed::Free }
    }

    fn shares(&self) -> Option<(String, u64)> {
        // Whoever has ended, or was killed and is about to start anew, sits nowhere now.
        self.pulse.as_ref().filter(|pulse| !pulse.is_over())?;
        self.seat.shares().map(|(name, generation)| (name.to_owned(), generation))
    }

    fn close(&mut self) {
        self.core.0.mailbox.close();
        self.seat.release();
    }

    fn drop_for_good(&mut self) {
        self.core.0.mailbox.drop_for_good();
        if let Some(pulse) = self.pulse.take() {
            // Whoever still runs finds itself fenced.
            pulse.wake();
        }
        self.seat.release();
    }
}

/// Reports a launch that was dropped unrun: its arbiter stopped with the command in the queue.
struct Launch {
    reporter: Option<Reporter>,
}

impl Launch {
    fn done(mut self) -> Option<Reporter> {
        self.reporter.take()
    }
}

impl Drop for Launch {
    fn drop(&mut self) {
        if let Some(reporter) = self.reporter.take() {
            reporter.down(ExitReason::ThreadLost);
        }
    }
}
