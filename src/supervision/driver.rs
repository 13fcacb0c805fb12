//! One incarnation of a cell: builds a fresh value with the factory and drives it until it ends.
//!
//! A panic is caught around the whole step. The value, its context and its futures live outside the
//! unwinding closure; after a panic they are only dropped, each under its own guard, so that no hook
//! runs on a broken value and a panicking destructor cannot abort the process. (A destructor that
//! panics WHILE its handler unwinds aborts by the language's rules; nobody can catch that.)

use super::cell::{CellCore, StartFailure};
use super::context::{Ctx, Run};
use super::exit::{ExitReason, PanicReport};
use super::ledger::DeadLetter;
use super::mailbox::Popped;
use super::panics;
use super::pulse::{Fault, Pulse};
use super::reporter::Reporter;
use actix::{Actor, ActorContext, Running};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Messages taken, and futures finished, in one poll before the thread's other tasks get their turn.
const STEPS_PER_POLL_MAX: usize = 256;

/// How a step ended.
enum Step {
    Pending,
    Over(ExitReason),
    Fenced,
}

/// What a look at the mailbox left behind.
enum Drained {
    Quiet,
    BudgetSpent,
    Fenced,
}

/// See the module's head.
pub(super) struct Driver<A: Actor<Context = Ctx<A>>> {
    core: Arc<CellCore<A>>,
    pulse: Arc<Pulse>,
    reporter: Reporter,
    actor: Option<A>,
    ctx: Ctx<A>,
    up: bool,
    over: bool,
    stop_asked: bool,
}

impl<A: Actor<Context = Ctx<A>>> Driver<A> {
    pub(super) fn new(core: Arc<CellCore<A>>, pulse: Arc<Pulse>, reporter: Reporter, ctx: Ctx<A>) -> Self {
        Self { core, pulse, reporter, actor: None, ctx, up: false, over: false, stop_asked: false }
    }

