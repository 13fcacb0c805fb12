//! What the exchange announces: private reports to one account, public facts to everyone.
//!
//! Owns the shapes, in the order in which a command emits them: reports and trades as they happen, then
//! the book change, then list statuses, then one position per touched account.
//! The wire's letters are in the field comments. It renders nothing.

use super::ids::{AccountId, Asset, ClientOrderId, ListId, OrderId, Symbol, TradeId};
use super::money::{Amount, Price, Qty};
use super::order::{Order, OrderStatus, OrderType, Side, StpMode, TimeInForce};
use serde::{Deserialize, Serialize};

/// One announcement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ExchangeEvent {
    /// `executionReport`, to its account.
    Execution(Box<ExecutionReport>),
    /// `listStatus`, to its account.
    List(Box<ListReport>),
    /// `outboundAccountPosition`, to its account.
    Position(AccountPosition),
    /// `balanceUpdate`, to its account: a deposit or withdrawal.
    Balance(BalanceUpdate),
    /// A public trade.
    Trade(PublicTrade),
    /// The public book changed.
    Book(BookChange),
}

/// `x`: what happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExecutionType {
    /// Accepted; once more, with `is_working`, when a stop order triggers.
    New,
    /// Cancelled by its owner.
    Canceled,
    /// Amended in place; this exchange never does (cancel-replace reports CANCELED and NEW).
    Replaced,
    /// Refused after acceptance.
    Rejected,
    /// Traded.
    Trade,
    /// Ended by the exchange.
    Expired,
    /// Self-trade prevention removed quantity.
    TradePrevention,
}

impl ExecutionType {
    /// The venue's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Canceled => "CANCELED",
            Self::Replaced => "REPLACED",
            Self::Rejected => "REJECTED",
            Self::Trade => "TRADE",
            Self::Expired => "EXPIRED",
            Self::TradePrevention => "TRADE_PREVENTION",
        }
    }
}

/// `r`: why an order was refused after acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RejectReason {
    /// It was not.
    None,
    /// A triggered market order without funds.
    InsufficientBalances,
}

impl RejectReason {
    /// The venue's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::InsufficientBalances => "INSUFFICIENT_BALANCES",
        }
    }
}

/// One change of one order, complete enough for every field of a Binance `executionReport`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExecutionReport {
    /// Whom it is for.
    pub account: AccountId,
    /// `E` and `T`, in milliseconds since the epoch.
    pub at_ms: i64,
    /// `s`
    pub symbol: Symbol,
    /// `c`: the order's id, or the cancel's own id on `CANCELED`.
    pub client_order_id: ClientOrderId,
    /// `C`: the order's own id on `CANCELED`, else absent (empty on the wire).
    pub original_client_order_id: Option<ClientOrderId>,
    /// `i`
    pub order_id: OrderId,
    /// `g`: -1 on the wire when absent.
    pub list_id: Option<ListId>,
    /// `S`
    pub side: Side,
    /// `o`
    pub kind: OrderType,
    /// `f`
    pub time_in_force: TimeInForce,
    /// `q`
    pub quantity: Qty,
    /// `Q`
    pub quote_quantity: Amount,
    /// `p`: zero for market types.
    pub price: Price,
    /// `P`: zero without a stop.
    pub stop_price: Price,
    /// `x`
    pub execution_type: ExecutionType,
    /// `X`
    pub status: OrderStatus,
    /// `r`
    pub reject_reason: RejectReason,
    /// `l`: zero unless `TRADE`.
    pub last_quantity: Qty,
    /// `L`: zero unless `TRADE`.
    pub last_price: Price,
    /// `Y`: zero unless `TRADE`.
    pub last_quote: Amount,
    /// `z`
    pub cumulative_quantity: Qty,
    /// `Z`
    pub cumulative_quote: Amount,
    /// `n`: zero unless `TRADE`.
    pub commission: Amount,
    /// `N`: absent unless `TRADE`.
    pub commission_asset: Option<Asset>,
    /// `t`: absent (-1 on the wire) unless `TRADE`.
    pub trade_id: Option<TradeId>,
    /// `I`: rises with every report of the exchange.
    pub execution_id: u64,
    /// `w`: whether it works on the book.
    pub is_working: bool,
    /// `m`: whether this order was the maker of this trade.
    pub is_maker: bool,
    /// `O`: acceptance, in milliseconds since the epoch.
    pub accepted_ms: i64,
    /// `W`: when it started to work.
    pub working_ms: Option<i64>,
    /// `V`
    pub stp: StpMode,
    /// `v A B U Cs pl pL`: only on `TRADE_PREVENTION`.
    pub prevention: Option<Prevention>,
}

