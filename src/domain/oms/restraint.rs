//! Entries of a strategy whose series drifts: cut before they are decided, until a person lifts it.
//!
//! That a strategy is restrained, by which stream and to which share, is a fact with its own row, and stands in the marks
//! of risk, so that a crash, a restart and a replay find it as it was. The cut order is what is decided, written down and
//! sent; what was asked for stands beside it in the decision's row.

use super::core::Oms;
use super::effect::{Answer, NoticeLevel, Refusal, RefusalKind};
use super::event::{Actor, ReplyTo};
use super::fact::{Fact, Released, RestrainedBy};
use super::out::{Out, refusal};
use crate::domain::ids::StrategyId;
use crate::domain::money::Quantity;
use crate::domain::order::{OrderKind, OrderRequest};
use crate::domain::risk::{Proposal, Restraint};
use rust_decimal::Decimal;

impl Oms {
    /// A series of a strategy drifts: its entries are cut from now on.
    pub(super) fn on_restrain(
        &mut self,
        out: &mut Out,
        strategy: StrategyId,
        stream: String,
        factor: Decimal,
        by: Actor,
        reply: Option<ReplyTo>,
    ) {
        if !self.settings.strategies.iter().any(|known| known.id == strategy) {
            let detail = format!("strategy={strategy}");
            return out.refuse(reply, refusal("UNKNOWN_STRATEGY", RefusalKind::NotFound, detail));
        }
        if factor < Decimal::ZERO || factor >= Decimal::ONE {
            let detail = format!("factor={factor}, least=0, below=1");
            return out.refuse(reply, refusal("BAD_FACTOR", RefusalKind::Invalid, detail));
        }
        let cut = Restraint {
            strategy: strategy.clone(),
            stream: stream.clone(),
            factor,
            reason: by.reason.clone(),
            at: out.now.wall,
        };
        if !self.risk.restrain(cut) {
            let detail = format!("strategy={strategy}, stream={stream}");
            return out.refuse(reply, refusal("TOO_MANY_RESTRAINTS", RefusalKind::Conflict, detail));
        }
        let fields = vec![
            ("strategy", strategy.to_string()),
            ("stream", stream.clone()),
            ("factor", factor.to_string()),
            ("reason", by.reason.clone()),
        ];
        out.notice(NoticeLevel::Warn, "strategy_restrained", fields);
        self.record(out, Fact::Restrained(RestrainedBy { strategy, stream, factor, by }));
        self.note_marks(out);
        out.done(reply, Answer::Done);
    }

    /// A person lifts what a stream has cut. Done already is done.
    pub(super) fn on_release(
        &mut self,
        out: &mut Out,
        strategy: StrategyId,
        stream: String,
        by: Actor,
        reply: Option<ReplyTo>,
    ) {
        if self.risk.unrestrain(&strategy, &stream) {
            self.record(out, Fact::Released(Released { strategy, stream, by }));
            self.note_marks(out);
        }
        out.done(reply, Answer::Done);
    }

    pub(super) fn note_marks(&mut self, out: &mut Out) {
        let marks = self.risk.marks();
        // What is not taken now is written when the journal can.
        if self.record(out, Fact::RiskMarks(Box::new(marks))) {
            self.risk.marks_noted(out.now);
        }
    }

    /// The request as it may be made, and as a proposal: an entry of a restrained strategy is cut, down to the lot.
    pub(super) fn cut(&self, out: &Out, request: &mut OrderRequest) -> Result<Proposal, Refusal> {
        let proposal = self.cut_proposal(out.now, Proposal::of_request(request));
        if proposal.quantity != request.quantity {
            request.quantity = proposal.quantity;
            // What was worth enough may not be now.
            self.check_cut(out, request)?;
        }
        Ok(proposal)
    }

    /// The same of a proposal alone. One that cannot be cut to anything legal is left whole, and denied for that.
    pub(super) fn cut_proposal(&self, now: super::Now, proposal: Proposal) -> Proposal {
        let standing = self.standing(&proposal.venue, &proposal.strategy);
        let Some(cut) = self.risk.cut_of(now, &proposal, &standing) else { return proposal };
        let instrument = self.instruments.get(&(proposal.venue.clone(), proposal.symbol.clone()));
        let lot = instrument.map(|rules| match (&rules.market_lot, proposal.kind) {
            (Some(lot), OrderKind::Market) => *lot,
            _ => rules.lot,
        });
        let whole = proposal.quantity.get().checked_mul(cut.factor);
        let legal = whole.zip(lot).and_then(|(whole, lot)| lot.floor(whole)).filter(|left| !left.is_zero());
        match legal.and_then(|left| Quantity::new(left).ok()) {
            Some(left) => {
                Proposal { asked: Some(proposal.quantity), quantity: left.normalized(), ..proposal }
            }
            None => proposal,
        }
    }

    /// Cuts that stand.
    #[must_use]
    pub fn restraints(&self) -> Vec<Restraint> {
        self.risk.restraints().cloned().collect()
    }
}
