//! Armed on stale truth: somebody may trade while what it would trade on is not true any more. Nothing hides this.

use super::super::table::{StrategyFact, VenueFact};
use super::super::verdict::{Key, Locality, SafeAction, Severity, Status, Verdict};
use super::{Case, execution, feed, ingest, journal, strategy};

/// The alert; the runbook's name as well.
const ARMED: &str = "armed_on_stale_truth";

/// Reads what the others said: a verdict about truth that does not hold, and somebody who may act on it.
pub(in super::super) fn judge(case: &Case<'_>, out: &mut Vec<Verdict>) {
    let Some(executor) = &case.table.executor else { return };
    let armed = executor.is_armed();
    let mut said = Vec::new();
    for venue in &case.table.venues {
        let broken = broken(case, venue, None, out);
        said.push(verdict(format!("armed/{}", venue.venue), armed, venue.venue.as_str(), &broken));
    }
    for one in &case.table.strategies {
        let Some(venue) = case.table.venues.iter().find(|venue| venue.venue == one.venue) else { continue };
        let broken = broken(case, venue, Some(one), out);
        let scope = format!("strategy/{}", one.strategy);
        said.push(verdict(format!("armed/{scope}"), armed && one.trading, &scope, &broken));
    }
    out.extend(said);
}

/// What does not hold of the things that trading at a venue rests on: the session, the feeds, orders, journal, clock.
fn broken<'v>(
    case: &Case<'_>,
    venue: &VenueFact,
    of: Option<&StrategyFact>,
    said: &'v [Verdict],
) -> Vec<&'v Verdict> {
    let mut rests_on = vec![
        ingest::name(venue),
        format!("publish/{}", venue.venue),
        execution::name(venue),
        format!("clock/{}", venue.venue),
        "journal".to_owned(),
    ];
    let feeds = venue.feeds.iter().filter(|feed| of.is_none_or(|one| one.symbol == feed.symbol));
    rests_on.extend(feeds.map(|one| feed::name(venue, one)));
    rests_on.extend(of.map(strategy::name));
    let old = |verdict: &&Verdict| {
        // An automatic containment gets its moment; without one there is none to wait for.
        let limit = case.settings.armed_grace_ms;
        limit == 0 || overdue(case, venue, verdict) >= limit
    };
    said.iter()
        .filter(|verdict| verdict.alert.is_some() && verdict.severity == Severity::Critical)
        .filter(|verdict| rests_on.contains(&verdict.component))
        .filter(old)
        .collect()
}

/// How far beyond its limit the evidence of a verdict is.
fn overdue(case: &Case<'_>, venue: &VenueFact, verdict: &Verdict) -> u64 {
    let Some(age) = verdict.age_ms else { return u64::MAX };
    let code = verdict.alert.as_ref().map_or("", |key| key.code);
    let limit = match code {
        feed::STALE => venue
            .feeds
            .iter()
            .find(|one| feed::name(venue, one) == verdict.component)
            .map_or(case.settings.feed.stale_ms, |one| {
                case.settings.feed(&venue.venue, &one.symbol).stale_ms
            }),
        ingest::PUBLISH => ingest::longest(case, venue),
        journal::STALLED => case.settings.journal_ms,
        ingest::DISCONNECTED | execution::DISCONNECTED => case.settings.disconnected_ms,
        _ => 0,
    };
    age.saturating_sub(limit)
}

fn verdict(name: String, armed: bool, scope: &str, broken: &[&Verdict]) -> Verdict {
    if !armed {
        return Verdict::healthy(name, "it is not armed");
    }
    let Some(first) = broken.first() else {
        return Verdict::healthy(name, "it is armed, and what it rests on holds");
    };
    let reason = format!(
        "armed while {} is {}: {}{}",
        first.component,
        first.status.word(),
        first.reason,
        if broken.len() > 1 {
            format!(", and {} more", broken.len().saturating_sub(1))
        } else {
            String::new()
        }
    );
    let cause: Option<Key> = first.cause.clone().or_else(|| first.alert.clone());
    let mut verdict = Verdict::bad(name, Status::Failed, Severity::Critical, reason)
        .aged(first.age_ms)
        .at(Locality::Pipeline)
        .safe(&[
            SafeAction::Pause,
            SafeAction::ReduceOnly,
            SafeAction::Disarm,
            SafeAction::CancelRestingEntries,
        ])
        .raising(ARMED, scope);
    for one in broken {
        verdict = verdict.citing("rests_on", one.component.clone(), one.age_ms);
    }
    verdict.cause = cause;
    verdict
}
