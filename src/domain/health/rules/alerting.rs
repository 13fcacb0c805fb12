//! The alerting path is a component like the others: it judges, commits and delivers, or it does not.
//!
//! The router itself raises the alert of a channel that keeps failing; the verdict says the same of the component.

use super::super::table::{AlertingFact, ChannelFact};
use super::super::verdict::{Locality, Severity, Status, Verdict};
use super::{Case, ago};

/// The alert of an alerting path that is late or failing; the runbook's name as well.
pub(super) const DEGRADED: &str = "alerting_degraded";

pub(super) fn judge(case: &Case<'_>, out: &mut Vec<Verdict>) {
    let Some(alerting) = &case.table.alerting else { return };
    out.push(router(case, alerting));
    out.extend(alerting.channels.iter().map(|channel| one(case, channel)));
}

fn router(case: &Case<'_>, alerting: &AlertingFact) -> Verdict {
    let (name, scope, limit) = ("alerting", "router", case.settings.alerting_ms);
    let age = case.age(alerting.judged);
    let cited = |verdict: Verdict| {
        verdict
            .aged(age)
            .citing("alerting.judged", "", age)
            .citing("alerting.committed", "", case.age(alerting.committed))
            .citing("alerting.overdue", "", case.age(alerting.overdue_since))
    };
    let bad = |status, reason: String| {
        let verdict = Verdict::bad(name, status, Severity::Critical, reason).at(Locality::Local);
        cited(verdict.raising(DEGRADED, scope))
    };
    if alerting.judged.is_none() && case.is_starting() {
        return cited(Verdict::bad(name, Status::Unknown, Severity::Warning, "it has not judged yet"));
    }
    if case.missing(alerting.judged) > limit {
        return bad(Status::Stalled, format!("it does not judge: last {}", ago(age)));
    }
    let committed = case.age(alerting.committed);
    if case.missing(alerting.committed) > limit && !case.is_starting() {
        return bad(Status::Stalled, format!("it does not commit: last {}", ago(committed)));
    }
    cited(Verdict::healthy(name, "it judges, commits and delivers"))
}

fn one(case: &Case<'_>, channel: &ChannelFact) -> Verdict {
    let name = format!("channel/{}", channel.name);
    let age = case.age(channel.delivered);
    let verdict = if channel.failures >= case.settings.channel_failures {
        let words = channel.last_error.as_deref().unwrap_or("no reason was given");
        let reason = format!("{} failures in a row: {words}; last delivered {}", channel.failures, ago(age));
        Verdict::bad(name, Status::Failed, Severity::Critical, reason).at(Locality::Downstream)
    } else if channel.failures > 0 {
        Verdict::bad(name, Status::Degraded, Severity::Warning, "the last attempt failed; it is repeated")
    } else {
        Verdict::healthy(name, format!("last delivered {}", ago(age)))
    };
    verdict.aged(age).citing("channel.delivered", channel.failures.to_string(), age)
}
