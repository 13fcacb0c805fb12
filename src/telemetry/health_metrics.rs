//! What was judged, as metrics: severity per component, age per feed, and the age of the judgement itself.

use super::metrics::{gauge, register};
use crate::domain::health::{Severity, Verdicts};
use prometheus::{GaugeVec, Opts, Registry};
use std::time::Duration;

pub(super) fn numbers(
    registry: &Registry,
    verdicts: &Verdicts,
    judged_age_seconds: f64,
) -> Result<(), prometheus::Error> {
    let severity =
        gauge("plimsoll_health_severity", "0 ok, 1 warning, 2 critical, as judged.", &["component"])?;
    let age = GaugeVec::new(Opts::new("plimsoll_feed_age_seconds", "Age of a feed's last data."), &["feed"])?;
    for verdict in &verdicts.0 {
        let level = match verdict.severity {
            Severity::Ok => 0,
            Severity::Warning => 1,
            Severity::Critical => 2,
        };
        severity.with_label_values(&[&verdict.component]).set(level);
        // A feed that never had data has no age; its severity says what that means.
        if let (Some(feed), Some(ms)) = (verdict.component.strip_prefix("feed/"), verdict.age_ms) {
            age.with_label_values(&[feed]).set(Duration::from_millis(ms).as_secs_f64());
        }
    }
    let judged =
        GaugeVec::new(Opts::new("plimsoll_sentinel_age_seconds", "Age of the last judgement."), &[])?;
    judged.with_label_values::<&str>(&[]).set(judged_age_seconds);
    register(registry, [severity])?;
    register(registry, [age, judged])
}
