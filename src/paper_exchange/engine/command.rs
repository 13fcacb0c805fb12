//! Everything that can be asked of the exchange.
//!
//! Owns the shapes only. Commands serialise, so a journal of commands replayed into the same state gives
//! the same exchange, byte for byte. Parameters that contradict each other cannot be written down:
//! which of the venue's parameters belong to which order type is [`Terms`].

use super::ids::{AccountId, Asset, ClientOrderId, OrderId, Symbol};
use super::money::{Amount, Price, Qty, Rate};
use super::order::{OrderType, Side, StpMode, TimeInForce};
use super::symbol::{SymbolSpec, SymbolStatus};
use serde::{Deserialize, Serialize};

/// One request to the exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Lists a symbol. Refused when it exists.
    ListSymbol(SymbolSpec),
    /// Opens or halts a symbol.
    SetStatus {
        /// The symbol.
        symbol: Symbol,
        /// Its new status.
        status: SymbolStatus,
    },
    /// Opens an account. Refused when it exists.
    OpenAccount {
        /// The account.
        account: AccountId,
        /// Commission of resting orders.
        maker: Rate,
        /// Commission of taking orders.
        taker: Rate,
    },
    /// Forbids or allows new orders of an account.
    SetTrading {
        /// The account.
        account: AccountId,
        /// Whether it may place orders.
        can_trade: bool,
    },
    /// Adds to (or, negative, takes from) a free balance; announces a balance update.
    Adjust {
        /// The account.
        account: AccountId,
        /// The asset.
        asset: Asset,
        /// By how much.
        delta: Amount,
    },
    /// Places one order.
    Place(NewOrder),
    /// Places a one-cancels-the-other pair.
    PlaceOco(NewOco),
    /// Cancels one order; a leg of a list cancels the whole list, as on the venue.
    Cancel(CancelOrder),
    /// Cancels every open order of an account on a symbol.
    CancelAll {
        /// The account.
        account: AccountId,
        /// The symbol.
        symbol: Symbol,
    },
    /// Cancels an order and places another.
    CancelReplace(CancelReplace),
    /// The market's visible book changed.
    MarketBook(MarketBook),
    /// The market traded.
    MarketTrade(MarketTrade),
}

/// What an order's type takes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Terms {
    /// `LIMIT`: price, quantity, time in force.
    Limit {
        /// Limit price.
        price: Price,
        /// Base quantity.
        quantity: Qty,
        /// Time in force.
        time_in_force: TimeInForce,
    },
    /// `LIMIT_MAKER`.
    LimitMaker {
        /// Limit price.
        price: Price,
        /// Base quantity.
        quantity: Qty,
    },
    /// `MARKET` with `quantity`.
    Market {
        /// Base quantity.
        quantity: Qty,
    },
    /// `MARKET` with `quoteOrderQty`.
    MarketQuote {
        /// Quote amount to spend or to raise.
        quote_quantity: Amount,
    },
    /// `STOP_LOSS`: a market order once the last price reaches the stop against the order.
    StopLoss {
        /// Base quantity.
        quantity: Qty,
        /// Stop price.
        stop_price: Price,
    },
    /// `STOP_LOSS_LIMIT`.
    StopLossLimit {
        /// Limit price.
        price: Price,
        /// Base quantity.
        quantity: Qty,
        /// Stop price.
        stop_price: Price,
        /// Time in force once triggered.
        time_in_force: TimeInForce,
    },
    /// `TAKE_PROFIT`: a market order once the last price reaches the stop in the order's favour.
    TakeProfit {
        /// Base quantity.
        quantity: Qty,
        /// Stop price.
        stop_price: Price,
    },
    /// `TAKE_PROFIT_LIMIT`.
    TakeProfitLimit {
        /// Limit price.
        price: Price,
        /// Base quantity.
        quantity: Qty,
        /// Stop price.
        stop_price: Price,
        /// Time in force once triggered.
        time_in_force: TimeInForce,
    },
}

impl Terms {
    /// The venue's type.
    #[must_use]
    pub const fn kind(&self) -> OrderType {
        match self {
            Self::Limit { .. } => OrderType::Limit,
            Self::LimitMaker { .. } => OrderType::LimitMaker,
            Self::Market { .. } | Self::MarketQuote { .. } => OrderType::Market,
            Self::StopLoss { .. } => OrderType::StopLoss,
            Self::StopLossLimit { .. } => OrderType::StopLossLimit,
            Self::TakeProfit { .. } => OrderType::TakeProfit,
            Self::TakeProfitLimit { .. } => OrderType::TakeProfitLimit,
        }
    }

    /// The limit price.
    #[must_use]
    pub const fn price(&self) -> Option<Price> {
        match self {
            Self::Limit { price, .. }
            | Self::LimitMaker { price, .. }
            | Self::StopLossLimit { price, .. }
            | Self::TakeProfitLimit { price, .. } => Some(*price),
            _ => None,
        }
    }

    /// The stop price.
    #[must_use]
    pub const fn stop_price(&self) -> Option<Price> {
        match self {
            Self::StopLoss { stop_price, .. }
            | Self::StopLossLimit { stop_price, .. }
            | Self::TakeProfit { stop_price, .. }
            | Self::TakeProfitLimit { stop_price, .. } => Some(*stop_price),
            _ => None,
        }
    }

