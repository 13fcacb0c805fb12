//! From the disk to the venue: what happens to an intent once its row is durable, or will never be.
//!
//! The gate is asked here, at the instant of sending, with what is true then. An order that the venue does
//! not let out now waits within its age; one that may not go out any more ends without having been sent.

use super::core::Oms;
use super::effect::{Answer, Effect, Refusal, RefusalKind};
use super::fact::{Fact, Moved};
use super::out::{Out, refusal};
use super::watch::Stage;
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::domain::journal::Ticket;
use crate::domain::oms::{Mark, Phase};
use crate::domain::order::lifecycle::{Input, Verdict, follow};
use crate::domain::order::{Order, OrderNumber, OrderState, Patience};
use crate::domain::outcome::Denial;
use crate::domain::risk::{Inputs, Message, PriceGuard, approve};
use crate::domain::run_state::Level;
use crate::domain::time::Mono;

impl Oms {
    /// An intent (or the decision to send again) is on disk.
    pub(super) fn on_disk(&mut self, out: &mut Out, number: OrderNumber) {
        self.writing = self.writing.saturating_sub(1);
        if let Some(watch) = self.watch.get_mut(&number).filter(|watch| watch.stage == Stage::Writing) {
            watch.stage = Stage::Waiting;
            self.release(out, number);
        }
    }

    /// A batch of intents was refused by the journal: they never existed.
    pub(super) fn on_not_durable(&mut self, out: &mut Out, ticket: Ticket, why: &str) {
        let Some(draft) = self.waiting.remove(&ticket) else { return };
        self.refusals = self.refusals.saturating_add(1);
        for number in draft.release {
            self.writing = self.writing.saturating_sub(1);
            self.watch.remove(&number);
            if let Some(waiting) = self.replacing.remove(&number) {
                let detail = format!("why={why}");
                out.refuse(waiting.reply, refusal("NOT_DURABLE", RefusalKind::Unavailable, detail));
            }
            // Listeners have seen it as pending.
            self.risk.forget(number);
            if let Some(mut order) = self.books.forget(number) {
                order.state = OrderState::Denied;
                order.reason = Some(format!("NOT_DURABLE: {why}"));
                out.push(Effect::Publish(super::effect::Change::Order(Box::new(order))));
            }
        }
        for (to, _) in draft.replies {
            out.refuse(Some(to), refusal("NOT_DURABLE", RefusalKind::Unavailable, format!("why={why}")));
        }
    }

    /// Sends an order, lets it wait, or ends it unsent.
    pub(super) fn release(&mut self, out: &mut Out, number: OrderNumber) {
        let Some(order) = self.books.orders.get(&number) else { return };
        if order.state != OrderState::PendingSubmit {
            return;
        }
        let Some(watch) = self.watch.get(&number) else { return };
        if let Some(by) = &watch.withdrawn {
            let why = format!("CANCELLED_BEFORE_SENT: by={}, reason={}", by.name, by.reason);
            return self.close_unsent(out, number, Input::Cancelled, why);
        }
        // What the venue does not let out now need not be judged now.
        let approved = approve(order, &self.inputs(out, order));
        match approved.and_then(|approved| self.judge_again(out, order).map(|()| approved)) {
            Ok(approved) => {
                let (venue, now) = (order.venue.clone(), out.now.mono);
                self.risk.sent(now, &order.strategy, Message::Submit);
                self.books.mark(number, Input::Sent);
                if let Some(watch) = self.watch.get_mut(&number) {
                    watch.stage = Stage::InFlight;
                    watch.sent = now;
                    watch.retry_at = Some(now.plus(self.settings.knobs.inflight_check_threshold_ms));
                }
                self.arm(number);
                self.active(&venue);
                out.told.insert(number);
                out.push(Effect::Submit(venue, approved));
            }
            Err(refused) if refused.code == "VENUE_GATE_CLOSED" => {
                let at = out.now.mono.plus(self.settings.knobs.release_retry_ms);
                self.wait(number, at);
            }
            Err(refused) => self.close_unsent(out, number, Input::Denied, refused.to_string()),
        }
    }

    fn wait(&mut self, number: OrderNumber, at: Mono) {
        if let Some(watch) = self.watch.get_mut(&number) {
            watch.stage = Stage::Waiting;
            watch.retry_at = Some(at);
        }
        // Not sent, so there is nothing that a comparison could find out about it.
        if let Some(order) = self.books.orders.get(&number)
            && let Some(run) = self.venues.get_mut(&order.venue)
        {
            run.unconfirmed.remove(&number);
        }
        self.arm(number);
    }

    fn inputs(&self, out: &Out, order: &Order) -> Inputs {
        let settings = self.settings.strategies.iter().find(|known| known.id == order.strategy);
        let run = self.venues.get(&order.venue);
        let closed = match run {
            Some(run) if run.open => None,
            Some(run) => Some(run.why.clone()),
            None => Some("not configured".to_owned()),
        };
        let again = order.attempts > 0;
        Inputs {
            age_ms: self.age(out, order),
            max_age_ms: settings.map_or(0, |known| known.max_age_ms),
            halted: self.books.halted.is_some() || self.latched.is_some(),
            level: self.books.stand.level,
            reduces: self.books.stand.level != Level::Running && self.still_reduces(order),
            lapsed: self.lapsed,
            draining: self.phase == Phase::Draining || self.drain.is_some(),
            strategy_enabled: self.enabled(&order.strategy),
            venue_closed: closed,
            guard: again.then(|| PriceGuard {
                fraction: settings.map_or_else(Default::default, |known| known.price_guard),
                mark: self.fresh_mark(&order.venue, &order.symbol, out.now.mono),
            }),
        }
    }

