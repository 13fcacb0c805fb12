//! Halt, kill, pause, reduce-only, resume, reset, strategy switches, and the state that follows from all of it.
//!
//! What operators ask for is a fact before it is an answer. The latch of the kill switch lies outside, in files;
//! this component is told of it, and a desk is halted while either the latch or its own books say so.

use super::core::Oms;
use super::effect::{Answer, Change, Effect, NoticeLevel, Refusal, RefusalKind, StateView};
use super::event::{Actor, ReplyTo, Steering};
use super::fact::{Fact, StateChanged, Steered, Switched};
use super::out::{Out, refusal};
use super::phase::Phase;
use super::settings::{OnKill, OnPause};
use crate::domain::ids::{StrategyId, VenueId};
use crate::domain::ledger::Position;
use crate::domain::money::Quantity;
use crate::domain::order::{OrderKind, OrderNumber, OrderRequest};
use crate::domain::order_types::Side;
use crate::domain::run_state::{Lead, Level, Verb, lead};

impl Oms {
    /// Stops all sending, durably. A halt that stands already stays as it is.
    pub(super) fn halt(&mut self, out: &mut Out, by: Actor) {
        if self.books.halted.is_some() {
            return;
        }
        let fields = vec![("actor", by.name.clone()), ("reason", by.reason.clone())];
        out.notice(NoticeLevel::Error, "trading_halted", fields);
        self.record(out, Fact::Halted(by));
    }

    /// The kill switch is engaged: nothing is sent any more, whatever else is known. Repeated words change nothing.
    pub(super) fn on_killed(&mut self, out: &mut Out, by: Actor) {
        if self.latched.is_some() {
            return;
        }
        self.latched = Some(by.clone());
        self.halt(out, by);
        self.take_back_after_kill(out);
    }

    /// What the configuration says of working orders when the kill switch is engaged. Also asked when a start has
    /// found out what is working.
    pub(super) fn take_back_after_kill(&mut self, out: &mut Out) {
        let Some(by) = self.latched.clone() else { return };
        match self.settings.controls.on_kill {
            OnKill::Keep => {}
            OnKill::CancelAll | OnKill::Flatten => {
                let open: Vec<OrderNumber> = self.books.index.open.iter().copied().collect();
                for number in open {
                    self.request_cancel(out, number, &by);
                }
            }
        }
    }

    /// The latch was reset; the books were before.
    pub(super) fn on_latch_cleared(&mut self, out: &mut Out, reply: Option<ReplyTo>) {
        if let Some(by) = self.latched.take()
            && self.settings.controls.on_kill == OnKill::Flatten
        {
            out.flatten = Some(by);
        }
        // The answer goes out with the state that follows, see `settle_phase`.
        out.done(reply, Answer::State(self.state_view()));
    }

    /// An operator's word on how much trading is allowed.
    pub(super) fn on_steer(&mut self, out: &mut Out, steering: Steering, reply: Option<ReplyTo>) {
        let Steering { verb, seen, by } = steering;
        let refused = match self.may_steer(out, verb, seen) {
            Ok(level) => {
                self.steer(out, verb, level, by);
                let resting = (verb == Verb::Pause).then_some(self.settings.controls.on_pause);
                let view = StateView { resting_orders: resting, ..self.state_view() };
                return out.done(reply, Answer::State(view));
            }
            Err(refused) => refused,
        };
        out.refuse(reply, refused);
    }

    fn may_steer(&mut self, out: &mut Out, verb: Verb, seen: Option<u64>) -> Result<Level, Refusal> {
        let no = |code, detail| refusal(code, RefusalKind::Conflict, detail);
        let version = self.books.state_version;
        if seen.is_some_and(|seen| seen != version) {
            let detail = format!("the state is now \"state-{version}\" ({})", self.phase.word());
            return Err(refusal("STATE_CHANGED", RefusalKind::Stale, detail));
        }
        let level = match lead(self.phase, verb) {
            Lead::To(level) => level,
            Lead::Lift => Level::Paused,
            Lead::No { code, advice } => {
                return Err(no(code, format!("state={}, advice={advice}", self.phase.word())));
            }
        };
        match verb {
            Verb::Pause | Verb::ReduceOnly => {}
            Verb::Resume => {
                let closed: Vec<String> = self.closed_gates().collect();
                if !closed.is_empty() {
                    return Err(no("GATES_CLOSED", format!("gates={}", closed.join("; "))));
                }
            }
            Verb::Reset => self.may_lift(out)?,
        }
        Ok(level)
    }

