//! From the settings to what the sentinel judges by.

use super::PlanError;
use crate::actors::sentinel::SentinelPlan;
use crate::config::Settings;
use crate::config::sentinel::{ContainmentSettings, FeedSettings};
use crate::domain::anomaly::AnomalySettings;
use crate::domain::containment::Policy;
use crate::domain::health::{FeedPolicy, HealthSettings, Hours, SafeAction, Window};
use crate::domain::ids::{Symbol, VenueId};
use crate::domain::lease::Lease;
use std::time::Duration;

/// How long an automatic containment may take before the desk is said to be armed on stale truth.
const ARMED_GRACE_MS: u64 = 1_000;

/// The sentinel's plan.
///
/// # Errors
/// [`PlanError`] for names and hours that the settings let through but the domain does not.
pub(super) fn plan(settings: &Settings) -> Result<SentinelPlan, PlanError> {
    let set = &settings.sentinel;
    let feed = FeedPolicy {
        expected_ms: set.expected_interval_ms,
        stale_ms: set.stale_after_ms,
        hours: Hours::always(),
    };
    let mut health = HealthSettings {
        disconnected_ms: set.disconnected_after_ms,
        stranded_ms: set.stranded_after_ms,
        journal_ms: set.journal_silent_ms,
        alerting_ms: set.alerting_silent_ms,
        clock_offset_ms: set.clock_offset_ms,
        feed,
        ..HealthSettings::default()
    };
    // Where a desk is disarmed by itself, it gets a moment to be; elsewhere nobody is waited for.
    let disarms = |action| matches!(action, SafeAction::Pause | SafeAction::ReduceOnly | SafeAction::Disarm);
    if set.containment.iter().any(|one| disarms(one.action)) {
        health.armed_grace_ms = ARMED_GRACE_MS;
    }
    for one in &set.feeds {
        let key = (VenueId::new(&one.venue)?, Symbol::new(&one.symbol)?);
        let policy = policy(one, &health.feed)?;
        health.feeds.insert(key, policy);
    }
    Ok(SentinelPlan {
        tick: Duration::from_millis(set.tick_ms),
        lasts: Duration::from_millis(set.lease_ms),
        health,
        anomalies: AnomalySettings {
            enabled: set.anomalies,
            interval_ms: set.anomaly_interval_ms,
            ..AnomalySettings::default()
        },
        containment: set.containment.iter().map(containment).collect(),
        lease: Lease::new(crate::clock::monotonic()),
    })
}

fn containment(one: &ContainmentSettings) -> Policy {
    Policy {
        on: one.on.clone(),
        action: one.action,
        budget: usize::try_from(one.budget).unwrap_or(usize::MAX),
        window_ms: one.per_seconds.saturating_mul(1_000),
    }
}

fn policy(one: &FeedSettings, all: &FeedPolicy) -> Result<FeedPolicy, PlanError> {
    let windows: Result<Vec<Window>, _> =
        one.hours.iter().map(|hours| Window::new(&hours.days, &hours.from, &hours.to)).collect();
    Ok(FeedPolicy {
        expected_ms: one.expected_interval_ms.unwrap_or(all.expected_ms),
        stale_ms: one.stale_after_ms.unwrap_or(all.stale_ms),
        hours: Hours::of(windows.map_err(|error| PlanError::Hours(error.to_string()))?),
    })
}
