//! The alerts' metrics: what stands, how channels are, how long incidents take.

use super::metrics::{counter, gauge, register};
use super::order_metrics::{family, metric};
use crate::actors::alert_router::AlertReading;
use crate::actors::oms::Histogram;
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, Opts, Registry};
use std::time::Duration;

/// What the alerts' part is built from.
pub struct AlertScrape<'a> {
    /// The router.
    pub reading: AlertReading,
    /// Conditions that hold and are no alert on disk yet.
    pub pending: usize,
    /// From the decision to tell somebody to the word that the message arrived.
    pub delivery: &'a Histogram,
}

/// The histogram.
pub(super) fn histograms(scrape: &AlertScrape<'_>) -> Vec<MetricFamily> {
    vec![family(
        "plimsoll_alert_delivery_seconds",
        "Time that a message took that arrived.",
        vec![metric(scrape.delivery, None)],
    )]
}

/// Registers gauges and counters.
pub(super) fn numbers(registry: &Registry, scrape: &AlertScrape<'_>) -> Result<(), prometheus::Error> {
    let signed = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let reading = &scrape.reading;
    let open = gauge("plimsoll_alerts_open", "Alerts that stand.", &["severity"])?;
    for (severity, count) in
        [("info", reading.open.info), ("warning", reading.open.warning), ("critical", reading.open.critical)]
    {
        open.with_label_values(&[severity]).set(signed(count));
    }
    let pending =
        gauge("plimsoll_alert_conditions_pending", "Conditions that are no alert on disk yet.", &[])?;
    pending.with_label_values::<&str>(&[]).set(signed(scrape.pending));
    let undurable = gauge("plimsoll_alert_undurable", "Pieces of work that are not on disk yet.", &[])?;
    undurable.with_label_values::<&str>(&[]).set(signed(reading.undurable));
    let waiting = gauge("plimsoll_alert_deliveries_waiting", "Messages that wait.", &["channel"])?;
    let failing = gauge("plimsoll_alert_channel_failures", "Failures in a row.", &["channel"])?;
    let deliveries =
        counter("plimsoll_alert_deliveries_total", "Attempts that ended.", &["channel", "outcome"])?;
    for channel in &reading.channels {
        let name = channel.reading.name.as_str();
        waiting.with_label_values(&[name]).set(signed(channel.reading.waiting));
        failing.with_label_values(&[name]).set(i64::from(channel.reading.failures));
        deliveries.with_label_values(&[name, "delivered"]).inc_by(channel.delivered);
        deliveries.with_label_values(&[name, "failed"]).inc_by(channel.failed);
    }
    let help = "Median of the last incidents that are over, by step.";
    let medians = GaugeVec::new(Opts::new("plimsoll_incident_median_seconds", help), &["step"])?;
    let counts = gauge("plimsoll_incidents_in_median", "Incidents in the median.", &["step"])?;
    for (step, median) in [
        ("detect", reading.medians.detect),
        ("notify", reading.medians.notify),
        ("acknowledge", reading.medians.acknowledge),
        ("clear", reading.medians.clear),
    ] {
        counts.with_label_values(&[step]).set(signed(median.n));
        if let Some(ms) = median.ms {
            medians.with_label_values(&[step]).set(Duration::from_millis(ms).as_secs_f64());
        }
    }
    registry.register(Box::new(medians))?;
    register(registry, [deliveries])?;
    register(registry, [open, pending, undurable, waiting, failing, counts])
}
