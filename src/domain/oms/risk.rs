//! Where the order management and the risk chain meet: facts go in, decisions come out and are written down.
//!
//! Every new order is decided before it becomes an intent, and the decision stands in the journal with the figures that
//! made it, in the same batch. An order that waited, or is sent again, is judged once more before it goes out. Limits
//! that the market breaks are followed up here: an alert, reduce-only, or the kill switch.

use super::core::{Oms, own_actor};
use super::effect::{Answer, Effect, NoticeLevel, Refusal, RefusalKind};
use super::event::{Actor, ReplyTo};
use super::fact::{Fact, Granted, LimitsInForce, ReEnabled};
use super::out::{Out, refusal};
use super::phase::Phase;
use super::settings::VenueSettings;
use crate::domain::ids::{StrategyId, VenueId};
use crate::domain::money::Price;
use crate::domain::order::{Order, OrderNumber, OrderRequest};
use crate::domain::order_types::Side;
use crate::domain::risk::{
    Breach, Consequence, Decision, Explanation, Gauge, Latch, LimitsId, Override, Proposal, Risk, Standing,
    StateGate, Verdict,
};
use crate::domain::run_state::Level;
use std::borrow::Cow;

/// The alert of a limit that was broken by the market or by executions.
const BREACHED: &str = "risk_limit_breached";
/// A decision serves an order that goes out within this time; later it is judged anew.
const DECISION_SERVES_MS: u64 = 250;

impl Oms {
    /// Builds what risk knows from the books: at a start, and when the books begin anew.
    pub(super) fn renew_risk(&mut self) {
        let mut risk = Risk::new(self.settings.risk.clone());
        if let Some(marks) = &self.books.risk_marks {
            risk.restore(marks.clone());
        }
        for ((venue, _), instrument) in &self.instruments {
            risk.instrument(venue, instrument);
        }
        for strategy in &self.settings.strategies {
            let enabled = self.books.switches.get(&strategy.id).copied().unwrap_or(strategy.enabled);
            risk.switched(&strategy.id, enabled);
        }
        for order in self.books.open() {
            risk.order(order);
        }
        for position in self.books.ledger.positions() {
            risk.position(&position);
        }
        for ((venue, symbol), (mark, at)) in &self.marks {
            risk.mark(*at, venue, symbol, Some(*mark));
        }
        self.risk = risk;
    }

    /// Writes down which limits hold, when they are not those that the journal knows.
    pub(super) fn note_limits(&mut self, out: &mut Out) {
        let id = self.risk.limits_id();
        if self.books.limits.as_ref() == Some(id) {
            return;
        }
        // Plain data: it always has a form.
        let settings = serde_json::to_value(self.risk.settings()).unwrap_or_default();
        let limits = LimitsInForce { id: id.clone(), settings };
        self.record(out, Fact::Limits(Box::new(limits)));
    }

    /// Decides on a new order, cut where its strategy is restrained. The row of an approval goes with the intent, that of a
    /// denial with its own. Answers what the order's side would pay or get by the prices that the decision read.
    pub(super) fn decide(
        &mut self,
        out: &mut Out,
        request: &mut OrderRequest,
        replaces: Option<OrderNumber>,
    ) -> Result<Option<Price>, Refusal> {
        let proposal = Proposal { replaces, ..self.cut(out, request)? };
        let standing = self.standing(&request.venue, &request.strategy);
        match self.risk.decide(out.now, &proposal, &standing) {
            Decision::Approved(record) => {
                let touch = match request.side {
                    Side::Buy => record.figures.ask,
                    Side::Sell => record.figures.bid,
                };
                self.record(out, Fact::Decision(record));
                Ok(touch.and_then(|touch| Price::new(touch).ok()).filter(|touch| !touch.is_zero()))
            }
            Decision::Denied { refusal, record } => {
                out.denied = Some(record);
                Err(refusal)
            }
        }
    }

    /// What the decision would be, check by check. Nothing is counted.
    #[must_use]
    pub fn explain(&self, now: super::Now, proposal: &Proposal) -> Explanation {
        let standing = self.standing(&proposal.venue, &proposal.strategy);
        let cut = self.cut_proposal(now, proposal.clone());
        self.risk.explain(now, &cut, &standing)
    }

    /// May an order of the books still go out, as far as risk is concerned?
    pub(super) fn judge_again(&self, out: &Out, order: &Order) -> Result<(), Refusal> {
        let fresh = self.watch.get(&order.number).is_some_and(|watch| {
            order.attempts == 0 && out.now.mono.since(watch.taken) <= DECISION_SERVES_MS
        });
        if fresh {
            return Ok(());
        }
        self.would_decide(out, &Proposal::of_order(order))
    }

    /// The decision without its traces: nothing is counted, nothing is written down.
    pub(super) fn would_decide(&self, out: &Out, proposal: &Proposal) -> Result<(), Refusal> {
        match self.explain(out.now, proposal).verdict {
            Verdict::Approved { .. } => Ok(()),
            Verdict::Denied { code, detail } => {
                let code = match code {
                    Cow::Borrowed(code) => code,
                    Cow::Owned(_) => "RISK_DENIED",
                };
                Err(refusal(code, RefusalKind::Conflict, detail))
            }
        }
    }

