//! The operator's page: is what it is made of fresh? A green page on a dead source is the failure that this exists for.

use super::super::table::PageFact;
use super::super::verdict::{Locality, Severity, Status, Verdict};
use super::{Case, ago};

/// The alert of a page whose sources are not; the runbook's name as well.
pub(super) const DEGRADED: &str = "dashboard_source_degraded";
/// Changes that open streams may be behind before that is said.
const BEHIND_MAX: u64 = 4_096;

pub(super) fn judge(case: &Case<'_>, out: &mut Vec<Verdict>) {
    let Some(page) = &case.table.page else { return };
    let bad = out.iter().filter(|verdict| {
        let source = ["feed/", "ingest/", "execution/", "journal", "publish/"];
        verdict.severity == Severity::Critical
            && source.iter().any(|name| verdict.component.starts_with(name))
    });
    let bad: Vec<String> = bad.map(|verdict| verdict.component.clone()).collect();
    let verdict = one(case, page, &bad);
    out.push(verdict);
}

fn one(case: &Case<'_>, page: &PageFact, bad: &[String]) -> Verdict {
    let (name, scope) = ("dashboard", "page");
    let age = case.age(page.source);
    let cited = |verdict: Verdict| {
        verdict
            .aged(age)
            .citing("page.source", "", age)
            .citing("page.shown", page.shown.count.to_string(), case.age(page.shown.last))
            .citing("page.streams", page.streams.to_string(), None)
    };
    let told = |status, reason: String, locality| {
        let verdict = Verdict::bad(name, status, Severity::Warning, reason).at(locality);
        cited(verdict.raising(DEGRADED, scope))
    };
    if page.source.is_none() && case.is_starting() {
        return cited(Verdict::bad(
            name,
            Status::Unknown,
            Severity::Warning,
            "its source has said nothing yet",
        ));
    }
    if case.missing(page.source) > case.settings.silent_ms {
        let reason = format!("what it is made of was last renewed {}", ago(age));
        return told(Status::Stale, reason, Locality::Pipeline);
    }
    if !bad.is_empty() {
        let reason = format!("it shows what is no longer true: {}", bad.join(", "));
        return told(Status::Degraded, reason, Locality::Pipeline);
    }
    if case.within(page.read_failed, case.settings.silent_ms) {
        let reason = "the database did not answer its last question".to_owned();
        return told(Status::Degraded, reason, Locality::Pipeline);
    }
    let told_of = case.table.executor.as_ref().map_or(0, |executor| executor.changes);
    let behind = told_of.saturating_sub(page.shown.sequence.unwrap_or(told_of));
    if page.streams > 0 && behind > BEHIND_MAX {
        let reason = format!("open streams are {behind} changes behind");
        return told(Status::Degraded, reason, Locality::Downstream);
    }
    cited(Verdict::healthy(name, "its sources are fresh"))
}
