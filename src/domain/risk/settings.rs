//! All limits as configured, per scope, and how those that match one order become one set.
//!
//! Amounts are in the risk currency, quantities in base units, fractions of one, times in milliseconds.
//! `None` as the name of an entry stands for all of its kind. Reads no files: the configuration is next door.

use super::limit::{DrawdownLimit, KellyLimit, Limit, LossLimit, RepeatLimit, StopLimit, VolatilityLimit};
use super::limits::{Limits, LimitsId};
use crate::domain::ids::{Asset, StrategyId, Symbol, VenueId};
use crate::domain::money::Price;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that the chain is configured with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskSettings {
    /// What every value is measured in.
    pub currency: Asset,
    /// A mark that is older is none, milliseconds.
    pub mark_max_age_ms: u64,
    /// Fixed prices, for assets without an instrument against the currency.
    pub asset_prices: BTreeMap<Asset, Price>,
    /// What may not be traded at all.
    pub restricted: Vec<Market>,
    /// Names of the checks that research mode relaxes; empty when it enforces all.
    pub relaxed: BTreeSet<String>,
    /// Over everything.
    pub account: AccountLimits,
    /// Per venue.
    pub venues: Vec<VenueLimits>,
    /// Per instrument.
    pub symbols: Vec<SymbolLimits>,
    /// Per strategy.
    pub strategies: Vec<StrategyLimits>,
}

/// An instrument, at one venue or at all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Market {
    /// Where; `None` for every venue.
    pub venue: Option<VenueId>,
    /// Which.
    pub symbol: Symbol,
}

/// Limits of single orders. They can stand in every scope; the tightest holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OrderLimits {
    /// Least value of an order.
    pub min_value: Limit<Decimal>,
    /// Most.
    pub max_value: Limit<Decimal>,
    /// How far a price may lie from the middle of the book, as a fraction of it.
    pub price_collar: Limit<Decimal>,
    /// How far a limit price may reach through the far touch, as a fraction of it.
    pub fat_finger: Limit<Decimal>,
    /// The same order again within this is refused, milliseconds.
    pub duplicate_window_ms: Limit<u64>,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rates {
    /// New orders in a second.
    pub orders_per_second: Limit<u32>,
    /// New orders in a minute.
    pub orders_per_minute: Limit<u32>,
    /// Submits, modifications and cancels in a second.
    pub messages_per_second: Limit<u32>,
    /// Submits, modifications and cancels in a minute.
    pub messages_per_minute: Limit<u32>,
}

/// Over everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountLimits {
    /// Of single orders.
    pub order: OrderLimits,
    /// The capital at the beginning of the journal; profit and loss since is added.
    pub capital: Limit<Decimal>,
    /// Open orders.
    pub open_orders: Limit<u32>,
    /// Gross exposure.
    pub gross: Limit<Decimal>,
    /// Net exposure, either way.
    pub net: Limit<Decimal>,
    /// Gross exposure as a multiple of equity.
    pub leverage: Limit<Decimal>,
    /// Exposure per base asset; `None` stands for every asset.
    pub assets: Vec<(Option<Asset>, Limit<Decimal>)>,
    /// Loss of a day.
    pub daily_loss: Limit<LossLimit>,
    /// Loss from the peak.
    pub drawdown: Limit<DrawdownLimit>,
    /// How often.
    pub rates: Rates,
    /// Orders that would meet one of our own are refused.
    pub self_match: Limit<()>,
}

/// One venue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VenueLimits {
    /// Which; `None` for all.
    pub venue: Option<VenueId>,
    /// Of single orders.
    pub order: OrderLimits,
    /// Open orders.
    pub open_orders: Limit<u32>,
    /// Gross exposure.
    pub gross: Limit<Decimal>,
    /// Net exposure, either way.
    pub net: Limit<Decimal>,
}

/// One instrument.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SymbolLimits {
    /// Where; `None` for every venue.
    pub venue: Option<VenueId>,
    /// Which; `None` for all.
    pub symbol: Option<Symbol>,
    /// Of single orders.
    pub order: OrderLimits,
    /// Least quantity of an order.
    pub min_quantity: Limit<Decimal>,
    /// Most.
    pub max_quantity: Limit<Decimal>,
    /// Position over all strategies, either way, base units.
    pub position: Limit<Decimal>,
    /// Open orders.
    pub open_orders: Limit<u32>,
}

/// One strategy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StrategyLimits {
    /// Which; `None` for all.
    pub strategy: Option<StrategyId>,
    /// Of single orders.
    pub order: OrderLimits,
    /// Position per instrument, either way, base units; `None` stands for every instrument.
    pub positions: Vec<(Option<Symbol>, Limit<Decimal>)>,
    /// Open orders.
    pub open_orders: Limit<u32>,
    /// Gross exposure.
    pub gross: Limit<Decimal>,
    /// Net exposure, either way.
    pub net: Limit<Decimal>,
    /// The equity that it may put at stake; losses so far come off.
    pub budget: Limit<Decimal>,
    /// Loss of a day.
    pub daily_loss: Limit<LossLimit>,
    /// Loss from the peak.
    pub drawdown: Limit<DrawdownLimit>,
    /// How often.
    pub rates: Rates,
    /// Fills without a person.
    pub repeats: Limit<RepeatLimit>,
    /// Stop-loss on every order that opens.
    pub stop_loss: Limit<StopLimit>,
    /// Kelly's cap.
    pub kelly: Limit<KellyLimit>,
    /// Volatility's cap.
    pub volatility: Limit<VolatilityLimit>,
}

impl RiskSettings {
    /// Settings in which nothing is set: every order is denied.
    #[must_use]
    pub fn nothing_set(currency: Asset) -> Self {
        Self {
            currency,
            mark_max_age_ms: 5_000,
            asset_prices: BTreeMap::new(),
            restricted: Vec::new(),
            relaxed: BTreeSet::new(),
            account: AccountLimits::default(),
            venues: Vec::new(),
            symbols: Vec::new(),
            strategies: Vec::new(),
        }
    }

    /// The set that holds for orders of one strategy in one instrument: the tightest of all that match.
    #[must_use]
    pub fn resolve(
        &self,
        strategy: &StrategyId,
        venue: &VenueId,
        symbol: &Symbol,
        base: Option<&Asset>,
    ) -> Limits {
        Limits::resolve(self, strategy, venue, symbol, base)
    }

    /// Names this version of the limits, for the record of a decision.
    #[must_use]
    pub fn id(&self) -> LimitsId {
        LimitsId::of(self)
    }

    pub(super) fn restricts(&self, venue: &VenueId, symbol: &Symbol) -> bool {
        self.restricted.iter().any(|market| {
            market.symbol == *symbol && market.venue.as_ref().is_none_or(|named| named == venue)
        })
    }
}
