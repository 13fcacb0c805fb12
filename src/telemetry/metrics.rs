//! Metric names, and the exposition built from a snapshot at scrape time.
//!
//! Gauges and counters of the tree are read from its books when somebody asks, so they cannot drift
//! from what `GET /api/v1/supervision` says. Label sets are bounded: paths of the tree and fixed words.

use super::alert_metrics::{self, AlertScrape};
use super::drift_metrics;
use super::guard_metrics::{self, GuardScrape};
use super::health_metrics;
use super::order_metrics::{self, OrderScrape};
use super::outlet::lines_lost;
use crate::actors::drift_sentry::DriftView;
use crate::actors::process_monitor::ProcessReading;
use crate::domain::health::Verdicts;
use crate::supervision::{Node, NodeKind, NodeState};
use prometheus::{Encoder, GaugeVec, IntGaugeVec, Opts, Registry, TextEncoder};
use prometheus::{IntCounterVec, core::Collector};

/// What the exposition is built from.
pub struct Scrape<'a> {
    /// The tree.
    pub nodes: &'a [Node],
    /// The process, once it was read.
    pub process: Option<&'a ProcessReading>,
    /// Largest step of the wall clock against the monotonic one, seconds; signed.
    pub clock_step_seconds: Option<f64>,
    /// Seconds since start.
    pub uptime_seconds: f64,
    /// Whether the process may trade.
    pub ready: bool,
    /// Version and configuration hash.
    pub build: (&'a str, &'a str),
    /// The order path, in a process that has one.
    pub orders: Option<OrderScrape<'a>>,
    /// The guards, in a process that trades.
    pub guards: Option<GuardScrape>,
    /// The alerts, in a process that trades.
    pub alerts: Option<AlertScrape<'a>>,
    /// The drift sentry, in a process that watches series.
    pub drift: Option<&'a DriftView>,
    /// What was judged of every component.
    pub verdicts: &'a Verdicts,
    /// Age of that judgement, seconds.
    pub judged_age_seconds: f64,
}

/// The Prometheus text exposition.
///
/// # Errors
/// When a name is not legal or used twice: a bug, found by the test below.
pub fn exposition(scrape: &Scrape<'_>) -> Result<String, prometheus::Error> {
    let registry = Registry::new();
    tree(&registry, scrape)?;
    health_metrics::numbers(&registry, scrape.verdicts, scrape.judged_age_seconds)?;
    process(&registry, scrape)?;
    let lost = counter("plimsoll_log_lines_lost_total", "Log lines that nobody took fast enough.", &[])?;
    lost.with_label_values::<&str>(&[]).inc_by(lines_lost());
    register(&registry, [lost])?;
    let mut families = Vec::new();
    if let Some(orders) = &scrape.orders {
        order_metrics::numbers(&registry, orders)?;
        families = order_metrics::histograms(orders);
    }
    if let Some(guards) = &scrape.guards {
        guard_metrics::numbers(&registry, guards)?;
    }
    if let Some(alerts) = &scrape.alerts {
        alert_metrics::numbers(&registry, alerts)?;
        families.extend(alert_metrics::histograms(alerts));
    }
    if let Some(drift) = scrape.drift {
        drift_metrics::numbers(&registry, drift)?;
    }
    families.extend(registry.gather());
    let mut out = Vec::new();
    TextEncoder::new().encode(&families, &mut out)?;
    String::from_utf8(out).map_err(|error| prometheus::Error::Msg(error.to_string()))
}

fn tree(registry: &Registry, scrape: &Scrape<'_>) -> Result<(), prometheus::Error> {
    let restarts = counter("plimsoll_actor_restarts_total", "Restarts of a node of the tree.", &["path"])?;
    let handled =
        counter("plimsoll_actor_handled_total", "Messages given to an actor's handlers.", &["path"])?;
    let dead = counter(
        "plimsoll_dead_letters_total",
        "Messages that were not handled to their end.",
        &["path", "reason"],
    )?;
    let up = gauge("plimsoll_component_status", "1 when the component is running.", &["component"])?;
    let depth = gauge("plimsoll_queue_depth", "Messages that wait.", &["queue"])?;
    let capacity = gauge("plimsoll_queue_capacity", "Messages that may wait.", &["queue"])?;
    let tasks = gauge("plimsoll_background_tasks", "Background tasks that run.", &[])?;
    tasks.with_label_values::<&str>(&[]).set(0);
    for node in scrape.nodes {
        let path = node.path.as_str();
        match node.kind {
            NodeKind::Task => {
                tasks.with_label_values::<&str>(&[]).inc();
                continue;
            }
            NodeKind::Worker => {
                handled.with_label_values(&[path]).inc_by(node.handled);
                depth.with_label_values(&[path]).set(signed(node.mailbox_depth));
                let limit = node.limits.get("mailbox_capacity").and_then(serde_json::Value::as_i64);
                capacity.with_label_values(&[path]).set(limit.unwrap_or_default());
                for (reason, count) in &node.dead_letters {
                    dead.with_label_values(&[path, reason]).inc_by(*count);
                }
            }
            NodeKind::Supervisor => {}
        }
        restarts.with_label_values(&[path]).inc_by(node.restarts);
        up.with_label_values(&[path]).set(i64::from(node.state == NodeState::Running));
    }
    if let Some(orders) = &scrape.orders {
        depth.with_label_values(&["journal_batches"]).set(signed(orders.view.undurable));
        depth.with_label_values(&["journal_rows"]).set(signed(orders.journal.waiting_rows));
    }
    register(registry, [restarts, handled, dead])?;
    register(registry, [up, depth, capacity, tasks])
}

