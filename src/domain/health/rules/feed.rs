//! Each instrument's market data: how old it is, whether its book is in step, and whether its market is open at all.

use super::super::table::{FeedFact, Stage, VenueFact};
use super::super::verdict::{Locality, SafeAction, Severity, Status, Verdict};
use super::{Case, ago, seconds};
use crate::domain::time::Mono;

/// The alert of old prices; the runbook's name as well.
pub(super) const STALE: &str = "venue_quotes_stale";

pub(super) fn judge(case: &Case<'_>, out: &mut Vec<Verdict>) {
    for venue in &case.table.venues {
        let feeds: Vec<Verdict> = venue.feeds.iter().map(|feed| one(case, venue, feed)).collect();
        let stale = feeds.iter().filter(|verdict| verdict.alert.is_some()).count();
        // Several instruments that fell silent together are one thing: their session hears nothing.
        if stale > 1 && stale == feeds.len() {
            out.push(all(case, venue, stale));
        }
        out.extend(feeds);
    }
}

/// The component's name.
pub(super) fn name(venue: &VenueFact, feed: &FeedFact) -> String {
    format!("feed/{}/{}", venue.venue, feed.symbol)
}

fn all(case: &Case<'_>, venue: &VenueFact, count: usize) -> Verdict {
    let received = venue.market.as_ref().and_then(|session| session.stage(Stage::Received));
    let age = case.age(received.and_then(|fact| fact.last));
    let reason = format!("all {count} instruments are stale; the session last received data {}", ago(age));
    Verdict::bad(format!("feed/{}", venue.venue), Status::Stale, Severity::Critical, reason)
        .aged(age)
        .safe(&[SafeAction::Pause, SafeAction::Reconnect])
        .citing("session.received", "", age)
        .raising(STALE, venue.venue.as_str())
}

fn one(case: &Case<'_>, venue: &VenueFact, feed: &FeedFact) -> Verdict {
    let name = name(venue, feed);
    let policy = case.settings.feed(&venue.venue, &feed.symbol);
    // What reached the board is what prices are made of; what the session saw may not have come through.
    let last = feed.heard.or(feed.last_data);
    let age = case.age(last);
    if !policy.hours.open_at(case.table.wall) {
        let verdict = Verdict::healthy(name, "its market is closed by its hours").aged(age);
        return cite(case, verdict, venue, feed);
    }
    if !policy.hours.open_since(case.table.wall, policy.stale_ms) {
        let verdict = Verdict::healthy(name, "its market has just opened").aged(age);
        return cite(case, verdict, venue, feed);
    }
    let bad = |status, severity, reason: String| {
        let verdict = Verdict::bad(name.clone(), status, severity, reason);
        cite(case, verdict, venue, feed).safe(&[SafeAction::Pause, SafeAction::Reconnect])
    };
    let missing = case.missing(last);
    if last.is_none() && missing <= policy.stale_ms.max(case.settings.start_ms) {
        return bad(Status::Unknown, Severity::Warning, "no data yet".to_owned()).aged(None);
    }
    let scope = format!("{}/{}", venue.venue, feed.symbol);
    if missing > policy.stale_ms {
        let (status, locality, reason) = silence(case, venue, missing, policy.stale_ms, last.is_none());
        return bad(status, Severity::Critical, reason).aged(age).at(locality).raising(STALE, scope);
    }
    let out_of_step = case.missing(feed.in_step_at);
    if !feed.in_step && out_of_step > policy.stale_ms {
        let reason = format!(
            "data comes, but its book is out of step for {} after {} losses: there is no price",
            seconds(out_of_step),
            feed.resyncs
        );
        let verdict = bad(Status::Stale, Severity::Critical, reason).aged(Some(out_of_step));
        return verdict.at(Locality::Pipeline).raising(STALE, scope);
    }
    if !feed.in_step {
        let reason = format!("its book is being fetched anew since {}", seconds(out_of_step));
        return bad(Status::Degraded, Severity::Warning, reason).aged(Some(out_of_step));
    }
    if missing > policy.expected_ms {
        let reason = format!(
            "slower than expected: the last data came {}, it should every {}",
            ago(age),
            seconds(policy.expected_ms)
        );
        return bad(Status::Degraded, Severity::Warning, reason).aged(age);
    }
    cite(case, Verdict::healthy(name, "data comes and the book is in step").aged(age), venue, feed)
}

/// What an old feed is, told apart by what its session heard meanwhile.
fn silence(
    case: &Case<'_>,
    venue: &VenueFact,
    missing: u64,
    limit: u64,
    never: bool,
) -> (Status, Locality, String) {
    let old = if never {
        format!("no data since the start, {} ago", seconds(missing))
    } else {
        format!("the last data came {} ago", seconds(missing))
    };
    let Some(session) = &venue.market else {
        return (Status::Unknown, Locality::Pipeline, format!("{old}, and its session has said nothing"));
    };
    if !session.state.is_open() {
        return (
            Status::Stale,
            Locality::Pipeline,
            format!("{old}: its session is {}", session.state.name()),
        );
    }
    let received = session.stage(Stage::Received).and_then(|fact| fact.last);
    let frame = case.age(session.last_frame);
    if case.within(received, limit) {
        return (Status::Stale, Locality::Pipeline, format!("{old}, while its session hears other data"));
    }
    if case.within(session.last_frame, limit.saturating_mul(6)) && newer(session.last_frame, received) {
        let reason = format!("connected but mute: {old}; since then only pings, the last {}", ago(frame));
        return (Status::Stale, Locality::Local, reason);
    }
    let reason =
        format!("reachable but stale: {old}, the session is {} and hears nothing", session.state.name());
    (Status::Stale, Locality::Local, reason)
}

fn newer(frame: Option<Mono>, data: Option<Mono>) -> bool {
    frame > data
}

fn cite(case: &Case<'_>, verdict: Verdict, venue: &VenueFact, feed: &FeedFact) -> Verdict {
    let state = venue.market.as_ref().map_or("absent", |session| session.state.name());
    let frame = venue.market.as_ref().and_then(|session| session.last_frame);
    verdict
        .citing("feed.last_data", "", case.age(feed.last_data))
        .citing("feed.heard", "", case.age(feed.heard))
        .citing("feed.book", feed.update_id.to_string(), case.age(feed.in_step_at))
        .citing("session.last_frame", state, case.age(frame))
}
