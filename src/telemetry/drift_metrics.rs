//! The drift sentry's metrics: what it took, what it found, what is open, by kind of stream.
//!
//! A kind is one of the words of `domain::drift::Kind`, so that the label set is as bounded as the code: streams that
//! programs post are one kind together.

use super::metrics::{counter, gauge, register, signed};
use crate::actors::drift_sentry::DriftView;
use prometheus::Registry;

/// Registers counters and gauges.
pub(super) fn numbers(registry: &Registry, view: &DriftView) -> Result<(), prometheus::Error> {
    let kind = ["kind"];
    let observations = counter("plimsoll_drift_observations_total", "Finite observations taken.", &kind)?;
    let rejected = counter(
        "plimsoll_drift_rejected_total",
        "Observations that were not finite: counted, never absorbed.",
        &kind,
    )?;
    let detections = counter("plimsoll_drift_detections_total", "Alerts of drift that opened.", &kind)?;
    let streams = gauge("plimsoll_drift_streams", "Streams that are watched.", &kind)?;
    let open = gauge("plimsoll_drift_streams_open", "Streams whose alert stands.", &kind)?;
    for (kind, tally) in view.tallies.iter() {
        let kind = [kind.word()];
        observations.with_label_values(&kind).inc_by(tally.observations);
        rejected.with_label_values(&kind).inc_by(tally.rejected);
        detections.with_label_values(&kind).inc_by(tally.detections);
        streams.with_label_values(&kind).set(signed(tally.streams));
        open.with_label_values(&kind).set(signed(tally.open));
    }
    let dropped = counter(
        "plimsoll_drift_dropped_total",
        "Observations that were dropped before they reached the sentry.",
        &[],
    )?;
    dropped.with_label_values::<&str>(&[]).inc_by(view.dropped);
    let refused =
        counter("plimsoll_drift_refused_total", "Observations of streams beyond their bound.", &[])?;
    refused.with_label_values::<&str>(&[]).inc_by(view.refused);
    register(registry, [observations, rejected, detections, dropped, refused])?;
    register(registry, [streams, open])
}