fn process(registry: &Registry, scrape: &Scrape<'_>) -> Result<(), prometheus::Error> {
    let info = gauge("plimsoll_build_info", "Always 1.", &["version", "config_hash"])?;
    info.with_label_values(&[scrape.build.0, scrape.build.1]).set(1);
    let ready = gauge("plimsoll_ready", "1 when every readiness gate is open.", &[])?;
    ready.with_label_values::<&str>(&[]).set(i64::from(scrape.ready));
    register(registry, [info, ready])?;
    let mut seconds = vec![("plimsoll_uptime_seconds", "Time since start.", Some(scrape.uptime_seconds))];
    seconds.push((
        "plimsoll_clock_step_seconds",
        "Largest step of the wall clock against the monotonic clock.",
        scrape.clock_step_seconds,
    ));
    for (name, help, value) in seconds {
        let Some(value) = value else { continue };
        let one = GaugeVec::new(Opts::new(name, help), &[])?;
        one.with_label_values::<&str>(&[]).set(value);
        registry.register(Box::new(one))?;
    }
    let Some(process) = scrape.process else { return Ok(()) };
    let facts = [
        ("process_resident_memory_bytes", "Resident memory.", process.resident_bytes),
        ("process_open_fds", "Open file descriptors.", process.open_fds),
        ("process_max_fds", "Limit of open file descriptors.", process.max_fds),
        ("process_threads", "Threads.", process.threads),
    ];
    for (name, help, value) in facts {
        let one = gauge(name, help, &[])?;
        one.with_label_values::<&str>(&[]).set(i64::try_from(value).unwrap_or(i64::MAX));
        register(registry, [one])?;
    }
    Ok(())
}

pub(super) fn counter(name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

pub(super) fn gauge(name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
    IntGaugeVec::new(Opts::new(name, help), labels)
}

pub(super) fn register<C: Collector + 'static, const N: usize>(
    registry: &Registry,
    collectors: [C; N],
) -> Result<(), prometheus::Error> {
    collectors.into_iter().try_for_each(|one| registry.register(Box::new(one)))
}

