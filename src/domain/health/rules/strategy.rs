//! Each built-in strategy: does it hear the market that it trades?

use super::super::table::StrategyFact;
use super::super::verdict::{Locality, SafeAction, Severity, Status, Verdict};
use super::ingest::PUBLISH;
use super::{Case, ago};
use crate::domain::time::Mono;

pub(super) fn judge(case: &Case<'_>, out: &mut Vec<Verdict>) {
    out.extend(case.table.strategies.iter().map(|strategy| one(case, strategy)));
}

/// The component's name.
pub(super) fn name(strategy: &StrategyFact) -> String {
    format!("strategy/{}", strategy.strategy)
}

fn one(case: &Case<'_>, strategy: &StrategyFact) -> Verdict {
    let name = name(strategy);
    let age = case.age(strategy.market.last);
    let cited = |verdict: Verdict| {
        verdict.aged(age).citing("strategy.market", strategy.market.count.to_string(), age).citing(
            "strategy.missed",
            strategy.market.lost.to_string(),
            age,
        )
    };
    if !strategy.greeted {
        let reason = "it has not been told where it stands";
        return cited(Verdict::bad(name, Status::Unknown, Severity::Warning, reason));
    }
    let limit = case.settings.feed(&strategy.venue, &strategy.symbol).stale_ms;
    let heard = heard(case, strategy);
    // Only what reached the board can be late here.
    let lag = heard.map(|at| strategy.market.last.map_or_else(|| case.missing(None), |own| at.since(own)));
    if lag.is_some_and(|lag| lag > limit) && !case.is_starting() {
        let reason = format!("prices come and it does not take them: its last was {}", ago(age));
        let verdict = Verdict::bad(name, Status::Stalled, Severity::Critical, reason)
            .at(Locality::Local)
            .safe(&[SafeAction::Disarm, SafeAction::Pause]);
        return cited(verdict.raising(PUBLISH, format!("strategy/{}", strategy.strategy)));
    }
    let word =
        if strategy.trading { "it hears its market and may trade" } else { "it hears its market and rests" };
    cited(Verdict::healthy(name, word))
}

/// When its instrument was last heard of by those who hand it on.
fn heard(case: &Case<'_>, strategy: &StrategyFact) -> Option<Mono> {
    let venue = case.table.venues.iter().find(|venue| venue.venue == strategy.venue)?;
    venue.feeds.iter().find(|feed| feed.symbol == strategy.symbol)?.heard
}
