//! The guards' metrics, from their readings at scrape time: the kill switch and the venues' heartbeats.

use super::metrics::{counter, gauge, register};
use crate::actors::heartbeat::HeartbeatReading;
use crate::actors::kill_switch::LatchView;
use crate::domain::ids::VenueId;
use prometheus::{GaugeVec, Opts, Registry};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the guards' part is built from.
pub struct GuardScrape {
    /// The kill switch.
    pub kill: LatchView,
    /// The venues' heartbeats.
    pub heartbeats: BTreeMap<VenueId, HeartbeatReading>,
}

/// Registers gauges and counters.
pub(super) fn numbers(registry: &Registry, scrape: &GuardScrape) -> Result<(), prometheus::Error> {
    let large = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let kill = &scrape.kill;
    for (name, help, value) in [
        (
            "plimsoll_kill_switch_engaged",
            "Whether the kill switch keeps placements back.",
            i64::from(kill.engaged),
        ),
        ("plimsoll_kill_switch_generation", "Counts the changes of the latch.", large(kill.generation)),
        (
            "plimsoll_kill_switch_durable",
            "1 when both copies of the latch are on disk as it stands.",
            i64::from(kill.durable.is_ok()),
        ),
        ("plimsoll_placements_in_flight", "Placements without an answer.", large(kill.in_flight)),
    ] {
        let one = gauge(name, help, &[])?;
        one.with_label_values::<&str>(&[]).set(value);
        register(registry, [one])?;
    }
    let beats = counter("plimsoll_heartbeats_total", "Good answers of a venue.", &["venue"])?;
    let misses = counter(
        "plimsoll_heartbeat_misses_total",
        "Intervals without a good answer of a venue.",
        &["venue"],
    )?;
    let lost = counter(
        "plimsoll_reconnects_total",
        "Losses of a venue's order session, by cause.",
        &["venue", "cause"],
    )?;
    let help = "Time that the venue's last answer took.";
    let latency = GaugeVec::new(Opts::new("plimsoll_heartbeat_latency_seconds", help), &["venue"])?;
    for (venue, reading) in &scrape.heartbeats {
        let venue = venue.as_str();
        beats.with_label_values(&[venue]).inc_by(reading.counts.beats);
        misses.with_label_values(&[venue]).inc_by(reading.counts.misses);
        if let Some(took) = reading.counts.latency_ms {
            latency.with_label_values(&[venue]).set(Duration::from_millis(took).as_secs_f64());
        }
        for (cause, total) in &reading.losses {
            lost.with_label_values(&[venue, cause.word()]).inc_by(*total);
        }
    }
    register(registry, [beats, misses, lost])?;
    registry.register(Box::new(latency))
}
