//! What can be limited in each scope. Amounts in the risk currency, quantities in base units, shares of one.
//!
//! Plain keys and no nesting, so that one key can be set from the environment and an error names one line.

use super::section::SelfMatch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What follows when a loss limit is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// New orders in the scope are denied; nothing else.
    Throttle,
    /// The process goes to `reduce_only`.
    ReduceOnly,
    /// The kill switch is engaged.
    Kill,
}

/// Limits over everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccountRisk {
    /// Least value of an order in the currency, or `not_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_value: Option<String>,
    /// Most value of an order in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_value: Option<String>,
    /// How far a price may lie from the middle of the book, as a share of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_collar: Option<String>,
    /// How far a limit price may reach through the far touch, as a share of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fat_finger: Option<String>,
    /// The same order again within so many milliseconds is denied (at most 60000), or `not_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_window_ms: Option<String>,
    /// Capital at the beginning of the journal in the currency; profit and loss since is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capital: Option<String>,
    /// Open orders; pending and unknown ones count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_open_orders: Option<u32>,
    /// Gross exposure at worst case, in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_gross: Option<String>,
    /// Net exposure at worst case either way, in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_net: Option<String>,
    /// Gross exposure as a multiple of equity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_leverage: Option<String>,
    /// Exposure per base asset at worst case, in the currency; `*` stands for every asset.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub assets: BTreeMap<String, String>,
    /// Loss of a UTC day in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_daily_loss: Option<String>,
    /// What follows beyond it; `kill` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_loss_then: Option<Then>,
    /// Drawdown from the peak from which sizes shrink, as a share, or `not_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawdown_soft: Option<String>,
    /// Drawdown from the peak at which sizes are zero, as a share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawdown_hard: Option<String>,
    /// What follows at the hard level; `kill` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawdown_then: Option<Then>,
    /// New orders in a second, 0 to 10000000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders_per_second: Option<u32>,
    /// New orders in a minute, 0 to 10000000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders_per_minute: Option<u32>,
    /// Submits, modifications and cancels in a second; cancels are never denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_second: Option<u32>,
    /// Submits, modifications and cancels in a minute; cancels are never denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_minute: Option<u32>,
    /// Orders that would meet one of our own: `refuse`, or `not_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_match: Option<SelfMatch>,
}

/// Limits of one venue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VenueRisk {
    /// Which; `*` for all.
    pub venue: String,
    /// Least value of an order in the currency, or `not_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_value: Option<String>,
    /// Most value of an order in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_value: Option<String>,
    /// How far a price may lie from the middle of the book, as a share of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_collar: Option<String>,
    /// How far a limit price may reach through the far touch, as a share of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fat_finger: Option<String>,
    /// The same order again within so many milliseconds is denied (at most 60000), or `not_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_window_ms: Option<String>,
    /// Open orders; pending and unknown ones count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_open_orders: Option<u32>,
    /// Gross exposure at worst case, in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_gross: Option<String>,
    /// Net exposure at worst case either way, in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_net: Option<String>,
}

/// Limits of one instrument.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SymbolRisk {
    /// Where; every venue when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue: Option<String>,
    /// Which; `*` for all.
    pub symbol: String,
    /// Least value of an order in the currency, or `not_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_value: Option<String>,
    /// Most value of an order in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_value: Option<String>,
    /// How far a price may lie from the middle of the book, as a share of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_collar: Option<String>,
    /// How far a limit price may reach through the far touch, as a share of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fat_finger: Option<String>,
    /// The same order again within so many milliseconds is denied (at most 60000), or `not_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_window_ms: Option<String>,
    /// Least quantity of an order in base units, or `not_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_quantity: Option<String>,
    /// Most quantity of an order in base units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_quantity: Option<String>,
    /// Position of all strategies at worst case either way, in base units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_position: Option<String>,
    /// Open orders; pending and unknown ones count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_open_orders: Option<u32>,
}

/// Limits of one strategy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StrategyRisk {
    /// Which; `*` for all.
    pub strategy: String,
    /// Least value of an order in the currency, or `not_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_value: Option<String>,
    /// Most value of an order in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_value: Option<String>,
    /// How far a price may lie from the middle of the book, as a share of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_collar: Option<String>,
    /// How far a limit price may reach through the far touch, as a share of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fat_finger: Option<String>,
    /// The same order again within so many milliseconds is denied (at most 60000), or `not_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_window_ms: Option<String>,
    /// Equity that it may put at stake, in the currency; its losses come off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// Its position per instrument at worst case either way, in base units; `*` for every instrument.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub max_position: BTreeMap<String, String>,
    /// Open orders; pending and unknown ones count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_open_orders: Option<u32>,
    /// Gross exposure at worst case, in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_gross: Option<String>,
    /// Net exposure at worst case either way, in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_net: Option<String>,
    /// Loss of a UTC day in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_daily_loss: Option<String>,
    /// What follows beyond it; `kill` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_loss_then: Option<Then>,
    /// Drawdown from the peak from which sizes shrink, as a share, or `not_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawdown_soft: Option<String>,
    /// Drawdown from the peak at which sizes are zero, as a share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawdown_hard: Option<String>,
    /// What follows at the hard level; `kill` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawdown_then: Option<Then>,
    /// New orders in a second, 0 to 10000000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders_per_second: Option<u32>,
    /// New orders in a minute, 0 to 10000000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders_per_minute: Option<u32>,
    /// Submits, modifications and cancels in a second; cancels are never denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_second: Option<u32>,
    /// Submits, modifications and cancels in a minute; cancels are never denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_minute: Option<u32>,
    /// So many fills of one instrument and side within the window latch it until a person re-enables it, 1 to 10000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated_fills: Option<u32>,
    /// The window, 1 to 86400000 milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated_window_ms: Option<u64>,
    /// Farthest stop-loss from the entry price as a share of it; `not_required` does without stop-losses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_loss_distance: Option<String>,
    /// Most that may be lost at the stop-loss, in the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_loss_loss: Option<String>,
    /// Share of the full Kelly stake, above 0 to 1; `not_required` does without the cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kelly_fraction: Option<String>,
    /// Closed trades below which the size is zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kelly_trades_min: Option<u32>,
    /// Target standard deviation of a day's return as a share; `not_required` does without the cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volatility_target: Option<String>,
    /// Largest weight, as a multiple of the strategy's equity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volatility_weight_max: Option<String>,
    /// Minutes of market below which the size is zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volatility_samples_min: Option<u32>,
}
