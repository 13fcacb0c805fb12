//! The journal and its disk: a writer that answers and does not advance is no writer.

use super::super::table::JournalFact;
use super::super::verdict::{Locality, SafeAction, Severity, Status, Verdict};
use super::{Case, ago, seconds};

/// The alert of a writer that does not advance; the runbook's name as well.
pub(super) const STALLED: &str = "journal_writer_stalled";
const DISK_LOW: &str = "disk_low";
const SCOPE: &str = "journal";

pub(super) fn judge(case: &Case<'_>, out: &mut Vec<Verdict>) {
    let Some(journal) = &case.table.journal else { return };
    out.push(writer(case, journal));
    let free = journal.free_bytes.map_or_else(|| "unknown".to_owned(), |bytes| format!("{bytes} bytes free"));
    let disk = if journal.disk_low {
        Verdict::bad("disk", Status::Degraded, Severity::Critical, format!("little room is left: {free}"))
            .raising(DISK_LOW, SCOPE)
    } else {
        Verdict::healthy("disk", "there is room")
    };
    out.push(disk.citing("disk.free", free, None));
}

fn writer(case: &Case<'_>, journal: &JournalFact) -> Verdict {
    let age = case.age(journal.last_write);
    let cited = |verdict: Verdict| {
        verdict.aged(age).citing("journal.last_write", journal.head.to_string(), age).citing(
            "journal.waiting",
            journal.waiting.to_string(),
            age,
        )
    };
    let bad = |status, reason: String| {
        let verdict = Verdict::bad("journal", status, Severity::Critical, reason);
        cited(verdict.at(Locality::Local).safe(&[SafeAction::Pause]).raising(STALLED, SCOPE))
    };
    let silent = case.missing(journal.last_write);
    if let Some(why) = &journal.failure {
        return bad(Status::Failed, format!("it cannot be written: {why}"));
    }
    if journal.last_write.is_none() && case.is_starting() {
        let reason = "nothing was written yet";
        return cited(Verdict::bad("journal", Status::Unknown, Severity::Warning, reason));
    }
    if silent > case.settings.journal_ms {
        let reason = format!(
            "the writer can be reached and does not advance: {} rows wait, the last write was {}",
            journal.waiting,
            ago(age)
        );
        return bad(Status::Stalled, reason);
    }
    if !journal.writable {
        let reason = format!(
            "the last attempt to write failed; {} rows wait since {}",
            journal.waiting,
            seconds(silent)
        );
        return cited(Verdict::bad("journal", Status::Degraded, Severity::Warning, reason));
    }
    cited(Verdict::healthy("journal", "it writes"))
}
