//! What the order management wants done. The shell does it in order and adds nothing of its own.
//!
//! A `Submit` is only ever emitted for an intent whose batch was reported durable; the machine itself sees to
//! that, so a shell cannot get it wrong. Cancels and queries may overtake the disk: they cannot create exposure.

use super::event::{Actor, ReplyTo};
use super::settings::OnPause;
use crate::domain::ids::{ClientOrderId, StrategyId, Symbol, TradeId, VenueId};
use crate::domain::journal::{BalanceRow, Batch};
use crate::domain::ledger::{BookedFill, Position};
use crate::domain::money::Price;
use crate::domain::order::Order;
use crate::domain::order_types::{CancelOrder, Fill, NewOrder};
use crate::domain::risk::{Approved, Explanation};
use crate::domain::time::WallMs;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write this batch; report its ticket as durable or not.
    Persist(Batch),
    /// Send a new order.
    Submit(VenueId, Approved<NewOrder>),
    /// Send a cancel.
    Cancel(VenueId, CancelOrder),
    /// Ask what became of an order.
    Query(VenueId, Symbol, ClientOrderId),
    /// Ask for all open orders.
    FetchOpenOrders(VenueId),
    /// Ask for fills after a trade.
    FetchFills(VenueId, Symbol, Option<TradeId>),
    /// Ask for balances.
    FetchBalances(VenueId),
    /// Ask the database whether this fill was booked before; it is older than what memory holds.
    CheckFill(VenueId, Fill),
    /// Answer somebody who waits.
    Reply(ReplyTo, Answer),
    /// Tell everybody who listens (strategies, event stream, metrics).
    Publish(Change),
    /// Log it; `error` means that somebody must act.
    Notice(Notice),
    /// Raise an alert: code and scope name it, as in `order_outcome_unknown:paper/pl-7`.
    Raise {
        /// One of the alert codes of the interface.
        code: &'static str,
        /// What it is about.
        scope: String,
        /// In a sentence.
        reason: String,
    },
    /// Clear an alert.
    Clear {
        /// Its code.
        code: &'static str,
        /// Its scope.
        scope: String,
    },
    /// A limit was broken that asks for it: the latch of the kill switch is to be engaged.
    EngageLatch {
        /// In a sentence.
        reason: String,
    },
    /// A cold start lifts the latch of the kill switch; [`super::Event::LatchCleared`] follows when that was done.
    LiftLatch(Actor),
    /// The drain is complete: nothing is under way, and as far as asked nothing of ours is working.
    Drained {
        /// Client order ids that are still open or unknown, as the venue or the books have it.
        left_over: Vec<ClientOrderId>,
    },
    /// The start is refused; nothing was changed.
    StartRefused {
        /// The sentence for the operator.
        why: String,
    },
}

/// What somebody who waits is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The intent is on disk (or this id was taken before: the same order as then).
    Accepted(Box<Order>),
    /// The request to cancel was taken; for an order that is final already, that order.
    CancelTaken(Box<Order>),
    /// How many cancels were begun.
    CancelAllTaken(usize),
    /// The state after an operator's word.
    State(StateView),
    /// What the risk chain would say.
    Explained(Box<Explanation>),
    /// A strategy was switched.
    Switched {
        /// Which.
        strategy: StrategyId,
        /// May it trade?
        enabled: bool,
    },
    /// Done.
    Done,
    /// No.
    Refused(Refusal),
}

/// The state of the desk, and who brought it there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct StateView {
    /// The state.
    pub phase: super::Phase,
    /// Counts the changes of this journal.
    pub version: u64,
    /// Why.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// Since when (wall clock).
    pub since: WallMs,
    /// What becomes of resting orders, where the word says so.
    pub resting_orders: Option<OnPause>,
}

impl Answer {
    /// The HTTP status that says it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Accepted(_) | Self::CancelTaken(_) | Self::CancelAllTaken(_) => 202,
            Self::State(_) | Self::Switched { .. } | Self::Explained(_) | Self::Done => 200,
            Self::Refused(_) => 409,
        }
    }

    /// What somebody who steers is told, as JSON.
    #[must_use]
    pub fn body(&self) -> Map<String, Value> {
        let members = match self {
            Self::Accepted(order) | Self::CancelTaken(order) => {
                vec![("client_order_id", json!(order.client_order_id)), ("state", json!(order.state))]
            }
            Self::CancelAllTaken(begun) => vec![("cancels_begun", json!(begun))],
            Self::State(now) => {
                let mut members = vec![
                    ("state", json!(now.phase)),
                    ("state_version", json!(now.version)),
                    ("reason", json!(now.reason)),
                    ("actor", json!(now.actor)),
                    ("since", json!(now.since.rfc3339())),
                ];
                members.extend(now.resting_orders.map(|resting| ("resting_orders", json!(resting))));
                members
            }
            Self::Switched { strategy, enabled } => {
                vec![("name", json!(strategy)), ("enabled", json!(enabled))]
            }
            Self::Explained(explained) => vec![("explanation", json!(explained))],
            Self::Done => vec![("done", json!(true))],
            Self::Refused(refusal) => vec![("code", json!(refusal.code)), ("detail", json!(refusal.detail))],
        };
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A refusal: `CODE: key=value` in words. An outcome, not an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The code, upper case with underscores.
    pub code: &'static str,
    /// `key=value, key=value`.
    pub detail: String,
    /// The kind of refusal, which decides the HTTP status.
    pub kind: RefusalKind,
}

/// Kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The request itself cannot be right (HTTP 422).
    Invalid,
    /// Nothing of that name (404).
    NotFound,
    /// It contradicts the present state (409).
    Conflict,
    /// The caller acted on a state that is not the present one (412).
    Stale,
    /// Not now; try again (503).
    Unavailable,
}

/// What changed, for those who listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum Change {
    /// An order's latest state.
    Order(Box<Order>),
    /// A fill was booked.
    Fill {
        /// As booked.
        fill: Box<BookedFill>,
        /// The decision price of its order, where both are known.
        decided: Option<Price>,
    },
    /// A position changed.
    Position(Box<Position>),
    /// A balance was heard or compared.
    Balance(Box<BalanceRow>),
    /// The state changed.
    Phase {
        /// The state.
        phase: super::Phase,
        /// Why.
        reason: String,
        /// Who.
        actor: String,
        /// Counts the changes of this journal.
        version: u64,
    },
    /// A strategy was switched.
    Strategy {
        /// Which.
        strategy: StrategyId,
        /// May it trade?
        enabled: bool,
    },
}

/// How loud a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeLevel {
    /// For the record.
    Info,
    /// Unusual.
    Warn,
    /// Somebody must act.
    Error,
}

/// A line for the log, with the runbook's event name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Loudness.
    pub level: NoticeLevel,
    /// Such as `cold_start`, `warm_start`, `reconcile_decision`, `position_snapshot`, `loop_shutdown`.
    pub event: &'static str,
    /// Fields, in order.
    pub fields: Vec<(&'static str, String)>,
}