pub(super) fn signed(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::alert_router::AlertReading;
    use crate::actors::heartbeat::HeartbeatReading;
    use crate::actors::journal::JournalReading;
    use crate::actors::kill_switch::{LatchView, NotDurable};
    use crate::actors::oms::{Histogram, Latencies, OmsView};
    use crate::domain::health::{Severity, Status, Verdict};
    use crate::domain::heartbeat::Counts;
    use crate::domain::ids::VenueId;
    use crate::domain::kill_switch::{Cause, LatchRecord};
    use crate::domain::losses::{LossCause, Losses};
    use crate::domain::time::WallMs;
    use std::time::Duration;

    fn guards() -> GuardScrape {
        let record =
            LatchRecord { generation: 4, cause: Some(Cause::Operator), ..LatchRecord::first(WallMs(0)) };
        let losses = Losses::default();
        losses.note(LossCause::Closed);
        let counts = Counts { beats: 7, misses: 1, in_a_row: 0, latency_ms: Some(12) };
        let reading = HeartbeatReading { counts, last: None, losses: losses.read() };
        GuardScrape {
            kill: LatchView {
                engaged: true,
                generation: 4,
                record,
                durable: Err(NotDurable::Pending),
                in_flight: 3,
                repeats: 0,
                last_repeat: None,
            },
            heartbeats: [(VenueId::new("paper").unwrap(), reading)].into(),
        }
    }

    #[test]
    fn an_empty_tree_still_tells_what_the_process_is() {
        let reading = ProcessReading { resident_bytes: 1, open_fds: 2, max_fds: 3, threads: 4 };
        let scrape = Scrape {
            nodes: &[],
            process: Some(&reading),
            clock_step_seconds: Some(-0.5),
            uptime_seconds: 1.5,
            ready: false,
            build: ("0.1.0", "abc"),
            orders: None,
            guards: None,
            alerts: None,
            drift: None,
            verdicts: &Verdicts::default(),
            judged_age_seconds: 0.25,
        };
        let text = exposition(&scrape).unwrap();
        assert!(text.contains("plimsoll_build_info{config_hash=\"abc\",version=\"0.1.0\"} 1"), "{text}");
        assert!(text.contains("plimsoll_ready 0") && text.contains("process_open_fds 2"), "{text}");
        assert!(text.contains("plimsoll_clock_step_seconds -0.5"), "{text}");
    }
    #[test]
    fn every_order_state_and_stage_has_its_series_from_the_start() {
        let view = OmsView { open_positions: 2, undurable: 3, ..OmsView::default() };
        let latency = Latencies::default();
        latency.venue_ack.note(Duration::from_micros(800));
        latency.venue_ack.note(Duration::from_secs(60));
        let commits = Histogram::default();
        let journal = JournalReading { performance_dropped: 4, ..JournalReading::default() };
        commits.note(Duration::from_millis(2));
        let mut reading = AlertReading::default();
        reading.open.critical = 2;
        let scrape = Scrape {
            nodes: &[],
            process: None,
            clock_step_seconds: None,
            uptime_seconds: 1.0,
            ready: true,
            build: ("0.1.0", "abc"),
            orders: Some(OrderScrape {
                view: &view,
                latency: &latency,
                journal: &journal,
                journal_idle: Some(Duration::from_millis(1500)),
                commits: &commits,
            }),
            guards: Some(guards()),
            alerts: Some(AlertScrape { reading, pending: 1, delivery: &commits }),
            drift: Some(&DriftView { dropped: 6, refused: 5, ..DriftView::default() }),
            verdicts: &Verdicts(vec![
                Verdict::bad("feed/paper/BTCUSDT", Status::Stale, Severity::Critical, "x").aged(Some(6_500)),
            ]),
            judged_age_seconds: 0.25,
        };
        let text = exposition(&scrape).unwrap();
        for line in [
            "plimsoll_orders_total{state=\"denied\"} 0",
            "plimsoll_open_orders{state=\"unknown\"} 0",
            "plimsoll_open_positions 2",
            "plimsoll_alerts_open{severity=\"critical\"} 2",
            "plimsoll_alerts_open{severity=\"info\"} 0",
            "plimsoll_alert_conditions_pending 1",
            "plimsoll_alert_delivery_seconds_count 1",
            "plimsoll_incidents_in_median{step=\"notify\"} 0",
            "plimsoll_kill_switch_engaged 1",
            "plimsoll_kill_switch_generation 4",
            "plimsoll_kill_switch_durable 0",
            "plimsoll_placements_in_flight 3",
            "plimsoll_heartbeats_total{venue=\"paper\"} 7",
            "plimsoll_heartbeat_misses_total{venue=\"paper\"} 1",
            "plimsoll_heartbeat_latency_seconds{venue=\"paper\"} 0.012",
            "plimsoll_reconnects_total{cause=\"closed\",venue=\"paper\"} 1",
            "plimsoll_reconnects_total{cause=\"mute\",venue=\"paper\"} 0",
            "plimsoll_queue_depth{queue=\"journal_batches\"} 3",
            "plimsoll_order_latency_seconds_bucket{stage=\"venue_ack\",le=\"0.001\"} 1",
            "plimsoll_order_latency_seconds_bucket{stage=\"venue_ack\",le=\"+Inf\"} 2",
            "plimsoll_order_latency_seconds_count{stage=\"fill\"} 0",
            "plimsoll_journal_commit_seconds_bucket{le=\"0.001\"} 0",
            "plimsoll_journal_commit_seconds_bucket{le=\"0.0025\"} 1",
            "plimsoll_journal_write_age_seconds 1.5",
            "plimsoll_journal_writable 0",
            "plimsoll_feed_age_seconds{feed=\"paper/BTCUSDT\"} 6.5",
            "plimsoll_health_severity{component=\"feed/paper/BTCUSDT\"} 2",
            "plimsoll_sentinel_age_seconds 0.25",
            "plimsoll_drift_observations_total{kind=\"slippage\"} 0",
            "plimsoll_drift_rejected_total{kind=\"other\"} 0",
            "plimsoll_drift_detections_total{kind=\"signal\"} 0",
            "plimsoll_drift_streams{kind=\"feed_gap\"} 0",
            "plimsoll_drift_streams_open{kind=\"hit_rate\"} 0",
            "plimsoll_drift_dropped_total 6",
            "plimsoll_drift_refused_total 5",
            "plimsoll_performance_dropped_total 4",
            "plimsoll_telemetry_dropped_total 0",
            "plimsoll_audit_dropped_total 0",
        ] {
            assert!(text.contains(line), "no {line} in\n{text}");
        }
        assert!(!text.contains("plimsoll_open_orders{state=\"filled\"}"), "{text}");
    }
}
