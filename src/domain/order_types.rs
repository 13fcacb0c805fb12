//! What an order is, in words that every venue shares: requests, reports, fills and balances.
//!
//! Values of an enumeration that this version does not know are kept as `Other`, never dropped: a new
//! order status must reach the operator, not vanish in a decoder.

use super::ids::{Asset, ClientOrderId, Symbol, TradeId, VenueOrderId};
use super::money::{Amount, Price, Quantity};
use super::time::WallMs;
use serde::{Deserialize, Serialize};

/// A word of the venue's that we do not know, cut to [`OtherWord::MAX_LEN`] printable characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OtherWord(String);

impl OtherWord {
    /// Longest word that is kept.
    pub const MAX_LEN: usize = 40;

    /// Keeps a bounded, printable copy of `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.chars().filter(|c| !c.is_control()).take(Self::MAX_LEN).collect())
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Direction of an order or a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Buys the base asset.
    Buy,
    /// Sells the base asset.
    Sell,
}

/// How an order meets the market.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderType {
    /// At a price or better.
    Limit,
    /// At whatever the book offers.
    Market,
    /// At a price, refused if it would take.
    LimitMaker,
    /// A market order once the stop price trades against us.
    StopLoss,
    /// A limit order once the stop price trades against us.
    StopLossLimit,
    /// A market order once the target price trades.
    TakeProfit,
    /// A limit order once the target price trades.
    TakeProfitLimit,
    /// A kind that this version does not know.
    Other(OtherWord),
}

/// How long an order may rest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeInForce {
    /// Until cancelled.
    Gtc,
    /// What fills at once; the rest expires.
    Ioc,
    /// All at once or nothing.
    Fok,
    /// A rule that this version does not know.
    Other(OtherWord),
}

/// The venue's word on where an order stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Accepted, nothing executed.
    New,
    /// Accepted, waiting for a condition outside the book (order lists).
    PendingNew,
    /// Partly executed, still working.
    PartiallyFilled,
    /// Fully executed.
    Filled,
    /// Cancelled on request.
    Canceled,
    /// A cancel is under way.
    PendingCancel,
    /// Refused by the engine.
    Rejected,
    /// Ended by its own rules (IOC, FOK, market order without liquidity).
    Expired,
    /// Ended by the exchange (self-trade prevention, maintenance).
    ExpiredInMatch,
    /// A state that this version does not know: treat the order as live.
    Other(OtherWord),
}

impl OrderStatus {
    /// May it still execute? An unknown word counts as live, because the other guess loses orders.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self, Self::Filled | Self::Canceled | Self::Rejected | Self::Expired | Self::ExpiredInMatch)
    }
}

/// Why a report was sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionType {
    /// Accepted.
    New,
    /// Cancelled on request.
    Canceled,
    /// Changed in place.
    Replaced,
    /// Refused.
    Rejected,
    /// Executed, partly or fully.
    Trade,
    /// Ended by its own rules or the exchange.
    Expired,
    /// Ended by self-trade prevention.
    TradePrevention,
    /// A cause that this version does not know.
    Other(OtherWord),
}

/// Did our order rest or take?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Liquidity {
    /// It rested in the book.
    Maker,
    /// It took from the book.
    Taker,
}

/// An order to send. Amounts are already rounded to the instrument's steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOrder {
    /// Ours, the same on every resend.
    pub client_order_id: ClientOrderId,
    /// Instrument.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Kind.
    pub order_type: OrderType,
    /// Base quantity.
    pub quantity: Quantity,
    /// Limit price; `None` for market kinds.
    pub price: Option<Price>,
    /// Trigger price of the stop and take-profit kinds.
    pub stop_price: Option<Price>,
    /// How long it rests; `None` where the kind forbids the field.
    pub time_in_force: Option<TimeInForce>,
}

/// A cancel to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelOrder {
    /// Instrument.
    pub symbol: Symbol,
    /// The order to cancel, by the id we gave it.
    pub client_order_id: ClientOrderId,
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Unique per (venue, account, symbol).
    pub trade_id: TradeId,
    /// Instrument.
    pub symbol: Symbol,
    /// The order that executed, as the venue numbers it.
    pub venue_order_id: VenueOrderId,
    /// The order that executed, as we named it. Fill histories may omit it.
    pub client_order_id: Option<ClientOrderId>,
    /// Direction of our order.
    pub side: Side,
    /// Base quantity.
    pub quantity: Quantity,
    /// Price.
    pub price: Price,
    /// Fee; negative for a rebate.
    pub fee: Amount,
    /// Asset of the fee; `None` when the venue named none.
    pub fee_asset: Option<Asset>,
    /// Maker or taker.
    pub liquidity: Liquidity,
    /// The venue's time of the execution.
    pub at: WallMs,
}

/// Where an order stands, according to the venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderReport {
    /// The order's id as first given. In a cancel's report this is the original id, not the cancel's own.
    pub client_order_id: ClientOrderId,
    /// The venue's id.
    pub venue_order_id: VenueOrderId,
    /// Instrument.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Kind.
    pub order_type: OrderType,
    /// How long it rests.
    pub time_in_force: TimeInForce,
    /// State.
    pub status: OrderStatus,
    /// What caused this report; `None` for the answer to a query.
    pub execution: Option<ExecutionType>,
    /// Limit price; zero for market kinds.
    pub price: Price,
    /// Ordered base quantity.
    pub quantity: Quantity,
    /// Executed base quantity so far. Comparing it with the booked fills finds lost frames.
    pub executed: Quantity,
    /// Executed quote amount so far.
    pub executed_quote: Amount,
    /// The executions that this message itself carries (none, one, or those of a placement's answer).
    pub fills: Vec<Fill>,
    /// The venue's words for a refusal.
    pub reject_reason: Option<OtherWord>,
    /// The venue's time.
    pub at: WallMs,
}

/// One asset of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Asset.
    pub asset: Asset,
    /// Available.
    pub free: Amount,
    /// Locked by open orders.
    pub locked: Amount,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_bounded_and_live() {
        let word = OtherWord::new(&format!("A\u{7}{}", "x".repeat(500)));
        assert_eq!(word.as_str().len(), OtherWord::MAX_LEN);
        assert!(!word.as_str().contains('\u{7}'));
        assert!(OrderStatus::Other(word).is_live());
        assert!(!OrderStatus::ExpiredInMatch.is_live());
    }
}