/// The self-trade that did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Prevention {
    /// `v`: rises within the exchange.
    pub prevented_match_id: u64,
    /// `A`: all quantity prevented so far.
    pub prevented_quantity: Qty,
    /// `B` and `pl`: what this event removed.
    pub last_prevented_quantity: Qty,
    /// `pL`: the price it would have traded at.
    pub price: Price,
    /// `U`: the order on the other side.
    pub counter_order_id: OrderId,
}

impl ExecutionReport {
    /// A report that says only where the order stands.
    #[must_use]
    pub(super) fn of(order: &Order, execution_type: ExecutionType, at_ms: i64, execution_id: u64) -> Self {
        Self {
            account: order.account,
            at_ms,
            symbol: order.symbol,
            client_order_id: order.client_order_id,
            original_client_order_id: None,
            order_id: order.order_id,
            list_id: order.list_id,
            side: order.side,
            kind: order.kind,
            time_in_force: order.time_in_force,
            quantity: order.quantity,
            quote_quantity: order.quote_quantity,
            price: order.price.unwrap_or_default(),
            stop_price: order.stop_price.unwrap_or_default(),
            execution_type,
            status: order.status,
            reject_reason: RejectReason::None,
            last_quantity: Qty::ZERO,
            last_price: Price::ZERO,
            last_quote: Amount::ZERO,
            cumulative_quantity: order.executed,
            cumulative_quote: order.executed_quote,
            commission: Amount::ZERO,
            commission_asset: None,
            trade_id: None,
            execution_id,
            is_working: order.is_working && order.status.is_open(),
            is_maker: false,
            accepted_ms: order.accepted_ms,
            working_ms: order.working_ms,
            stp: order.stp,
            prevention: None,
        }
    }
}

/// `l` and `L` of a `listStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ListStatus {
    /// `EXEC_STARTED` / `EXECUTING`: the list was accepted or a leg changed.
    Executing,
    /// `ALL_DONE` / `ALL_DONE`: every leg ended.
    AllDone,
}

/// A change of an order list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListReport {
    /// Whom it is for.
    pub account: AccountId,
    /// In milliseconds since the epoch.
    pub at_ms: i64,
    /// The symbol.
    pub symbol: Symbol,
    /// The exchange's number.
    pub list_id: ListId,
    /// The owner's id of the list.
    pub list_client_order_id: ClientOrderId,
    /// Where the list stands.
    pub status: ListStatus,
    /// Legs: number and owner's id.
    pub orders: Vec<(OrderId, ClientOrderId)>,
}

/// One asset of one account. Both parts are never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The asset.
    pub asset: Asset,
    /// May be spent.
    pub free: Amount,
    /// Reserved by open orders.
    pub locked: Amount,
}

/// The balances of an account that one command touched, as they stand after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountPosition {
    /// Whom it is for.
    pub account: AccountId,
    /// In milliseconds since the epoch.
    pub at_ms: i64,
    /// The touched balances, by asset.
    pub balances: Vec<Balance>,
}

/// A deposit (positive) or withdrawal (negative).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BalanceUpdate {
    /// Whom it is for.
    pub account: AccountId,
    /// In milliseconds since the epoch.
    pub at_ms: i64,
    /// The asset.
    pub asset: Asset,
    /// By how much.
    pub delta: Amount,
}

/// A trade as everyone sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicTrade {
    /// The symbol.
    pub symbol: Symbol,
    /// `t`: rises within the symbol.
    pub trade_id: TradeId,
    /// `p`
    pub price: Price,
    /// `q`
    pub quantity: Qty,
    /// `T`, in milliseconds since the epoch.
    pub at_ms: i64,
    /// `m`: whether the buyer was the maker.
    pub buyer_is_maker: bool,
}

/// Levels of the public book that changed, with their absolute quantities (zero: gone).
/// `first_update_id` is always the previous `last_update_id` plus one: the chain has no gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BookChange {
    /// The symbol.
    pub symbol: Symbol,
    /// In milliseconds since the epoch.
    pub at_ms: i64,
    /// `U`
    pub first_update_id: u64,
    /// `u`
    pub last_update_id: u64,
    /// `b`, best first.
    pub bids: Vec<(Price, Qty)>,
    /// `a`, best first.
    pub asks: Vec<(Price, Qty)>,
}