    fn is_fenced(&self) -> bool {
        !self.core.mailbox.is_current(self.ctx.epoch())
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Step {
        if self.actor.is_none()
            && let Some(failed) = self.build()
        {
            return Step::Over(failed);
        }
        if let Some(fault) = self.pulse.take_fault() {
            self.fail_on_purpose(fault);
        }
        let (mut budget, mut futures) = (STEPS_PER_POLL_MAX, STEPS_PER_POLL_MAX);
        loop {
            self.ctx.touched = false;
            let held = self.poll_waits(&mut futures, cx);
            if !self.up && !held {
                self.up = true;
                self.reporter.up();
            }
            let drained = if held { Drained::Quiet } else { self.drain_mail(&mut budget, cx) };
            if matches!(drained, Drained::Fenced) {
                return Step::Fenced;
            }
            if self.ctx.run == Run::Running && !held {
                self.poll_spawned(&mut futures, cx);
            }
            futures = futures.saturating_sub(1);
            match self.ctx.run {
                Run::Running if futures == 0 || matches!(drained, Drained::BudgetSpent) => {
                    cx.waker().wake_by_ref();
                    return Step::Pending;
                }
                Run::Running if self.ctx.touched => {}
                Run::Running => return Step::Pending,
                Run::Stopping | Run::Stopped => {
                    if let Some(reason) = self.wind_down() {
                        return Step::Over(reason);
                    }
                }
            }
        }
    }

    /// Runs the factory and `started`; answers why it could not.
    fn build(&mut self) -> Option<ExitReason> {
        self.pulse.enter();
        let built = (self.core.factory)(&mut self.ctx);
        let reason = match built {
            Ok(actor) => {
                self.ctx.during = "started";
                let actor = self.actor.insert(actor);
                A::started(actor, &mut self.ctx);
                None
            }
            Err(StartFailure::Ignore) => Some(ExitReason::Ignored),
            Err(StartFailure::Failed(why)) => Some(ExitReason::StartFailed(why)),
        };
        self.pulse.leave();
        reason
    }

    #[expect(clippy::panic, reason = "an injected fault is a panic like any other")]
    fn fail_on_purpose(&mut self, fault: Fault) {
        self.ctx.during = "injected fault";
        match fault {
            Fault::Panic => panic!("injected by an operator"),
            Fault::Wedge => {
                let never = actix::fut::wrap_future(std::future::pending());
                actix::AsyncContext::wait(&mut self.ctx, never);
            }
        }
    }

    /// Polls the `ctx.wait` futures, last in first; true while one of them holds the mailbox.
    fn poll_waits(&mut self, budget: &mut usize, cx: &mut Context<'_>) -> bool {
        while self.ctx.run == Run::Running && *budget > 0 {
            let Some(actor) = self.actor.as_mut() else { return true };
            let Some(top) = self.ctx.waits.last_mut() else { break };
            let serial = top.serial;
            let Some(mut future) = top.future.take() else { break };
            self.pulse.enter();
            self.ctx.during = "ctx.wait";
            let polled = future.as_mut().poll(actor, &mut self.ctx, cx);
            self.pulse.leave();
            let slot = self.ctx.waits.iter_mut().find(|w| w.serial == serial);
            if polled.is_pending() {
                if let Some(slot) = slot {
                    slot.future = Some(future);
                }
                if self.ctx.waits.last().is_some_and(|w| w.serial == serial) {
                    self.pulse.wait_pends(serial);
                    return true;
                }
            } else {
                *budget = budget.saturating_sub(1);
                self.ctx.waits.retain(|w| w.serial != serial);
            }
        }
        self.pulse.wait_over();
        self.ctx.run == Run::Running && !self.ctx.waits.is_empty()
    }

    fn drain_mail(&mut self, budget: &mut usize, cx: &mut Context<'_>) -> Drained {
        let epoch = self.ctx.epoch();
        let Some(actor) = self.actor.as_mut() else { return Drained::Quiet };
        let core = &self.core;
        // Inside for the whole batch, moving on with each message: popping is no place to hang in.
        self.pulse.enter();
        let drained = loop {
            if self.ctx.run != Run::Running || !self.ctx.waits.is_empty() {
                break Drained::Quiet;
            }
            let Some(left) = budget.checked_sub(1) else { break Drained::BudgetSpent };
            *budget = left;
            let mut envelope = match core.mailbox.pop(epoch, cx) {
                Popped::Mail(envelope) => envelope,
                Popped::Empty => break Drained::Quiet,
                Popped::Fenced => break Drained::Fenced,
            };
            self.pulse.go_on();
            actix::dev::EnvelopeProxy::handle(&mut envelope, actor, &mut self.ctx);
            drop(envelope);
            self.ctx.in_message = false;
        };
        self.pulse.leave();
        drained
    }

    /// Polls the `ctx.spawn` futures; an actor that feeds itself with them (`ctx.notify`) has a budget, too.
    fn poll_spawned(&mut self, budget: &mut usize, cx: &mut Context<'_>) {
        let mut index = 0;
        while self.ctx.run == Run::Running && self.ctx.waits.is_empty() && *budget > 0 {
            let Some(actor) = self.actor.as_mut() else { return };
            let Some(slot) = self.ctx.spawned.get_mut(index) else { return };
            let handle = slot.handle;
            let Some(mut future) = slot.future.take() else {
                index += 1;
                continue;
            };
            self.pulse.enter();
            self.ctx.during = "ctx.spawn";
            let polled = future.as_mut().poll(actor, &mut self.ctx, cx);
            // The future may have cancelled itself or others: look its slot up again.
            let place = self.ctx.spawned.iter().position(|s| s.handle == handle);
            match (polled.is_pending(), place) {
                (true, Some(place)) => {
                    if let Some(slot) = self.ctx.spawned.get_mut(place) {
                        slot.future = Some(future);
                    }
                    index = index.max(place + 1);
                }
                (false, Some(place)) => {
                    *budget = budget.saturating_sub(1);
                    drop(self.ctx.spawned.swap_remove(place));
                    drop(future);
                }
                (_, None) => drop(future),
            }
            self.pulse.leave();
        }
    }

    /// Runs the closing hooks; `None` when the actor chose to go on.
    fn wind_down(&mut self) -> Option<ExitReason> {
        let actor = self.actor.as_mut()?;
        self.pulse.enter();
        if self.ctx.run == Run::Stopping {
            self.ctx.during = "stopping";
            let verdict = A::stopping(actor, &mut self.ctx);
            if verdict == Running::Continue && !self.stop_asked {
                self.ctx.run = Run::Running;
                self.pulse.leave();
                return None;
            }
        }
        self.ctx.run = Run::Stopped;
        self.ctx.during = "stopped";
        A::stopped(actor, &mut self.ctx);
        self.pulse.leave();
        Some(if self.stop_asked { ExitReason::Shutdown } else { ExitReason::Normal })
    }

    /// Drops the value and its futures, each under its own guard; answers the first panic.
    fn dispose(&mut self) -> Option<PanicReport> {
        let mut first = None;
        let mut guarded = |drop_one: &mut dyn FnMut()| {
            if let Err(payload) = panics::guarded(drop_one) {
                let report = panics::report(payload, "drop");
                first.get_or_insert(report);
            }
        };
        self.pulse.enter();
        while let Some(mut wait) = self.ctx.waits.pop() {
            guarded(&mut || drop(wait.future.take()));
        }
        while let Some(mut spawned) = self.ctx.spawned.pop() {
            guarded(&mut || drop(spawned.future.take()));
        }
        let mut actor = self.actor.take();
        guarded(&mut || drop(actor.take()));
        self.pulse.leave();
        first
    }

    fn finish(&mut self, reason: Option<ExitReason>) {
        self.over = true;
        // What this incarnation left running elsewhere must not act while its successor is awaited.
        self.core.mailbox.fence_off(self.ctx.epoch());
        self.pulse.finish();
        if let Some(reason) = reason {
            self.reporter.down(reason);
        }
    }
}

impl<A: Actor<Context = Ctx<A>>> Future for Driver<A> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.over {
            return Poll::Ready(());
        }
        this.pulse.register(cx.waker());
        if this.is_fenced() {
            this.dispose();
            this.finish(None);
            return Poll::Ready(());
        }
        if this.pulse.take_stop() {
            this.stop_asked = true;
            this.ctx.stop();
        }
        let outcome = panics::guarded(|| this.step(cx));
        let reason = match outcome {
            Ok(Step::Pending) => return Poll::Pending,
            Ok(Step::Fenced) => {
                this.dispose();
                None
            }
            Ok(Step::Over(reason)) => match this.dispose() {
                Some(report) => Some(ExitReason::Panic(report)),
                None => Some(reason),
            },
            Err(payload) => {
                this.pulse.leave();
                let report = panics::report(payload, this.ctx.during);
                if this.ctx.in_message {
                    this.core.mailbox.ledger().count(DeadLetter::InHand);
                }
                this.dispose();
                Some(ExitReason::Panic(report))
            }
        };
        this.finish(reason);
        Poll::Ready(())
    }
}

impl<A: Actor<Context = Ctx<A>>> Drop for Driver<A> {
    /// The arbiter was stopped under a living incarnation: the supervisor must hear of it.
    fn drop(&mut self) {
        if !self.over {
            self.dispose();
            self.finish(Some(ExitReason::ThreadLost));
        }
    }
}
