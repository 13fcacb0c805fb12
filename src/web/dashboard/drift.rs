//! The series that the drift sentry watches, as the screen shows them: each by its most striking detector.

use super::view::Drift;
use crate::actors::drift_sentry::{DriftReadings, StreamView};
use crate::domain::drift::Gauge;

/// What drifts first, then by distance to the threshold.
pub(super) fn streams(readings: &DriftReadings) -> Vec<Drift> {
    let view = readings.latest();
    let mut streams: Vec<&StreamView> = view.streams.values().map(|one| &**one).collect();
    let open = |one: &StreamView| one.open_since.is_some();
    streams.sort_by(|a, b| open(b).cmp(&open(a)).then(b.level.total_cmp(&a.level)));
    streams.into_iter().map(stream).collect()
}

fn stream(one: &StreamView) -> Drift {
    let share = |gauge: &Gauge| gauge.statistic / gauge.threshold;
    let worst = one.detectors.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
    let note = match one.state {
        "learning" => format!("learning, {} of {} values", one.learned, one.wanted),
        other => other.to_owned(),
    };
    let since = one.open_since.as_ref().and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
    Drift {
        name: one.name.to_string(),
        detector: worst.map(|gauge| gauge.detector.word().to_owned()).unwrap_or_default(),
        statistic: worst.map(|gauge| gauge.statistic),
        threshold: worst.map(|gauge| gauge.threshold),
        n: one.observations,
        open_since: since.map(|at| at.timestamp_millis()),
        note,
    }
}
