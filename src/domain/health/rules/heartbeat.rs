//! Each venue's heartbeat: does the venue answer when it is asked for balances and open orders?
//!
//! The heartbeat's own machine decides when its alert begins and ends; the verdict says the same of the component.

use super::super::verdict::{SafeAction, Severity, Status, Verdict};
use super::{Case, ago};

/// The alert of missed intervals; the runbook's name as well.
pub(super) const MISSED: &str = "heartbeat_missed";
/// Missed intervals in a row that count, as in the heartbeat's own machine.
const MISSED_IN_A_ROW: u32 = 2;
/// Intervals without a word after which the heartbeat itself does not beat.
const INTERVALS_MAX: u64 = 4;

pub(super) fn judge(case: &Case<'_>, out: &mut Vec<Verdict>) {
    for venue in &case.table.venues {
        let Some(beat) = venue.heartbeat else { continue };
        let name = format!("heartbeat/{}", venue.venue);
        let age = case.age(beat.last_beat);
        let late = case.missing(beat.last_beat) > beat.interval_ms.saturating_mul(INTERVALS_MAX);
        let verdict = if beat.in_a_row >= MISSED_IN_A_ROW || late {
            let reason =
                format!("{} intervals without a good answer; the last was {}", beat.in_a_row, ago(age));
            Verdict::bad(name, Status::Stale, Severity::Critical, reason)
                .safe(&[SafeAction::Refresh, SafeAction::Pause])
                .raising(MISSED, venue.venue.as_str())
        } else if beat.beats == 0 {
            Verdict::bad(name, Status::Unknown, Severity::Warning, "not answered yet")
        } else if beat.in_a_row > 0 {
            Verdict::bad(name, Status::Degraded, Severity::Warning, "an interval without a good answer")
        } else {
            Verdict::healthy(name, "the venue answers")
        };
        let latency = beat.latency_ms.map_or_else(|| "none".to_owned(), |ms| format!("{ms} ms"));
        out.push(verdict.aged(age).citing("heartbeat.beats", beat.beats.to_string(), age).citing(
            "heartbeat.latency",
            latency,
            age,
        ));
    }
}
