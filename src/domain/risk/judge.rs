//! The decision itself: one list of checks, read top to bottom, over plain figures.
//!
//! The same walk serves the decision (which stops at the first denial) and the explanation (which does not).
//! Nothing here remembers anything: the same figures and limits always give the same verdict.

use super::checks::CHECKS;
use super::explain::{Line, Passed};
use super::figures::Figures;
use super::limit::Limit;
use super::limits::Limits;
use super::proposal::Proposal;
use crate::domain::oms::{Refusal, RefusalKind};
use crate::domain::order::OrderKind;
use crate::domain::order_types::Side;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The code of a denial for want of a limit. No override lifts it.
pub const LIMIT_NOT_SET: &str = "LIMIT_NOT_SET";

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Its name, as `risk.relaxed` and the explanation use it.
    pub name: &'static str,
    /// May research mode relax it, and an operator's override lift it?
    pub soft: bool,
    /// Reads the case and tells the bench.
    pub(super) run: fn(&Case<'_>, &mut Bench<'_>),
}

/// What a check reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) limits: &'a Limits,
    pub(super) proposal: &'a Proposal,
    pub(super) figures: &'a Figures,
}

impl Case<'_> {
    /// Does it make a position smaller, the strategy's own or that of all?
    pub(super) const fn reduces(&self) -> bool {
        self.figures.reduces_own || self.figures.reduces_net
    }

    /// No exposure of any scope can rise by it.
    pub(super) const fn reduces_everywhere(&self) -> bool {
        self.figures.reduces_own && self.figures.reduces_net
    }

    pub(super) fn quantity(&self) -> Decimal {
        self.proposal.quantity.get()
    }

    /// The middle of the fresh book.
    pub(super) fn middle(&self) -> Option<Decimal> {
        let sum = self.figures.bid?.checked_add(self.figures.ask?)?;
        sum.checked_div(Decimal::TWO).filter(|middle| *middle > Decimal::ZERO)
    }

    /// The side of the book that the order would take from.
    pub(super) const fn far_touch(&self) -> Option<Decimal> {
        match self.proposal.side {
            Side::Buy => self.figures.ask,
            Side::Sell => self.figures.bid,
        }
    }

    /// The price that the order stands for: its own, or the far touch for a market order.
    pub(super) fn entry(&self) -> Option<Decimal> {
        match self.proposal.kind {
            OrderKind::Market => self.far_touch(),
            OrderKind::Limit | OrderKind::LimitMaker => self.proposal.price.map(|price| price.get()),
        }
    }

    /// What the order can be worth at most: a sell below the market executes at the market.
    pub(super) fn value(&self) -> Option<Decimal> {
        let entry = self.entry()?;
        let price = match (self.proposal.side, self.figures.bid) {
            (Side::Sell, Some(bid)) => entry.max(bid),
            _ => entry,
        };
        self.quantity().checked_mul(price)?.checked_mul(self.figures.quote_price?)
    }
}

/// Where checks tell what they found.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    check: &'static Check,
    lifts: &'a [String],
    relaxed: bool,
    denial: Option<Refusal>,
    let_pass: Vec<Cow<'static, str>>,
    lines: Option<Vec<Line>>,
}

impl<'a> Bench<'a> {
    fn new(first: &'static Check, case: &Case<'a>, explains: bool) -> Self {
        let lifts = case.figures.granted.as_ref().map_or(&[][..], |granted| granted.lifts.as_slice());
        Self {
            check: first,
            lifts,
            relaxed: false,
            denial: None,
            let_pass: Vec::new(),
            lines: explains.then(Vec::new),
        }
    }

    fn begin(&mut self, check: &'static Check, case: &Case<'_>) {
        self.check = check;
        // Research mode never reaches an order at a live venue, whatever the configuration check let through.
        self.relaxed = check.soft
            && !case.figures.standing.live
            && !case.limits.relaxed.is_empty()
            && case.limits.relaxed.contains(check.name);
    }

    /// Is the verdict known? An explanation wants the rest all the same.
    fn decided(&self) -> bool {
        self.denial.is_some() && self.lines.is_none()
    }

    fn refused(&mut self, code: &'static str, kind: RefusalKind, detail: String) -> Passed {
        let lifted = self.check.soft && code != LIMIT_NOT_SET && self.lifts.iter().any(|one| one == code);
        if lifted || self.relaxed {
            self.let_pass.push(Cow::Borrowed(code));
            return if lifted { Passed::Lifted } else { Passed::Relaxed };
        }
        self.denial.get_or_insert(Refusal { code, detail, kind });
        Passed::Denied
    }

