//! From the settings to the drift sentry's policies.

use crate::actors::drift_sentry::DriftPlan;
use crate::config::drift::{DeclaredStream, DriftSettings, OnDrift, Watched};
use crate::domain::drift::{Consequence, MonitorSettings, Policy};
use crate::domain::ids::{IdError, StrategyId};
use rust_decimal::prelude::ToPrimitive;

/// Plans the sentry; `None` when nothing is to be watched.
///
/// # Errors
/// When a strategy's name is none.
pub(super) fn plan(settings: &DriftSettings) -> Result<Option<DriftPlan>, IdError> {
    if !settings.enabled {
        return Ok(None);
    }
    let policies = settings.streams.iter().map(|stream| policy(settings, stream));
    Ok(Some(DriftPlan {
        policies: policies.collect::<Result<_, _>>()?,
        fallback: Policy::fallback(monitor(settings, None)),
        streams_max: usize::try_from(settings.streams_max).unwrap_or(usize::MAX),
    }))
}

fn monitor(settings: &DriftSettings, own: Option<&DeclaredStream>) -> MonitorSettings {
    let arl0 = own.and_then(|own| own.arl0).unwrap_or(settings.arl0);
    let baseline = own.and_then(|own| own.baseline).unwrap_or(settings.baseline);
    let watch = own.map_or(Watched::Both, |own| own.watch);
    MonitorSettings {
        arl0: arl0.to_f64().unwrap_or(f64::MAX),
        baseline: u32::try_from(baseline).unwrap_or(u32::MAX),
        clear_after: u32::try_from(settings.clear_after).unwrap_or(u32::MAX),
        mean: watch != Watched::Spread,
        variance: watch != Watched::Mean,
        ..MonitorSettings::default()
    }
}

fn policy(settings: &DriftSettings, stream: &DeclaredStream) -> Result<Policy, IdError> {
    let consequence = match (stream.consequence, stream.share()) {
        (OnDrift::Inform, _) => Consequence::Inform,
        (OnDrift::Reduce, Some(factor)) => Consequence::Reduce { factor },
        // A share that is none was refused before; were it not, nothing would be the careful reading of it.
        (OnDrift::Pause, _) | (OnDrift::Reduce, None) => Consequence::Pause,
    };
    Ok(Policy {
        pattern: stream.name.clone(),
        monitor: monitor(settings, Some(stream)),
        severity: stream.severity,
        runbook: stream.runbook.clone(),
        consequence,
        strategy: stream.strategy.as_deref().map(StrategyId::new).transpose()?,
    })
}