    /// Gates of this component that trading needs, each with the reason why it is closed.
    fn closed_gates(&self) -> impl Iterator<Item = String> {
        let journal = (!self.writable).then(|| "journal: cannot be written".to_owned());
        let venues = self.venues.iter().filter(|(_, run)| !run.open);
        journal.into_iter().chain(venues.map(|(venue, run)| format!("venue/{venue}: {}", run.why)))
    }

    /// A halt is not lifted while its cause stands, nor while nobody could write down who did it.
    fn may_lift(&mut self, out: &mut Out) -> Result<(), Refusal> {
        if !self.writable {
            return Err(refusal("JOURNAL_UNWRITABLE", RefusalKind::Unavailable, "verb=reset".to_owned()));
        }
        let standing = self
            .venues
            .iter()
            .find_map(|(venue, run)| run.audit.diverged.as_ref().map(|off| (venue.clone(), off.clone())));
        if let Some((venue, off)) = standing {
            // Perhaps it is gone by now: the next attempt finds out.
            self.ask_balances(out, &venue);
            let detail = format!("venue={venue}, difference={off}");
            return Err(refusal("CAUSE_STANDS", RefusalKind::Conflict, detail));
        }
        if let Some(detail) = self.breach_that_kills() {
            return Err(refusal("CAUSE_STANDS", RefusalKind::Conflict, detail));
        }
        Ok(())
    }

    fn steer(&mut self, out: &mut Out, verb: Verb, level: Level, by: Actor) {
        if verb == Verb::Reset {
            let fields = vec![("actor", by.name.clone()), ("reason", by.reason.clone())];
            out.notice(NoticeLevel::Warn, "halt_lifted", fields);
            self.record(out, Fact::Unhalted(by.clone()));
            let overfills: Vec<String> = self
                .alerts
                .keys()
                .filter(|(code, _)| *code == "position_divergence")
                .map(|(_, scope)| scope.clone())
                .collect();
            for scope in overfills {
                self.clear(out, "position_divergence", scope);
            }
        }
        if self.books.stand.level != level || verb == Verb::Reset {
            self.record(out, Fact::Steered(Steered { level, by: by.clone() }));
        }
        if verb == Verb::Pause && self.settings.controls.on_pause == OnPause::Cancel {
            let entries: Vec<OrderNumber> =
                self.books.open().filter(|order| !order.reduce_only).map(|order| order.number).collect();
            for number in entries {
                self.request_cancel(out, number, &by);
            }
        }
    }

    pub(super) fn on_switch(
        &mut self,
        out: &mut Out,
        strategy: StrategyId,
        enabled: bool,
        by: Actor,
        reply: Option<ReplyTo>,
    ) {
        if !self.settings.strategies.iter().any(|known| known.id == strategy) {
            let detail = format!("strategy={strategy}");
            return out.refuse(reply, refusal("UNKNOWN_STRATEGY", RefusalKind::NotFound, detail));
        }
        if self.enabled(&strategy) != enabled {
            self.risk.switched(&strategy, enabled);
            let fact = Switched { strategy: strategy.clone(), enabled, by };
            self.record(out, Fact::Switched(fact));
            out.push(Effect::Publish(Change::Strategy { strategy: strategy.clone(), enabled }));
        }
        out.done(reply, Answer::Switched { strategy, enabled });
    }

    /// The state follows from what is known; a change of it is written down and told.
    pub(super) fn settle_phase(&mut self, out: &mut Out) {
        let (phase, by) = self.judge_phase();
        if phase == self.phase {
            self.phase_by = by;
            return;
        }
        let from = std::mem::replace(&mut self.phase, phase);
        self.phase_by = by.clone();
        self.phase_since = out.now.wall;
        // A start that is refused changes nothing, and a cold one may still be.
        if self.start.as_ref().is_some_and(|start| !start.refused && (start.done || !start.is_cold())) {
            let version = self.books.state_version.saturating_add(1);
            self.record(out, Fact::State(StateChanged { version, from, to: phase, by: by.clone() }));
        }
        out.push(Effect::Publish(Change::Phase {
            phase,
            reason: by.reason,
            actor: by.name,
            version: self.books.state_version,
        }));
    }

