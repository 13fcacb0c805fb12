//! What is asked of the chain: an order that somebody wants, and how things stand around it.

use crate::domain::ids::{ClientOrderId, StrategyId, Symbol, VenueId};
use crate::domain::money::{Price, Quantity};
use crate::domain::order::{Order, OrderKind, OrderNumber, OrderRequest};
use crate::domain::order_types::{Side, TimeInForce};
use serde::{Deserialize, Serialize};

/// An order before it is decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its number, when the books hold it already (a second sending): it is not counted twice then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<OrderNumber>,
    /// The caller's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_order_id: Option<ClientOrderId>,
    /// Whose.
    pub strategy: StrategyId,
    /// Where.
    pub venue: VenueId,
    /// Instrument.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Kind.
    #[serde(rename = "type")]
    pub kind: OrderKind,
    /// Base quantity.
    pub quantity: Quantity,
    /// Limit price; `None` for market orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// How long it rests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_in_force: Option<TimeInForce>,
    /// Where a loss would be cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_loss: Option<Price>,
    /// May only make a position smaller.
    #[serde(default)]
    pub reduce_only: bool,
    /// The order that ends before this one goes out: it is not counted beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<OrderNumber>,
    /// What was asked for, when it was cut because its strategy is restrained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Quantity>,
}

impl Proposal {
    /// A new order as requested.
    #[must_use]
    pub fn of_request(request: &OrderRequest) -> Self {
        Self {
            number: None,
            client_order_id: request.client_order_id.clone(),
            strategy: request.strategy.clone(),
            venue: request.venue.clone(),
            symbol: request.symbol.clone(),
            side: request.side,
            kind: request.kind,
            quantity: request.quantity,
            price: request.price,
            time_in_force: request.time_in_force.clone(),
            stop_loss: request.stop_loss,
            reduce_only: request.reduce_only,
            replaces: None,
            asked: None,
        }
    }

    /// An order that the books hold, before it is sent again.
    #[must_use]
    pub fn of_order(order: &Order) -> Self {
        Self {
            number: Some(order.number),
            client_order_id: Some(order.client_order_id.clone()),
            strategy: order.strategy.clone(),
            venue: order.venue.clone(),
            symbol: order.symbol.clone(),
            side: order.side,
            kind: order.kind,
            quantity: order.remaining(),
            price: order.price,
            time_in_force: order.time_in_force.clone(),
            stop_loss: order.stop_loss,
            reduce_only: order.reduce_only,
            replaces: None,
            asked: None,
        }
    }
}

/// The state of the process, as far as new orders care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateGate {
    /// Starting or reconciling: nothing goes out.
    Starting,
    /// Everything that passes the checks.
    Running,
    /// No new entries; orders with `reduce_only` that really reduce.
    Paused,
    /// Whatever really reduces.
    ReduceOnly,
    /// Nothing.
    Halted,
    /// Nothing.
    Draining,
}

impl StateGate {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::ReduceOnly => "reduce_only",
            Self::Halted => "halted",
            Self::Draining => "draining",
        }
    }
}

/// How things stand around an order; what the books of risk cannot know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The state of the process.
    pub state: StateGate,
    /// May the strategy trade?
    pub strategy_enabled: bool,
    /// Is real money at stake at the venue? Research mode relaxes nothing there.
    pub live: bool,
    /// Why the truth about positions and orders is stale; `None` when it is fresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_truth: Option<String>,
    /// Can the journal take a row?
    pub journal_writable: bool,
}

impl Standing {
    /// Everything as it should be, at a venue without real money.
    #[must_use]
    pub const fn fine() -> Self {
        Self {
            state: StateGate::Running,
            strategy_enabled: true,
            live: false,
            stale_truth: None,
            journal_writable: true,
        }
    }
}

/// What went out to a venue; all of it counts in the message budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// A new order.
    Submit,
    /// A change of an order in place.
    Modify,
    /// A cancel. Never denied, always counted.
    Cancel,
}