    /// How long an order has waited: by the monotonic clock of this run, and by the wall clock where the
    /// order is from an earlier one. The longer of the two counts, because an old order does harm.
    pub(super) fn age(&self, out: &Out, order: &Order) -> u64 {
        let watched = self.watch.get(&order.number).map_or(0, |watch| out.now.mono.since(watch.taken));
        let by_wall = out.now.wall.0.saturating_sub(order.created_at.0);
        watched.max(u64::try_from(by_wall).unwrap_or(0))
    }

    /// Would the gate let this order out for a second sending?
    pub(super) fn would_pass(&self, out: &Out, order: &Order) -> Result<(), Refusal> {
        let mut inputs = self.inputs(out, order);
        inputs.guard = inputs.guard.or_else(|| {
            let settings = self.settings.strategies.iter().find(|known| known.id == order.strategy)?;
            let mark = self.fresh_mark(&order.venue, &order.symbol, out.now.mono);
            Some(PriceGuard { fraction: settings.price_guard, mark })
        });
        approve(order, &inputs).map(|_| ())
    }

    /// A price that was told not long ago.
    pub(super) fn fresh_mark(&self, venue: &VenueId, symbol: &Symbol, now: Mono) -> Option<Mark> {
        let (mark, at) = self.marks.get(&(venue.clone(), symbol.clone()))?;
        (now.since(*at) <= self.settings.knobs.mark_max_age_ms).then_some(*mark)
    }

    /// What becomes of this strategy's orders that the venue does not know.
    pub(super) fn patience(&self, strategy: &StrategyId) -> Patience {
        if *strategy == self.external {
            return Patience::Adopt;
        }
        let known = self.settings.strategies.iter().find(|known| known.id == *strategy);
        known.map_or(Patience::Hold, |known| known.patience)
    }

    /// Ends an order of which nothing reached the venue.
    pub(super) fn close_unsent(&mut self, out: &mut Out, number: OrderNumber, input: Input, why: String) {
        let Some(order) = self.books.orders.get(&number) else { return };
        let Verdict::Next(state) = follow(order.state, input) else { return };
        let moved = Moved {
            order: number,
            state,
            executed: order.executed,
            venue_order_id: None,
            reason: Some(why),
            sent: false,
        };
        if self.record(out, Fact::Moved(moved)) {
            self.after_change(out, number);
        }
    }

    /// The connector did not send it, for certain: it waits and is tried again, or ends.
    pub(super) fn denied_here(&mut self, out: &mut Out, number: OrderNumber, denial: &Denial) {
        let in_flight = self.watch.get(&number).is_some_and(|watch| watch.stage == Stage::InFlight);
        if !in_flight {
            // A late word on a sending that is in doubt by now, or a repetition: the question is open.
            return;
        }
        let soon = out.now.mono.plus(self.settings.knobs.release_retry_ms);
        let retry = match denial {
            Denial::Paced { retry_at, .. } => Some((*retry_at).max(soon)),
            Denial::BackOff { until } => Some((*until).max(soon)),
            Denial::StreamReconciling { .. } | Denial::NotConnected { .. } | Denial::QueueFull { .. } => {
                Some(soon)
            }
            Denial::ExpiredUnsent { .. }
            | Denial::ClockOffset { .. }
            | Denial::Unsupported { .. }
            | Denial::KillSwitch
            | Denial::LeaseExpired => None,
        };
        match retry {
            Some(at) => {
                self.books.mark(number, Input::Unsent);
                out.told.insert(number);
                self.wait(number, at);
            }
            None => {
                self.books.mark(number, Input::Unsent);
                self.close_unsent(out, number, Input::Denied, denial.to_string());
            }
        }
    }

    /// Something about an order is due.
    pub(super) fn order_due(&mut self, out: &mut Out, number: OrderNumber) {
        let now = out.now.mono;
        let Some(watch) = self.watch.get_mut(&number) else { return };
        let retry = watch.retry_at.is_some_and(|at| at <= now);
        let (ask, cancel, chase) = (
            watch.inquiry.as_ref().is_some_and(|inquiry| inquiry.next <= now),
            watch.cancel.as_ref().is_some_and(|cancel| cancel.next <= now),
            watch.chase.as_ref().is_some_and(|chase| chase.next <= now),
        );
        if retry {
            watch.retry_at = None;
            match watch.stage {
                Stage::Waiting => self.release(out, number),
                Stage::InFlight => self.doubt(out, number, "no answer in time", false),
                Stage::Writing | Stage::Settled => {}
            }
        }
        if ask {
            self.ask(out, number);
        }
        if cancel {
            self.send_cancel(out, number);
        }
        if chase {
            self.chase(out, number);
        }
        self.arm(number);
    }

    /// Sets the alarm of an order to what is due next.
    pub(super) fn arm(&mut self, number: OrderNumber) {
        let due = self.watch.get(&number).and_then(super::watch::Watch::due);
        self.timers.set(super::timers::Alarm::Order(number), due);
    }

    /// Something happened that may move a balance.
    pub(super) fn active(&mut self, venue: &VenueId) {
        if let Some(run) = self.venues.get_mut(venue) {
            run.activity = run.activity.saturating_add(1);
        }
    }

    /// A taken order in a reply, as it stands.
    pub(super) fn accepted(&self, number: OrderNumber) -> Option<Answer> {
        self.books.orders.get(&number).map(|order| Answer::CancelTaken(Box::new(order.clone())))
    }
}
