//! From the settings of the strategies to what the order management and their cells need.

use super::plan::PlanError;
use crate::actors::strategy::StrategySetup;
use crate::config::Settings;
use crate::config::strategies::{OnUnknown, StrategySettings};
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::domain::money::Price;
use crate::domain::oms::StrategySettings as OrderSettings;
use crate::domain::order::Patience;
use crate::domain::strategy::kind;
use std::sync::Arc;

/// What the order management must know of each strategy.
pub(super) fn order_settings(settings: &Settings) -> Result<Vec<OrderSettings>, PlanError> {
    settings.strategies.iter().map(|strategy| one(strategy, settings.orders.max_age_ms)).collect()
}

fn one(strategy: &StrategySettings, max_age_ms: u64) -> Result<OrderSettings, PlanError> {
    Ok(OrderSettings {
        id: StrategyId::new(&strategy.name)?,
        patience: match strategy.on_unknown {
            OnUnknown::Adopt => Patience::Adopt,
            OnUnknown::Requeue => Patience::Requeue,
            OnUnknown::Cancel => Patience::Cancel,
            OnUnknown::Hold => Patience::Hold,
        },
        enabled: strategy.enabled,
        max_age_ms: strategy.max_order_age_ms.unwrap_or(max_age_ms),
        price_guard: Price::parse(&strategy.price_guard)?.get(),
    })
}

/// The built-in strategies, ready to be made.
pub(super) fn plans(settings: &Settings) -> Result<Vec<StrategySetup>, PlanError> {
    let built_in = settings.strategies.iter().filter(|strategy| strategy.is_built_in());
    built_in
        .map(|strategy| {
            let impossible = || PlanError::Strategy(strategy.name.clone());
            let kind = kind(&strategy.kind).ok_or_else(impossible)?;
            let make = (kind.build)(&strategy.parameters).map_err(|_| impossible())?;
            let (venue, symbol) = (strategy.venue.as_deref(), strategy.symbol.as_deref());
            Ok(StrategySetup {
                strategy: StrategyId::new(&strategy.name)?,
                venue: VenueId::new(venue.ok_or_else(impossible)?)?,
                symbol: Symbol::new(symbol.ok_or_else(impossible)?)?,
                make: Arc::new(make),
            })
        })
        .collect()
}
