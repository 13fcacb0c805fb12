//! The matching core: accounts, books and orders of an exchange, pure and deterministic.
//!
//! Time comes in as milliseconds, events go out as data; no sockets, clocks or randomness. The same
//! commands in the same order give the same events, byte for byte.
//!
//! Two kinds of liquidity meet here: the orders of the exchange's own accounts, and the *market*, which
//! is recorded or made up and only ever shown through [`MarketBook`] and [`MarketTrade`]. Own orders
//! trade with each other as on any exchange. Against the market the model is: a taker walks what is
//! visible, and what it took is gone until the market refreshes that level; a resting order trades when
//! the market trades through its price, or at its price once what stood ahead of it has traded. The
//! market never reacts to us, so size that would move a real market does not move this one.

mod accounts;
mod audit;
mod cancel;
mod command;
mod core;
mod event;
mod exchange;
mod filters;
mod flow;
mod ids;
mod lists;
mod market;
mod matching;
mod money;
mod order;
mod outcome;
mod pit;
mod place;
mod query;
mod refusal;
mod side;
mod snapshot;
mod stops;
mod symbol;

pub use self::core::{Fill, Limits};
pub use audit::AuditFailure;
pub use command::{
    CancelOrder, CancelReplace, CancelReplaceMode, CancelRestriction, Command, MarketBook, MarketTrade,
    NewOco, NewOrder, OrderRef, Terms,
};
pub use event::{
    AccountPosition, Balance, BalanceUpdate, BookChange, ExchangeEvent, ExecutionReport, ExecutionType,
    ListReport, ListStatus, Prevention, PublicTrade, RejectReason,
};
pub use exchange::Exchange;
pub use ids::{AccountId, Asset, ClientOrderId, ListId, NameError, OrderId, Symbol, TradeId};
pub use money::{Amount, DecimalError, Price, Qty, Rate, UNITS_PER_ONE};
pub use order::{Order, OrderStatus, OrderType, QueuePlace, Side, StpMode, TimeInForce};
pub use outcome::{CancelReplaced, Cancelled, CancelledList, Half, OcoPlaced, OrderList, Outcome, Placed};
pub use query::{AccountView, BestView, BookView, FillQuery};
pub use refusal::{Filter, Refusal};
pub use snapshot::{Snapshot, SnapshotError};
pub use symbol::{LotSize, NotionalFilter, PercentPriceBySide, PriceFilter, SymbolSpec, SymbolStatus};