    /// After a reset, where the configuration asks for it: closes what is held, strategy by strategy. Whatever keeps an
    /// order from being taken is said, and left to the operator.
    pub(super) fn flatten(&mut self, out: &mut Out) {
        let Some(by) = out.flatten.take().filter(|_| self.phase == Phase::Paused) else { return };
        let held: Vec<Position> =
            self.books.ledger.positions().filter(|held| !held.quantity.is_zero()).collect();
        for position in held {
            let lot = self.instruments.get(&(position.venue.clone(), position.symbol.clone()));
            let lot = lot.map(|rules| rules.market_lot.as_ref().unwrap_or(&rules.lot));
            let quantity = lot.and_then(|lot| lot.floor(position.quantity.get().abs()));
            let quantity = quantity.and_then(|quantity| Quantity::new(quantity).ok());
            let Some(quantity) = quantity.filter(|quantity| !quantity.is_zero()) else { continue };
            let mut request = OrderRequest {
                client_order_id: None,
                venue: position.venue.clone(),
                symbol: position.symbol.clone(),
                side: if position.quantity.get().is_sign_negative() { Side::Buy } else { Side::Sell },
                kind: OrderKind::Market,
                quantity,
                price: None,
                time_in_force: None,
                stop_loss: None,
                reduce_only: true,
                strategy: position.strategy.clone(),
                correlation: None,
            };
            let decided = self.check(out, &request).and_then(|()| self.decide(out, &mut request, None));
            let outcome = match &decided {
                Ok(_) => "taken".to_owned(),
                Err(refused) => refused.to_string(),
            };
            let fields = vec![
                ("venue.name", position.venue.to_string()),
                ("symbol", position.symbol.to_string()),
                ("strategy", position.strategy.to_string()),
                ("quantity", position.quantity.to_string()),
                ("after", by.reason.clone()),
                ("outcome", outcome),
            ];
            out.notice(NoticeLevel::Warn, "flatten", fields);
            match decided {
                Ok(touch) => self.take(out, request, touch, None, None),
                Err(refused) => self.deny_at_the_door(out, &request, refused, None),
            }
        }
    }

    fn judge_phase(&self) -> (Phase, Actor) {
        let own = |phase, reason: &str| (phase, super::core::own_actor(reason));
        if let Some(drain) = &self.drain {
            let reason = if drain.done { "drained" } else { "the run is ending" };
            return own(Phase::Draining, reason);
        }
        let Some(start) = &self.start else { return own(Phase::Starting, "not started") };
        if start.refused {
            return own(Phase::Starting, "the start was refused");
        }
        if !start.done {
            let waiting = self.venues.iter().find(|(_, run)| !run.ready_once);
            let waiting = waiting.map_or_else(String::new, |(venue, run)| format!("{venue}: {}", run.why));
            return own(Phase::Reconciling, &waiting);
        }
        if let Some(by) = self.latched.as_ref().or(self.books.halted.as_ref().map(|halt| &halt.by)) {
            return (Phase::Halted, by.clone());
        }
        let stand = &self.books.stand;
        match &stand.by {
            Some(by) => (stand.level.phase(), by.clone()),
            None => own(stand.level.phase(), "every venue was compared"),
        }
    }

    /// The state as it is shown.
    #[must_use]
    pub fn state_view(&self) -> StateView {
        StateView {
            phase: self.phase,
            version: self.books.state_version,
            reason: self.phase_by.reason.clone(),
            actor: self.phase_by.name.clone(),
            since: self.phase_since,
            resting_orders: None,
        }
    }

    /// Why a venue takes no orders; `None` when it does.
    #[must_use]
    pub fn gate(&self, venue: &VenueId) -> Option<&str> {
        match self.venues.get(venue) {
            Some(run) if run.open => None,
            Some(run) => Some(run.why.as_str()),
            None => Some("not configured"),
        }
    }
}
