//! The clocks: ours against itself, and each venue's against ours.

use super::super::verdict::{SafeAction, Severity, Status, Verdict};
use super::{Case, ago, seconds};

/// The alert of a clock that is off; the runbook's name as well.
pub(super) const SKEW: &str = "clock_skew";
/// The sentry looks once a second.
const SENTRY_SILENT_MS: u64 = 5_000;

pub(super) fn judge(case: &Case<'_>, out: &mut Vec<Verdict>) {
    out.push(own(case));
    for venue in &case.table.venues {
        let name = format!("clock/{}", venue.venue);
        let limit = case.settings.clock_offset_ms;
        out.push(match venue.clock_offset_ms {
            None => Verdict::bad(
                name,
                Status::Unknown,
                Severity::Warning,
                "the venue's clock was not measured yet",
            ),
            Some(offset) if offset.unsigned_abs() > limit => {
                let reason =
                    format!("the venue's clock is {offset} ms off ours; orders stop beyond {limit} ms");
                Verdict::bad(name, Status::Degraded, Severity::Critical, reason)
                    .safe(&[SafeAction::Pause])
                    .raising(SKEW, venue.venue.as_str())
                    .citing("clock.offset_ms", offset.to_string(), None)
            }
            Some(offset) => Verdict::healthy(name, "the venue's clock agrees with ours").citing(
                "clock.offset_ms",
                offset.to_string(),
                None,
            ),
        });
    }
}

fn own(case: &Case<'_>) -> Verdict {
    let name = "clock";
    let Some(clock) = case.table.clock else {
        return Verdict::bad(name, Status::Unknown, Severity::Warning, "nobody compares the clocks");
    };
    let looked = case.age(Some(clock.looked));
    if looked.is_none_or(|age| age > SENTRY_SILENT_MS) {
        let reason =
            format!("whoever compares the clocks does not advance: the last look was {}", ago(looked));
        return Verdict::bad(name, Status::Stalled, Severity::Warning, reason).aged(looked);
    }
    match clock.stepped {
        Some((ms, at)) if case.now.since(at) <= case.settings.remembered_ms => {
            let age = case.now.since(at);
            let reason = format!("the wall clock jumped by {ms} ms, {} ago", seconds(age));
            Verdict::bad(name, Status::Degraded, Severity::Critical, reason)
                .aged(Some(age))
                .safe(&[SafeAction::Pause])
                .raising(SKEW, "process")
                .citing("clock.step_ms", ms.to_string(), Some(age))
        }
        _ => Verdict::healthy(name, "the wall clock runs like the monotonic one").aged(looked),
    }
}
