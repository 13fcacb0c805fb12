//! The plain figures that the checks read: gathered from the books once, recorded with the decision, and
//! enough to come to the same decision again.
//!
//! Values are in the risk currency, quantities in base units. `None` means that a figure is not known, which
//! denies wherever it is needed. What is zero, false or unknown is left out of the record: it is written with every
//! order, and means the same when it is read back.

use super::proposal::Standing;
use super::restraint::Restrained;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A figure without and with the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// As it is, at worst case.
    pub before: Decimal,
    /// With the order.
    pub after: Decimal,
}

/// A figure per scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(bound(
    serialize = "T: Serialize + Default + PartialEq",
    deserialize = "T: Deserialize<'de> + Default"
))]
pub struct PerScope<T> {
    /// Of the strategy.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strategy: T,
    /// At the venue.
    #[serde(default, skip_serializing_if = "is_default")]
    pub venue: T,
    /// In all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub account: T,
}

/// A figure of the strategy and of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(bound(
    serialize = "T: Serialize + Default + PartialEq",
    deserialize = "T: Deserialize<'de> + Default"
))]
pub struct Pair<T> {
    /// Of the strategy.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strategy: T,
    /// In all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub account: T,
}

/// Orders and messages so far in the windows that end now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RateUse {
    /// Orders in a second.
    #[serde(default, skip_serializing_if = "is_default")]
    pub orders_1s: u32,
    /// Orders in a minute.
    #[serde(default, skip_serializing_if = "is_default")]
    pub orders_1m: u32,
    /// Messages in a second.
    #[serde(default, skip_serializing_if = "is_default")]
    pub messages_1s: u32,
    /// Messages in a minute.
    #[serde(default, skip_serializing_if = "is_default")]
    pub messages_1m: u32,
}

/// Open orders without this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OpenCount {
    /// Of the strategy.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strategy: u32,
    /// In the instrument.
    #[serde(default, skip_serializing_if = "is_default")]
    pub symbol: u32,
    /// At the venue.
    #[serde(default, skip_serializing_if = "is_default")]
    pub venue: u32,
    /// In all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub account: u32,
}

/// What a strategy's closed trades have brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TradeRecord {
    /// Closed trades that count.
    #[serde(default, skip_serializing_if = "is_default")]
    pub trades: u32,
    /// Those that brought something after fees.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wins: u32,
    /// Mean of them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mean_win: Decimal,
    /// Mean of the others, above zero; zero when none cost anything.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mean_loss: Decimal,
}

/// An operator's override that applies to the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Who granted it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Codes of denials that it lifts.
    pub lifts: Vec<String>,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// How things stand.
    pub standing: Standing,
    /// Fresh best bid in quote units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid: Option<Decimal>,
    /// Fresh best ask in quote units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Decimal>,
    /// Risk currency per unit of the quote asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_price: Option<Decimal>,
    /// Does it make the strategy's position smaller, even if all that works on its side executes?
    #[serde(default, skip_serializing_if = "is_default")]
    pub reduces_own: bool,
    /// The same of the position of all strategies in the instrument.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reduces_net: bool,
    /// The strategy's position at worst case with the order, counted in the direction of the order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub position: Option<Decimal>,
    /// The same of all strategies.
    #[serde(default, skip_serializing_if = "is_default")]
    pub symbol_position: Option<Decimal>,
    /// Gross exposure at worst case.
    #[serde(default, skip_serializing_if = "is_default")]
    pub gross: PerScope<Option<Step>>,
    /// Net exposure at worst case with the order, counted in the direction of the order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub net: PerScope<Option<Decimal>>,
    /// Exposure in the base asset at worst case with the order, counted in the direction of the order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asset: Option<Decimal>,
    /// Profit and loss since the journal began: realised and unrealised, less fees.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pnl: Pair<Option<Decimal>>,
    /// Loss since the UTC day began; below zero is a profit.
    #[serde(default, skip_serializing_if = "is_default")]
    pub day_loss: Pair<Option<Decimal>>,
    /// Confirmed drawdown from the trailing peak, as a fraction of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub drawdown: Pair<Option<Decimal>>,
    /// Open orders.
    #[serde(default, skip_serializing_if = "is_default")]
    pub open_orders: OpenCount,
    /// Rates.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rates: Pair<RateUse>,
    /// Age of the youngest order that was the same, milliseconds, where one is remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_age_ms: Option<u64>,
    /// Best price of our own working orders on the other side: the lowest sell or the highest buy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_opposite: Option<Decimal>,
    /// What latched the strategy's repeated executions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latched: Option<String>,
    /// What its strategy's entries are cut by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restraint: Option<Restrained>,
    /// Closed trades.
    #[serde(default, skip_serializing_if = "is_default")]
    pub trades: TradeRecord,
    /// Standard deviation of a day's return of the instrument, as a fraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma: Option<Decimal>,
    /// Returns that it rests on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sigma_samples: u32,
    /// An override that applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Granted>,
}
