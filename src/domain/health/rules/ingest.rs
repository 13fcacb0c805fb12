//! The market session of each venue: is it there, does it hear, and does what it hears come through?

use super::super::table::{SessionFact, Stage, VenueFact};
use super::super::verdict::{Locality, SafeAction, Severity, Status, Verdict};
use super::{Case, ago, seconds};
use crate::domain::connection::State;

/// The alert of a market session that is down; the runbook's name as well.
pub(super) const DISCONNECTED: &str = "venue_ingest_disconnected";
/// The alert of data that comes and does not come through; the runbook's name as well.
pub(super) const PUBLISH: &str = "venue_publish_stale";

pub(super) fn judge(case: &Case<'_>, out: &mut Vec<Verdict>) {
    for venue in &case.table.venues {
        let session = session(case, venue);
        let publish = publish(case, venue);
        out.push(session);
        out.push(publish);
    }
}

/// The component's name.
pub(super) fn name(venue: &VenueFact) -> String {
    format!("ingest/{}", venue.venue)
}

fn session(case: &Case<'_>, venue: &VenueFact) -> Verdict {
    let (name, scope) = (name(venue), venue.venue.as_str());
    let Some(session) = &venue.market else {
        return absent(case, name, scope, "the market session has said nothing");
    };
    let silent = case.age(Some(session.read_at));
    let bad = |status, reason: String| {
        let verdict = Verdict::bad(name.clone(), status, Severity::Critical, reason);
        cite(case, verdict, session).safe(&[SafeAction::Reconnect, SafeAction::Pause])
    };
    if silent.is_none_or(|age| age > case.settings.silent_ms) {
        let reason = format!("its own component has not advanced: last seen {}", ago(silent));
        return bad(Status::Stalled, reason).aged(silent).raising(DISCONNECTED, scope);
    }
    if session.state.is_open() {
        let age = case.age(session.last_frame);
        let verdict = Verdict::healthy(name, format!("the session is {}", session.state.name())).aged(age);
        return cite(case, verdict, session);
    }
    let down = case.missing(session.open_at);
    if down <= case.settings.disconnected_ms || (session.open_at.is_none() && case.is_starting()) {
        let reason = format!("the session is {} since {}", session.state.name(), seconds(down));
        let verdict = Verdict::bad(name, Status::Degraded, Severity::Warning, reason);
        return cite(case, verdict, session).aged(Some(down));
    }
    bad(Status::Disconnected, down_words(case, session, down)).aged(Some(down)).raising(DISCONNECTED, scope)
}

/// Why a session is not open, told apart: on its way, waiting, stranded.
pub(super) fn down_words(case: &Case<'_>, session: &SessionFact, down: u64) -> String {
    let (down_for, attempts) = (seconds(down), session.attempts);
    let stranded = down > case.settings.stranded_ms;
    match session.state {
        State::Backoff | State::Connecting if stranded => {
            format!("stranded: no session for {down_for}, {attempts} attempts, none led to one")
        }
        State::Backoff => {
            format!("disconnected for {down_for}; waiting before the next of {attempts} attempts")
        }
        State::Disconnected => {
            format!("disconnected for {down_for}, and nothing tries to connect: the venue refused it")
        }
        state => format!("no session for {down_for}; it is {}", state.name()),
    }
}

pub(super) fn absent(case: &Case<'_>, name: String, scope: &str, words: &str) -> Verdict {
    let age = case.missing(None);
    if case.is_starting() {
        let reason = format!("{words} yet");
        return Verdict::bad(name, Status::Unknown, Severity::Warning, reason).aged(None);
    }
    let reason = format!("{words} for {}: without evidence nothing is assumed", seconds(age));
    Verdict::bad(name, Status::Unknown, Severity::Critical, reason).raising(DISCONNECTED, scope)
}

pub(super) fn cite(case: &Case<'_>, verdict: Verdict, session: &SessionFact) -> Verdict {
    let received = session.stage(Stage::Received);
    verdict
        .citing("session.state", session.state.name(), case.age(Some(session.read_at)))
        .citing("session.open", "", case.age(session.open_at))
        .citing("session.last_frame", "", case.age(session.last_frame))
        .citing(
            "session.received",
            received.map_or(0, |fact| fact.count).to_string(),
            case.age(received.and_then(|fact| fact.last)),
        )
        .citing("session.attempts", session.attempts.to_string(), case.age(Some(session.read_at)))
}

/// From the wire to whoever consumes: the first stage that falls behind the one before it is named.
fn publish(case: &Case<'_>, venue: &VenueFact) -> Verdict {
    let name = format!("publish/{}", venue.venue);
    let Some(session) = &venue.market else {
        return Verdict::bad(name, Status::Unknown, Severity::Warning, "the market session has said nothing");
    };
    let limit = longest(case, venue);
    let stages: Vec<_> = [Stage::Received, Stage::Decoded, Stage::Published, Stage::Consumed]
        .iter()
        .filter_map(|stage| session.stage(*stage))
        .collect();
    for pair in stages.windows(2) {
        let [before, after] = pair else { continue };
        // What never began at the stage before cannot be late at the one after it.
        let Some(came) = before.last else { break };
        let lag = after.last.map_or_else(|| case.missing(None), |at| came.since(at));
        if lag <= limit {
            continue;
        }
        let reason = format!(
            "{} comes and {} does not: the last of it was {}, {} that could not be read",
            word(before.stage),
            word(after.stage),
            ago(case.age(after.last)),
            session.undecodable
        );
        let verdict = Verdict::bad(name, Status::Stalled, Severity::Critical, reason)
            .aged(case.age(after.last))
            .at(Locality::Pipeline)
            .safe(&[SafeAction::Pause, SafeAction::Reconnect])
            .citing(word(before.stage), before.count.to_string(), case.age(before.last))
            .citing(word(after.stage), after.count.to_string(), case.age(after.last));
        return verdict.raising(PUBLISH, venue.venue.as_str());
    }
    let last = stages.last();
    Verdict::healthy(name, "what comes is handed on").aged(case.age(last.and_then(|fact| fact.last))).citing(
        "handed_on",
        last.map_or(0, |fact| fact.count).to_string(),
        case.age(last.and_then(|fact| fact.last)),
    )
}

/// The longest silence that any of a venue's feeds may keep.
pub(super) fn longest(case: &Case<'_>, venue: &VenueFact) -> u64 {
    let feeds = venue.feeds.iter().map(|feed| case.settings.feed(&venue.venue, &feed.symbol).stale_ms);
    feeds.max().unwrap_or(case.settings.feed.stale_ms)
}

const fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Received => "received data",
        Stage::Decoded => "readable data",
        Stage::Published => "published events",
        Stage::Consumed => "consumed events",
        Stage::Journaled => "journaled rows",
        Stage::Shown => "shown changes",
    }
}
