//! The order session of each venue: can orders go out, and would their reports come back?

use super::super::table::{SessionFact, VenueFact};
use super::super::verdict::{SafeAction, Severity, Status, Verdict};
use super::ingest::{absent, cite, down_words};
use super::{Case, ago, seconds};
use crate::domain::connection::State;

/// The alert of an order session that is down; the runbook's name as well.
pub(super) const DISCONNECTED: &str = "execution_disconnected";

pub(super) fn judge(case: &Case<'_>, out: &mut Vec<Verdict>) {
    if case.table.executor.is_some() {
        out.extend(case.table.venues.iter().map(|venue| one(case, venue)));
    }
}

/// The component's name.
pub(super) fn name(venue: &VenueFact) -> String {
    format!("execution/{}", venue.venue)
}

fn one(case: &Case<'_>, venue: &VenueFact) -> Verdict {
    let (name, scope) = (name(venue), venue.venue.as_str());
    let Some(session) = &venue.orders else {
        let verdict = absent(case, name, scope, "the order session has said nothing");
        let raised = verdict.alert.is_some();
        return if raised { verdict.raising(DISCONNECTED, scope) } else { verdict };
    };
    let bad = |status, severity, reason: String| {
        let verdict = Verdict::bad(name.clone(), status, severity, reason);
        cite(case, verdict, session).safe(&[SafeAction::Reconnect, SafeAction::Refresh, SafeAction::Pause])
    };
    let silent = case.age(Some(session.read_at));
    if silent.is_none_or(|age| age > case.settings.silent_ms) {
        let reason = format!("its own component has not advanced: last seen {}", ago(silent));
        let verdict = bad(Status::Stalled, Severity::Critical, reason);
        return verdict.aged(silent).raising(DISCONNECTED, scope);
    }
    if session.state == State::Live {
        return live(case, venue, session, name);
    }
    let down = case.missing(session.live_at);
    if down <= case.settings.disconnected_ms || (session.live_at.is_none() && case.is_starting()) {
        let reason = format!("the session is {} since {}", session.state.name(), seconds(down));
        return bad(Status::Degraded, Severity::Warning, reason).aged(Some(down));
    }
    let reason = if session.state.is_open() {
        format!("connected, but not compared for {}: the session is {}", seconds(down), session.state.name())
    } else {
        down_words(case, session, down)
    };
    bad(Status::Disconnected, Severity::Critical, reason).aged(Some(down)).raising(DISCONNECTED, scope)
}

fn live(case: &Case<'_>, venue: &VenueFact, session: &SessionFact, name: String) -> Verdict {
    let age = case.age(session.last_frame);
    let verdict = match &venue.closed {
        None => Verdict::healthy(name, "the session is live and was compared"),
        Some(why) => {
            let reason = format!("the session is live, but takes no orders: {why}");
            Verdict::bad(name, Status::Degraded, Severity::Warning, reason).safe(&[SafeAction::Refresh])
        }
    };
    cite(case, verdict.aged(age), session)
}
