//! What the exchange answers to a command it carried out.
//!
//! Owns the shapes of the answers and of order lists. Refusals are `refusal`; announcements are `event`.

use super::event::ExecutionReport;
use super::ids::{AccountId, ClientOrderId, ListId, OrderId, Symbol};
use super::money::Amount;
use super::order::Order;
use super::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// What a command that was carried out answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "answer", rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing to say.
    Done,
    /// An order was accepted.
    Placed(Box<Placed>),
    /// A pair was accepted.
    OcoPlaced(Box<OcoPlaced>),
    /// An order, or the list it belongs to, was cancelled.
    Cancelled(Box<Cancelled>),
    /// Every open order was cancelled, lists included.
    AllCancelled(Vec<Cancelled>),
    /// Cancel and new order were both tried or one not attempted; see [`CancelReplaced::refusal`].
    CancelReplaced(Box<CancelReplaced>),
}

/// An accepted order as it stands after matching, with the reports of its own fills in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Placed {
    /// The order after matching.
    pub order: Order,
    /// Its own `TRADE` reports (the `fills` of a FULL response).
    pub fills: Vec<ExecutionReport>,
}

/// An accepted pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OcoPlaced {
    /// The list.
    pub list: OrderList,
    /// The stop leg, then the limit leg.
    pub orders: Vec<Order>,
}

/// A cancelled order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cancelled {
    /// The order after the cancel; its `client_order_id` is the wire's `origClientOrderId`.
    pub order: Order,
    /// The cancel's own id: the wire's `clientOrderId`.
    pub cancel_client_order_id: ClientOrderId,
    /// The other legs that went with it.
    pub with_list: Option<Box<CancelledList>>,
}

/// A list that a cancel ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CancelledList {
    /// The list.
    pub list: OrderList,
    /// All its legs after the cancel, in placement order.
    pub orders: Vec<Order>,
}

/// How one half of a cancel-replace went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Half<T> {
    /// Done.
    Success(T),
    /// Refused.
    Failure(Refusal),
    /// Not tried.
    NotAttempted,
}

/// Both halves of a cancel-replace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CancelReplaced {
    /// The cancel.
    pub cancel: Half<Cancelled>,
    /// The new order.
    pub placed: Half<Placed>,
}

impl CancelReplaced {
    /// The venue's verdict: `None` when both halves succeeded, -2021 when one did, -2022 when none did.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        match (&self.cancel, &self.placed) {
            (Half::Success(_), Half::Success(_)) => None,
            (Half::Success(_), _) | (_, Half::Success(_)) => Some(Refusal::CancelReplacePartlyFailed),
            _ => Some(Refusal::CancelReplaceFailed),
        }
    }
}

/// An order list: two legs of which at most one trades.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderList {
    /// The exchange's number.
    pub list_id: ListId,
    /// The owner.
    pub account: AccountId,
    /// The symbol.
    pub symbol: Symbol,
    /// The owner's id of the list.
    pub list_client_order_id: ClientOrderId,
    /// The legs: the stop leg, then the limit leg.
    pub legs: Vec<OrderId>,
    /// What both legs together keep locked until one of them is chosen.
    pub locked: Amount,
    /// False once a leg traded, triggered or ended: from then on the surviving leg stands alone.
    pub undecided: bool,
    /// True once every leg ended.
    pub done: bool,
    /// Acceptance, in milliseconds since the epoch.
    pub accepted_ms: i64,
}
