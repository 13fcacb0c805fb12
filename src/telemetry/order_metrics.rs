//! The order path's metrics, from its readings at scrape time.

use super::metrics::{counter, gauge, register, signed};
use crate::actors::journal::JournalReading;
use crate::actors::oms::{BOUNDS_US, Histogram, Latencies, OmsView};
use crate::domain::order::OrderState;
use prometheus::proto::{Bucket, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{GaugeVec, Opts, Registry};
use std::time::Duration;

/// What the order path's part is built from.
pub struct OrderScrape<'a> {
    /// Its state.
    pub view: &'a OmsView,
    /// How long its stages take.
    pub latency: &'a Latencies,
    /// How the journal is.
    pub journal: &'a JournalReading,
    /// Since it last wrote something.
    pub journal_idle: Option<Duration>,
    /// How long its commits take.
    pub commits: &'a Histogram,
}

/// Registers counters and gauges.
pub(super) fn numbers(registry: &Registry, scrape: &OrderScrape<'_>) -> Result<(), prometheus::Error> {
    let view = scrape.view;
    let totals = counter("plimsoll_orders_total", "Orders that came to a state.", &["state"])?;
    let open = gauge("plimsoll_open_orders", "Orders that may still execute.", &["state"])?;
    // Every state, so that a series exists before the first order reaches it: a rate over a series that is born
    // late misses its first step.
    for state in OrderState::ALL {
        totals
            .with_label_values(&[state.word()])
            .inc_by(view.totals.get(&state).copied().unwrap_or_default());
        if !state.is_final() {
            let count = view.orders.get(&state).copied().unwrap_or_default();
            open.with_label_values(&[state.word()]).set(signed(count));
        }
    }
    let venues = gauge("plimsoll_venue_gate_open", "1 when orders may go to the venue.", &["venue"])?;
    for gate in &view.gates {
        venues.with_label_values(&[gate.venue.as_str()]).set(i64::from(gate.open));
    }
    register(registry, [totals])?;
    register(registry, [open, venues])?;
    let single = [
        ("plimsoll_open_positions", "Positions that are not flat.", signed(view.open_positions)),
        ("plimsoll_journal_writable", "1 when the journal can write.", i64::from(scrape.journal.writable)),
        ("plimsoll_journal_last_row", "Position of the journal's last row.", large(scrape.journal.head.0)),
    ];
    for (name, help, value) in single {
        let one = gauge(name, help, &[])?;
        one.with_label_values::<&str>(&[]).set(value);
        register(registry, [one])?;
    }
    let journal = scrape.journal;
    for (name, help, count) in [
        ("plimsoll_journal_refusals_total", "Intents that the journal could not take.", journal.refusals),
        (
            "plimsoll_performance_dropped_total",
            "Observations of performance that found no room on their way to the disk.",
            journal.performance_dropped,
        ),
        (
            "plimsoll_telemetry_dropped_total",
            "Measurements that found no room on their way to the disk.",
            journal.telemetry_dropped,
        ),
        (
            "plimsoll_audit_dropped_total",
            "Lines of the audit that found no room on their way to the disk.",
            journal.controls_dropped,
        ),
    ] {
        let one = counter(name, help, &[])?;
        one.with_label_values::<&str>(&[]).inc_by(count);
        register(registry, [one])?;
    }
    if let Some(free) = scrape.journal.free_bytes {
        let one = gauge("plimsoll_disk_free_bytes", "Free on the journal's disk.", &[])?;
        one.with_label_values::<&str>(&[]).set(large(free));
        register(registry, [one])?;
    }
    if let Some(idle) = scrape.journal_idle {
        let help = "Time since the journal last wrote.";
        let one = GaugeVec::new(Opts::new("plimsoll_journal_write_age_seconds", help), &[])?;
        one.with_label_values::<&str>(&[]).set(idle.as_secs_f64());
        registry.register(Box::new(one))?;
    }
    Ok(())
}

fn large(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The histograms. They are counted where the work is done, so they are written out as they stand.
pub(super) fn histograms(scrape: &OrderScrape<'_>) -> Vec<MetricFamily> {
    let stages = [
        ("journal", &scrape.latency.journal),
        ("venue_ack", &scrape.latency.venue_ack),
        ("fill", &scrape.latency.fill),
    ];
    let stages = stages.map(|(stage, took)| metric(took, Some(("stage", stage))));
    vec![
        family(
            "plimsoll_order_latency_seconds",
            "Time from reading a request to the end of a stage.",
            stages.into(),
        ),
        family(
            "plimsoll_journal_commit_seconds",
            "Time that a commit of the journal took.",
            vec![metric(scrape.commits, None)],
        ),
    ]
}

pub(super) fn family(name: &str, help: &str, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(MetricType::HISTOGRAM);
    family.set_metric(metrics);
    family
}

pub(super) fn metric(histogram: &Histogram, label: Option<(&str, &str)>) -> Metric {
    let (counts, beyond, sum_us) = histogram.read();
    let mut cumulative = 0_u64;
    let buckets = counts.iter().zip(BOUNDS_US).map(|(count, bound)| {
        cumulative = cumulative.saturating_add(*count);
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(seconds(bound));
        bucket.set_cumulative_count(cumulative);
        bucket
    });
    let mut plain = prometheus::proto::Histogram::default();
    plain.set_bucket(buckets.collect());
    plain.set_sample_count(cumulative.saturating_add(beyond));
    plain.set_sample_sum(seconds(sum_us));
    let mut metric = Metric::default();
    metric.set_label(label.into_iter().map(pair).collect());
    metric.set_histogram(plain);
    metric
}

fn pair((name, value): (&str, &str)) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}

fn seconds(us: u64) -> f64 {
    Duration::from_micros(us).as_secs_f64()
}
