//! The matching core: accounts, books and orders of an exchange, pure and deterministic.
//!
//! Time comes in as milliseconds, events go out as data; no sockets, clocks or randomness. The same
//! commands in the same order give the same events, byte for byte.

pub mod command;
pub mod event;
pub mod ids;
pub mod money;
pub mod order;
pub mod refusal;
pub mod symbol;

pub use command::{
    CancelOrder, CancelReplace, CancelReplaceMode, CancelReplaced, CancelRestriction, Cancelled,
    CancelledList, Command, Half, MarketBook, MarketTrade, NewOco, NewOrder, OcoPlaced, OrderList, OrderRef,
    Outcome, Placed, Terms,
};
pub use event::{
    AccountPosition, Balance, BalanceUpdate, BookChange, ExchangeEvent, ExecutionReport, ExecutionType,
    ListReport, ListStatus, Prevention, PublicTrade, RejectReason,
};
pub use ids::{AccountId, Asset, ClientOrderId, ListId, NameError, OrderId, Symbol, TradeId};
pub use money::{Amount, DecimalError, Price, Qty, Rate};
pub use order::{Order, OrderStatus, OrderType, QueuePlace, Side, StpMode, TimeInForce};
pub use refusal::{Filter, Refusal};
pub use symbol::{LotSize, NotionalFilter, PercentPriceBySide, PriceFilter, SymbolSpec, SymbolStatus};
