//! Halt, unhalt, strategy switches, and the phase that follows from all of it.

use super::core::Oms;
use super::effect::{Answer, Change, Effect, NoticeLevel, RefusalKind};
use super::event::{Actor, ReplyTo};
use super::fact::{Fact, Switched};
use super::out::{Out, refusal};
use super::phase::Phase;
use crate::domain::ids::{StrategyId, VenueId};

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

    /// An operator lifts the halt, unless its cause still stands.
    pub(super) fn on_unhalt(&mut self, out: &mut Out, by: Actor, reply: Option<ReplyTo>) {
        if self.books.halted.is_none() {
            return out.reply(reply, Answer::Done);
        }
        let standing = self
            .venues
            .iter()
            .find_map(|(venue, run)| run.audit.diverged.as_ref().map(|off| (venue.clone(), off.clone())));
        if let Some((venue, off)) = standing {
            // Perhaps it is gone by now: the next attempt finds out.
            self.ask_balances(out, &venue);
            let detail = format!("venue={venue}, difference={off}");
            return out.refuse(reply, refusal("CAUSE_STANDS", RefusalKind::Conflict, detail));
        }
        let fields = vec![("actor", by.name.clone()), ("reason", by.reason.clone())];
        out.notice(NoticeLevel::Warn, "trading_resumed", fields);
        self.record(out, Fact::Unhalted(by));
        let overfills: Vec<String> = self
            .alerts
            .keys()
            .filter(|(code, _)| *code == "position_divergence")
            .map(|(_, s)| s.clone())
            .collect();
        for scope in overfills {
            self.clear(out, "position_divergence", scope);
        }
        out.evidence.replies.extend(reply.map(|to| (to, Answer::Done)));
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
            let fact = Switched { strategy: strategy.clone(), enabled, by };
            self.record(out, Fact::Switched(fact));
            out.push(Effect::Publish(Change::Strategy { strategy, enabled }));
        }
        out.evidence.replies.extend(reply.map(|to| (to, Answer::Done)));
    }

    /// The phase follows from what is known; a change of it is told.
    pub(super) fn settle_phase(&mut self, out: &mut Out) {
        let (phase, reason) = self.judge_phase();
        if phase == self.phase && reason == self.phase_reason {
            return;
        }
        let changed = phase != self.phase;
        (self.phase, self.phase_reason) = (phase, reason.clone());
        if changed {
            out.push(Effect::Publish(Change::Phase { phase, reason }));
        }
    }

    fn judge_phase(&self) -> (Phase, String) {
        if let Some(drain) = &self.drain {
            let reason = if drain.done { "drained" } else { "the run is ending" };
            return (Phase::Draining, reason.to_owned());
        }
        let Some(start) = &self.start else { return (Phase::Starting, "not started".to_owned()) };
        if start.refused {
            return (Phase::Starting, "the start was refused".to_owned());
        }
        if !start.done {
            let waiting = self.venues.iter().find(|(_, run)| !run.ready_once);
            let waiting = waiting.map_or_else(String::new, |(venue, run)| format!("{venue}: {}", run.why));
            return (Phase::Reconciling, waiting);
        }
        match &self.books.halted {
            Some(halt) => (Phase::Halted, format!("{} by {}", halt.by.reason, halt.by.name)),
            None => (Phase::Running, "every venue was compared".to_owned()),
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
