//! From the settings to what the performance figures need.

use super::plan::PlanError;
use crate::actors::performance::PerformancePlan;
use crate::config::Settings;
use crate::domain::ids::{StrategyId, VenueId};
use crate::domain::kpi::{Allotment, Allotments};
use crate::domain::risk::RiskSettings;
use std::time::Duration;

/// Plans the figures; budgets are those of the risk limits.
pub(super) fn plan(settings: &Settings, risk: &RiskSettings) -> Result<PerformancePlan, PlanError> {
    let one = |strategy: &crate::config::strategies::StrategySettings| {
        let id = StrategyId::new(&strategy.name)?;
        let own = |limits: &&crate::domain::risk::StrategyLimits| {
            limits.strategy.as_ref().is_none_or(|named| *named == id)
        };
        let budgets = risk.strategies.iter().filter(own).filter_map(|limits| limits.budget.figure());
        Ok(Allotment {
            venue: strategy.venue.as_deref().map(VenueId::new).transpose()?,
            // Of all that match, the tightest holds.
            budget: budgets.min().copied(),
            running_per_day: settings.performance.running(&strategy.name),
            trials: settings.performance.trials(&strategy.name),
            strategy: id,
        })
    };
    let strategies = settings.strategies.iter().map(one).collect::<Result<Vec<_>, PlanError>>()?;
    Ok(PerformancePlan {
        sample: Duration::from_secs(settings.performance.sample_seconds),
        asset_prices: risk.asset_prices.clone(),
        allotments: Allotments {
            currency: risk.currency.clone(),
            funding_per_day: settings.performance.funding(),
            strategies,
        },
    })
}