    /// The base quantity; `None` for a market order in quote.
    #[must_use]
    pub const fn quantity(&self) -> Option<Qty> {
        match self {
            Self::MarketQuote { .. } => None,
            Self::Limit { quantity, .. }
            | Self::LimitMaker { quantity, .. }
            | Self::Market { quantity }
            | Self::StopLoss { quantity, .. }
            | Self::StopLossLimit { quantity, .. }
            | Self::TakeProfit { quantity, .. }
            | Self::TakeProfitLimit { quantity, .. } => Some(*quantity),
        }
    }

    /// The time in force; types without one are GTC.
    #[must_use]
    pub const fn time_in_force(&self) -> TimeInForce {
        match self {
            Self::Limit { time_in_force, .. }
            | Self::StopLossLimit { time_in_force, .. }
            | Self::TakeProfitLimit { time_in_force, .. } => *time_in_force,
            _ => TimeInForce::Gtc,
        }
    }
}

/// A new order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOrder {
    /// The owner.
    pub account: AccountId,
    /// The symbol.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Type and its parameters.
    pub terms: Terms,
    /// The owner's id; generated when absent.
    pub client_order_id: Option<ClientOrderId>,
    /// Self-trade prevention; the symbol's default when absent.
    pub stp: Option<StpMode>,
}

/// A one-cancels-the-other pair: a `LIMIT_MAKER` leg, and a stop leg on the other side of the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOco {
    /// The owner.
    pub account: AccountId,
    /// The symbol.
    pub symbol: Symbol,
    /// Side of both legs.
    pub side: Side,
    /// Quantity of both legs.
    pub quantity: Qty,
    /// Price of the `LIMIT_MAKER` leg.
    pub price: Price,
    /// Stop price of the stop leg.
    pub stop_price: Price,
    /// Limit and time in force of the stop leg: `STOP_LOSS_LIMIT` when present, else `STOP_LOSS`.
    pub stop_limit: Option<(Price, TimeInForce)>,
    /// The owner's id of the list.
    pub list_client_order_id: Option<ClientOrderId>,
    /// The owner's id of the `LIMIT_MAKER` leg.
    pub limit_client_order_id: Option<ClientOrderId>,
    /// The owner's id of the stop leg.
    pub stop_client_order_id: Option<ClientOrderId>,
    /// Self-trade prevention; the symbol's default when absent.
    pub stp: Option<StpMode>,
}

/// How a request names an order. With both forms on the wire the venue looks up the number and then
/// requires the client id to match: [`OrderRef::Both`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderRef {
    /// By the exchange's number.
    Id(OrderId),
    /// By the owner's id: the open order of that id, else the latest one.
    Client(ClientOrderId),
    /// By number, and the owner's id must match.
    Both(OrderId, ClientOrderId),
}

/// Which states a cancel insists on (`cancelRestrictions`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelRestriction {
    /// Only an order without fills.
    OnlyNew,
    /// Only an order with fills.
    OnlyPartiallyFilled,
}

/// A cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelOrder {
    /// The owner.
    pub account: AccountId,
    /// The symbol.
    pub symbol: Symbol,
    /// Which order.
    pub order: OrderRef,
    /// The cancel's own id (`newClientOrderId`); generated when absent.
    pub cancel_client_order_id: Option<ClientOrderId>,
    /// Which states it insists on.
    pub restriction: Option<CancelRestriction>,
}

/// Whether the new order is still placed when the cancel fails (`cancelReplaceMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelReplaceMode {
    /// A failed cancel ends the request.
    StopOnFailure,
    /// The new order is placed anyway.
    AllowFailure,
}

/// A cancel and a new order in one request; account and symbol are the new order's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReplace {
    /// What happens when the cancel fails.
    pub mode: CancelReplaceMode,
    /// Which order to cancel.
    pub cancel: OrderRef,
    /// The cancel's own id.
    pub cancel_client_order_id: Option<ClientOrderId>,
    /// Which states the cancel insists on.
    pub restriction: Option<CancelRestriction>,
    /// The new order.
    pub order: NewOrder,
}

/// Absolute quantities of the market's visible levels (zero removes). Levels not named stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketBook {
    /// The symbol.
    pub symbol: Symbol,
    /// True: these are all levels there are, whatever stood before is gone (a REST snapshot).
    pub replace: bool,
    /// The market's own last update id, rising; the published id is this plus the number of changes our
    /// own accounts made, so both are equal while nobody trades. `None`: the next id.
    pub last_update_id: Option<u64>,
    /// Bids: price and absolute quantity.
    pub bids: Vec<(Price, Qty)>,
    /// Asks: price and absolute quantity.
    pub asks: Vec<(Price, Qty)>,
}

/// A trade between strangers on the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketTrade {
    /// The symbol.
    pub symbol: Symbol,
    /// The market's own trade id, rising; the published id is shifted by the number of trades of our own
    /// accounts. `None`: the next id.
    pub trade_id: Option<u64>,
    /// Trade price.
    pub price: Price,
    /// Base quantity.
    pub quantity: Qty,
    /// Who took: `Sell` is the wire's `m: true` (the buyer was the maker).
    pub aggressor: Side,
}