    pub(super) fn standing(&self, venue: &VenueId, strategy: &StrategyId) -> Standing {
        let state = match self.phase {
            Phase::Starting | Phase::Reconciling => StateGate::Starting,
            Phase::Running => StateGate::Running,
            Phase::Paused => StateGate::Paused,
            Phase::ReduceOnly => StateGate::ReduceOnly,
            Phase::Halted => StateGate::Halted,
            Phase::Draining => StateGate::Draining,
        };
        let run = self.venues.get(venue);
        Standing {
            state,
            strategy_enabled: self.enabled(strategy),
            live: self.venue_settings(venue).is_some_and(|venue| venue.live),
            stale_truth: match run {
                _ if self.lapsed => Some("whoever judges the truth has fallen silent".to_owned()),
                Some(run) if run.open => None,
                Some(run) => Some(run.why.clone()),
                None => Some(format!("{venue} is not configured")),
            },
            journal_writable: self.writable,
        }
    }

    fn venue_settings(&self, venue: &VenueId) -> Option<&VenueSettings> {
        self.settings.venues.iter().find(|known| known.id == *venue)
    }

    /// Time passed: limits that the market may break, and marks that must survive a restart.
    pub(super) fn watch_risk(&mut self, out: &mut Out) {
        if !self.start.as_ref().is_some_and(|start| start.done) {
            return;
        }
        for breach in self.risk.tick(out.now) {
            self.on_breach(out, &breach);
        }
        let standing: Vec<String> = self.risk.breaches().iter().map(scope).collect();
        let over: Vec<String> = self
            .alerts
            .keys()
            .filter(|(code, scope)| *code == BREACHED && !standing.contains(scope))
            .map(|(_, scope)| scope.clone())
            .collect();
        for scope in over {
            self.clear(out, BREACHED, scope);
        }
        if self.writable && self.risk.marks_dirty(out.now) {
            let marks = self.risk.marks();
            if self.record(out, Fact::RiskMarks(Box::new(marks))) {
                self.risk.marks_noted(out.now);
            }
        }
    }

    fn on_breach(&mut self, out: &mut Out, breach: &Breach) {
        let by = own_actor(&format!("risk: {} {}: {}", breach.scope, breach.kind.word(), breach.reason));
        let fields = vec![
            ("scope", breach.scope.to_string()),
            ("limit", breach.kind.word().to_owned()),
            ("reason", breach.reason.clone()),
        ];
        out.notice(NoticeLevel::Error, BREACHED, fields);
        self.raise(out, BREACHED, scope(breach), breach.reason.clone());
        match breach.consequence {
            Consequence::Throttle => {}
            Consequence::ReduceOnly if self.books.stand.level == Level::Running => {
                self.record(out, Fact::Steered(super::fact::Steered { level: Level::ReduceOnly, by }));
            }
            Consequence::ReduceOnly => {}
            Consequence::Kill => {
                out.push(Effect::EngageLatch { reason: by.reason.clone() });
                self.on_killed(out, by);
            }
        }
    }

    /// What keeps a halt from being lifted: a limit that stands broken and asks for it.
    pub(super) fn breach_that_kills(&self) -> Option<String> {
        let kills = |breach: &Breach| breach.consequence == Consequence::Kill;
        let standing = self.risk.breaches();
        let standing = standing.iter().find(|breach| kills(breach));
        standing.map(|breach| format!("scope={}, {}", scope(breach), breach.reason))
    }

    /// A named person looked at a strategy that its own executions had stopped.
    pub(super) fn on_re_enable(
        &mut self,
        out: &mut Out,
        strategy: StrategyId,
        by: Actor,
        reply: Option<ReplyTo>,
    ) {
        if !self.settings.strategies.iter().any(|known| known.id == strategy) {
            let detail = format!("strategy={strategy}");
            return out.refuse(reply, refusal("UNKNOWN_STRATEGY", RefusalKind::NotFound, detail));
        }
        if !self.risk.re_enable(out.now, &strategy) {
            let detail = format!("strategy={strategy}");
            return out.refuse(reply, refusal("NOT_LATCHED", RefusalKind::Conflict, detail));
        }
        self.record(out, Fact::ReEnabled(ReEnabled { strategy, by }));
        self.note_marks(out);
        out.done(reply, Answer::Done);
    }

    /// An operator lets one order through that the chain denies.
    pub(super) fn on_grant(&mut self, out: &mut Out, over: Override, reply: Option<ReplyTo>) {
        if let Err(refused) = self.risk.grant(out.now.mono, over.clone()) {
            return out.refuse(reply, refused);
        }
        let granted = Granted {
            by: Actor { name: over.by, reason: over.reason },
            strategy: over.strategy,
            venue: over.venue,
            symbol: over.symbol,
            side: over.side,
            max_quantity: over.max_quantity,
            lifts: over.lifts,
            for_ms: over.expires.since(out.now.mono),
        };
        self.record(out, Fact::Granted(Box::new(granted)));
        out.done(reply, Answer::Done);
    }

    /// All limits and how much of each is used, the tightest first.
    #[must_use]
    pub fn gauges(&self, now: super::Now) -> Vec<Gauge> {
        self.risk.gauges(now.mono)
    }

    /// Which limits hold.
    #[must_use]
    pub const fn limits_id(&self) -> &LimitsId {
        self.risk.limits_id()
    }

    /// Strategies that their own executions have stopped.
    #[must_use]
    pub fn latches(&self) -> Vec<Latch> {
        self.risk.latches().cloned().collect()
    }

    /// Limits that stand broken.
    #[must_use]
    pub fn breaches(&self) -> Vec<Breach> {
        self.risk.breaches()
    }
}

fn scope(breach: &Breach) -> String {
    format!("{}/{}", breach.scope, breach.kind.word())
}
