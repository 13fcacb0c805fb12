//! From the settings to the drift sentry's policies.

use crate::actors::drift_sentry::DriftPlan;
use crate::config::drift::{BudgetedDetector, DeclaredStream, DriftSettings, Harm, OnDrift, Watched};
use crate::domain::detectors::{ParameterError, Sides};
use crate::domain::drift::{Consequence, MonitorSettings, Policy};
use crate::domain::ids::{IdError, StrategyId};
use rust_decimal::prelude::ToPrimitive;

/// Why the sentry cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum DriftPlanError {
    /// A strategy's name is none.
    #[error("drift.streams: {0}")]
    Strategy(#[from] IdError),
    /// A detector's parameters cannot be.
    #[error("drift.streams.river_compat: {0}")]
    Detector(#[from] ParameterError),
}

/// Plans the sentry; `None` when nothing is to be watched.
///
/// # Errors
/// [`DriftPlanError`], for what the check of the settings should have found.
pub(super) fn plan(settings: &DriftSettings) -> Result<Option<DriftPlan>, DriftPlanError> {
    if !settings.enabled {
        return Ok(None);
    }
    let policies = settings.streams.iter().map(|stream| policy(settings, stream));
    Ok(Some(DriftPlan {
        policies: policies.collect::<Result<_, _>>()?,
        fallback: Policy::fallback(monitor(settings, &DeclaredStream::default())?),
        streams_max: usize::try_from(settings.streams_max).unwrap_or(usize::MAX),
    }))
}

fn monitor(settings: &DriftSettings, own: &DeclaredStream) -> Result<MonitorSettings, ParameterError> {
    let arl0 = own.arl0.unwrap_or(settings.arl0);
    let baseline = own.baseline.unwrap_or(settings.baseline);
    let by_watch = own.detectors.is_empty();
    let asks = |detector| own.detectors.contains(&detector);
    Ok(MonitorSettings {
        arl0: arl0.to_f64().unwrap_or(f64::MAX),
        baseline: u32::try_from(baseline).unwrap_or(u32::MAX),
        clear_after: u32::try_from(settings.clear_after).unwrap_or(u32::MAX),
        mean: if by_watch { own.watch != Watched::Spread } else { asks(BudgetedDetector::Cusum) },
        variance: if by_watch { own.watch != Watched::Mean } else { asks(BudgetedDetector::VarianceCusum) },
        page_hinkley: asks(BudgetedDetector::PageHinkley),
        adwin: asks(BudgetedDetector::Adwin),
        variance_ratio: asks(BudgetedDetector::VarianceRatio),
        river_page_hinkley: own.river_compat.page_hinkley()?,
        river_adwin: own.river_compat.adwin()?,
        ..MonitorSettings::default()
    })
}

fn policy(settings: &DriftSettings, stream: &DeclaredStream) -> Result<Policy, DriftPlanError> {
    let consequence = match (stream.consequence, stream.share()) {
        (OnDrift::Inform, _) => Consequence::Inform,
        (OnDrift::Reduce, Some(factor)) => Consequence::Reduce { factor },
        // A share that is none was refused before; were it not, nothing would be the careful reading of it.
        (OnDrift::Pause, _) | (OnDrift::Reduce, None) => Consequence::Pause,
    };
    Ok(Policy {
        pattern: stream.name.clone(),
        monitor: monitor(settings, stream)?,
        harm: stream.harm.map(|harm| match harm {
            Harm::Rise => Sides::Up,
            Harm::Fall => Sides::Down,
            Harm::Both => Sides::Both,
        }),
        severity: stream.severity,
        runbook: stream.runbook.clone(),
        consequence,
        strategy: stream.strategy.as_deref().map(StrategyId::new).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(yaml: &str) -> MonitorSettings {
        let stream: DeclaredStream = serde_json::from_str(yaml).unwrap();
        monitor(&DriftSettings::default(), &stream).unwrap()
    }

    #[test]
    fn detectors_are_those_that_are_declared() {
        let on =
            |set: &MonitorSettings| [set.mean, set.variance, set.page_hinkley, set.adwin, set.variance_ratio];
        assert_eq!(on(&planned("{}")), [true, true, false, false, false]);
        assert_eq!(on(&planned(r#"{"watch": "mean"}"#)), [true, false, false, false, false]);
        let set = planned(r#"{"watch": "mean", "detectors": ["adwin", "variance_ratio", "page_hinkley"]}"#);
        assert_eq!(on(&set), [false, false, true, true, true]);
        assert!(set.river_page_hinkley.is_none() && set.river_adwin.is_none());
        let set =
            planned(r#"{"river_compat": {"page_hinkley": {"threshold": "20", "mode": "up"}, "adwin": {}}}"#);
        assert_eq!(on(&set), [true, true, false, false, false], "besides");
        assert_eq!(set.river_page_hinkley.map(|own| (own.threshold, own.delta)), Some((20.0, 0.005)));
        assert_eq!(set.river_adwin, Some(crate::domain::detectors::AdwinSettings::default()));
    }
}
