//! Containment's shell: an intent goes to the journal, then to whoever carries it out, and what comes back goes to the
//! pure part.
//!
//! Whether an intent may be carried out before its row is on disk is decided there, not here.

use super::act::{CarriedOut, Refused};
use super::cell::{Sentinel, Watched};
use super::ledger::{Handed, load};
use crate::actors::journal::Receipt;
use crate::clock;
use crate::domain::containment::{Effect, Intent, Now, Restored, State};
use crate::domain::journal::Ticket;
use crate::domain::time::WallMs;
use crate::supervision::Ctx;
use actix::{Handler, Message};
use std::collections::VecDeque;
use std::rc::Rc;

/// What was on disk when the process began.
#[derive(Message)]
#[rtype(result = "()")]
struct Loaded(Restored);

/// The journal's word for one change, or that none will come.
#[derive(Message)]
#[rtype(result = "()")]
struct Written(Ticket, u64, bool);

impl Handler<Loaded> for Sentinel {
    type Result = ();

    fn handle(&mut self, Loaded(restored): Loaded, _: &mut Ctx<Self>) {
        let now = self.instant();
        let mut memory = self.memory.lock();
        if !memory.ledger.is_loaded {
            let under_way = restored.intents.iter().filter(|intent| !intent.state.is_final()).count();
            tracing::info!(event = "containment_restored", under_way, last = restored.last_number);
            memory.containment.restore(restored, now);
            memory.ledger.is_loaded = true;
        }
    }
}

impl Handler<Written> for Sentinel {
    type Result = ();

    fn handle(&mut self, Written(ticket, round, written): Written, ctx: &mut Ctx<Self>) {
        let now = self.instant();
        let effects = {
            let mut memory = self.memory.lock();
            let number = memory.ledger.heard(ticket, round, written);
            number.map(|number| memory.containment.written(now, number)).unwrap_or_default()
        };
        self.perform(effects, ctx);
    }
}

impl Handler<CarriedOut> for Sentinel {
    type Result = ();

    fn handle(&mut self, carried: CarriedOut, ctx: &mut Ctx<Self>) {
        let now = self.instant();
        let effects = self.memory.lock().containment.carried_out(now, carried.number);
        self.perform(effects, ctx);
    }
}

impl Handler<Refused> for Sentinel {
    type Result = ();

    fn handle(&mut self, refused: Refused, ctx: &mut Ctx<Self>) {
        let now = self.instant();
        let effects = self.memory.lock().containment.refused(now, refused.number, refused.why);
        self.perform(effects, ctx);
    }
}

impl Sentinel {
    fn instant(&self) -> Now {
        Now { mono: self.gatherer.mono(clock::monotonic()), wall: WallMs(clock::wall_millis()) }
    }

    /// Opens the books: once per process what was on disk is read.
    pub(super) fn begin_books(&mut self, ctx: &Ctx<Self>) {
        let books = self.wires.get().and_then(|watched| watched.hands.books.clone());
        let window_ms = {
            let mut memory = self.memory.lock();
            memory.ledger.begin(books.as_ref());
            if memory.ledger.is_loaded { None } else { Some(memory.containment.window_ms()) }
        };
        if let (Some(books), Some(window_ms)) = (books, window_ms) {
            let own = ctx.handle();
            self.tasks.spawn_local(async move {
                // Closed means that this incarnation has ended; the next one reads again.
                let _ = own.tell(Loaded(load(books, window_ms).await));
            });
        }
    }

    /// What the journal did not take is handed over again.
    pub(super) fn hand_over_again(&mut self, ctx: &Ctx<Self>) {
        let receipts = self.memory.lock().ledger.again();
        receipts.into_iter().for_each(|receipt| self.await_receipt(receipt, ctx));
    }

    pub(super) fn perform(&mut self, effects: Vec<Effect>, ctx: &Ctx<Self>) {
        while self.tasks.try_join_next().is_some() {}
        let Some(watched) = self.wires.get().cloned() else { return };
        let mut waiting = VecDeque::from(effects);
        while let Some(effect) = waiting.pop_front() {
            match effect {
                Effect::Write(intent) => waiting.extend(self.write(&intent, ctx)),
                Effect::Do(intent) => self.carry_out(intent, &watched, ctx),
                Effect::Ended(intent) => tell_end(&intent),
                Effect::Exhausted { because, action } => tracing::error!(
                    event = "containment",
                    action = action.word(),
                    because,
                    runbook = "armed_on_stale_truth",
                    "the budget is used up: nothing more is done by itself, a person must act"
                ),
            }
        }
    }

    fn write(&mut self, intent: &Intent, ctx: &Ctx<Self>) -> Vec<Effect> {
        let now = self.instant();
        let handed = self.memory.lock().ledger.hand_over(intent, now.wall);
        match handed {
            Handed::Nowhere => self.memory.lock().containment.written(now, intent.number),
            Handed::Receipt(receipt) => {
                self.await_receipt(receipt, ctx);
                Vec::new()
            }
            Handed::Waits => Vec::new(),
        }
    }

    fn await_receipt(&mut self, (ticket, round, receipt): Receipt, ctx: &Ctx<Self>) {
        let own = ctx.handle();
        self.tasks.spawn_local(async move {
            let word = Written(ticket, round, receipt.await.is_ok());
            // Closed means that this incarnation has ended.
            let _ = own.port().tell_waiting(word).await;
        });
    }

    fn carry_out(&mut self, intent: Intent, watched: &Watched, ctx: &Ctx<Self>) {
        tracing::warn!(
            event = "containment",
            number = intent.number,
            action = intent.action.word(),
            because = intent.because,
            precondition = intent.precondition,
            verify = intent.verify,
            "contained by itself"
        );
        let (hands, own, number) = (watched.hands.clone(), ctx.handle(), intent.number);
        self.tasks.spawn_local(async move {
            // Closed means that this incarnation has ended; what is seen, or the deadline, ends the intent then.
            let _ = match hands.carry_out(Rc::new(intent)).await {
                Ok(()) => own.tell(CarriedOut { number }).is_ok(),
                Err(why) => own.tell(Refused { number, why }).is_ok(),
            };
        });
    }
}

fn tell_end(intent: &Intent) {
    match intent.state {
        State::Failed | State::Refused => tracing::error!(
            event = "containment",
            number = intent.number,
            action = intent.action.word(),
            because = intent.because,
            why = intent.outcome,
            runbook = "armed_on_stale_truth",
            "a containment has failed"
        ),
        State::Proposed | State::Recommended | State::CarriedOut | State::Verified => tracing::info!(
            event = "containment",
            number = intent.number,
            action = intent.action.word(),
            because = intent.because,
            seen = intent.verify,
            "a containment was seen to work"
        ),
    }
}