    fn line(&mut self, line: impl FnOnce(&'static str) -> Line) {
        let check = self.check.name;
        if let Some(lines) = &mut self.lines {
            lines.push(line(check));
        }
    }

    /// Says no.
    pub(super) fn deny(&mut self, code: &'static str, kind: RefusalKind, detail: impl FnOnce() -> String) {
        if self.decided() {
            return;
        }
        let detail = detail();
        let passed = self.refused(code, kind, detail.clone());
        self.line(|check| Line { code, passed, note: detail, ..Line::new(check) });
    }

    /// Says no unless it holds.
    pub(super) fn require(
        &mut self,
        holds: bool,
        code: &'static str,
        kind: RefusalKind,
        detail: impl FnOnce() -> String,
    ) {
        if holds {
            self.line(|check| Line { code, ..Line::new(check) });
        } else {
            self.deny(code, kind, detail);
        }
    }

    /// The figure of a limit; says no for want of one. `None` when there is nothing to compare with.
    pub(super) fn set<T: Copy>(
        &mut self,
        limit: &Limit<T>,
        name: &'static str,
        scope: &'static str,
    ) -> Option<T> {
        match limit {
            Limit::At(figure) => Some(*figure),
            Limit::NotRequired => {
                let note = || "not required by configuration".to_owned();
                self.line(|check| Line { limit_name: name, scope, note: note(), ..Line::new(check) });
                None
            }
            Limit::NotSet => {
                self.deny(LIMIT_NOT_SET, RefusalKind::Conflict, || format!("limit={name}, scope={scope}"));
                None
            }
        }
    }

    /// A figure that must be known; says no for want of it.
    pub(super) fn known<T>(
        &mut self,
        figure: Option<T>,
        what: &'static str,
        scope: &'static str,
    ) -> Option<T> {
        if figure.is_none() {
            let detail = || format!("figure={what}, scope={scope}");
            self.deny("NO_VALUATION", RefusalKind::Unavailable, detail);
        }
        figure
    }

    /// Demands `used <= limit`.
    pub(super) fn at_most(&mut self, rule: &Rule, used: Decimal, limit: Decimal) {
        self.compare(rule, used, limit, used <= limit, limit.checked_sub(used));
    }

    /// Demands `used >= limit`.
    pub(super) fn at_least(&mut self, rule: &Rule, used: Decimal, limit: Decimal) {
        self.compare(rule, used, limit, used >= limit, used.checked_sub(limit));
    }

    /// Demands `after <= limit`, or that the order does not make it worse.
    pub(super) fn not_worse(&mut self, rule: &Rule, step: super::figures::Step, limit: Decimal) {
        let holds = step.after <= limit || step.after <= step.before;
        self.compare(rule, step.after, limit, holds, limit.checked_sub(step.after));
    }

    fn compare(
        &mut self,
        rule: &Rule,
        used: Decimal,
        limit: Decimal,
        holds: bool,
        distance: Option<Decimal>,
    ) {
        if self.decided() {
            return;
        }
        let passed = if holds {
            Passed::Held
        } else {
            let (used, limit) = (used.normalize(), limit.normalize());
            let detail = format!("used={used}, limit={limit}, name={}, scope={}", rule.name, rule.scope);
            self.refused(rule.code, rule.kind, detail)
        };
        self.line(|check| Line {
            code: rule.code,
            limit_name: rule.name,
            scope: rule.scope,
            used: Some(used.normalize()),
            limit: Some(limit.normalize()),
            distance: distance.map(|distance| distance.normalize()),
            passed,
            ..Line::new(check)
        });
    }
}

/// What a comparison is called when it fails.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    pub(super) scope: &'static str,
    pub(super) kind: RefusalKind,
}

impl Rule {
    /// A rule that the present state breaks.
    pub(super) const fn conflict(code: &'static str, name: &'static str, scope: &'static str) -> Self {
        Self { code, name, scope, kind: RefusalKind::Conflict }
    }

    /// A rule that the order itself breaks.
    pub(super) const fn invalid(code: &'static str, name: &'static str, scope: &'static str) -> Self {
        Self { code, name, scope, kind: RefusalKind::Invalid }
    }

    /// A rule that will hold again by itself.
    pub(super) const fn passing(code: &'static str, name: &'static str, scope: &'static str) -> Self {
        Self { code, name, scope, kind: RefusalKind::Unavailable }
    }
}

/// The outcome, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It may go out.
    Approved {
        /// Codes that would have denied it and were lifted by an override or relaxed by research mode.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        let_pass: Vec<Cow<'static, str>>,
    },
    /// It may not.
    Denied {
        /// The code.
        code: Cow<'static, str>,
        /// `key=value, key=value`.
        detail: String,
    },
}

impl Verdict {
    /// May it go out?
    #[must_use]
    pub const fn is_approved(&self) -> bool {
        matches!(self, Self::Approved { .. })
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Approved { .. } => f.write_str("APPROVED"),
            Self::Denied { code, detail } => write!(f, "{code}: {detail}"),
        }
    }
}

/// The outcome of the walk.
#[derive(Debug)]
pub(super) struct Judged {
    /// The first denial.
    pub(super) denial: Option<Refusal>,
    /// Codes that were let pass.
    pub(super) let_pass: Vec<Cow<'static, str>>,
    /// The lines of an explanation; empty for a decision.
    pub(super) lines: Vec<Line>,
}

impl Judged {
    pub(super) fn verdict(&self) -> Verdict {
        match &self.denial {
            Some(refusal) => {
                Verdict::Denied { code: Cow::Borrowed(refusal.code), detail: refusal.detail.clone() }
            }
            None => Verdict::Approved { let_pass: self.let_pass.clone() },
        }
    }
}

/// Walks `checks` over the figures.
pub(super) fn walk(checks: &'static [&'static Check], case: &Case<'_>, explains: bool) -> Judged {
    let Some(first) = checks.first() else {
        return Judged { denial: None, let_pass: Vec::new(), lines: Vec::new() };
    };
    let mut bench = Bench::new(first, case, explains);
    for check in checks {
        bench.begin(check, case);
        (check.run)(case, &mut bench);
        if bench.decided() {
            break;
        }
    }
    Judged { denial: bench.denial, let_pass: bench.let_pass, lines: bench.lines.unwrap_or_default() }
}

/// Walks all checks.
pub(super) fn judge(limits: &Limits, proposal: &Proposal, figures: &Figures, explains: bool) -> Judged {
    walk(CHECKS, &Case { limits, proposal, figures }, explains)
}
