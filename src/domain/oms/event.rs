//! What the order management is told.

use crate::domain::account_sync::AccountSnapshot;
use crate::domain::control::ControlNote;
use crate::domain::ids::{Asset, ClientOrderId, StrategyId, Symbol, VenueId};
use crate::domain::journal::Ticket;
use crate::domain::money::{Amount, Price};
use crate::domain::order::{CancelScope, OrderRequest, ReplaceRequest};
use crate::domain::order_types::{Balance, Fill, OrderReport};
use crate::domain::outcome::{Lookup, Outcome, ReadError};
use crate::domain::risk::{Override, Proposal};
use crate::domain::run_state::Verb;

use serde::{Deserialize, Serialize};

/// Names who waits for an answer; the shell keeps the other end. Never repeats within an incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyTo(pub u64);

/// Who asks, and why: stands in the journal with what was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// A person, a token's name, a strategy, or `plimsoll` itself.
    pub name: String,
    /// In their words.
    pub reason: String,
}

/// What a cold start does with open orders that it finds. Without an answer it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenOrdersAtColdStart {
    /// Start nothing while there are any.
    #[default]
    Refuse,
    /// Cancel them and wait until the venue shows none.
    Cancel,
    /// Take them under watch.
    Adopt,
}

/// How to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartHow {
    /// Go on where the journal ends.
    Warm,
    /// Close the books: orders and positions begin from nothing, the venue's balances are the new baseline.
    Cold(OpenOrdersAtColdStart),
}

/// How to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrainHow {
    /// Working orders are cancelled, and the venue is asked until it shows none of ours.
    #[default]
    Cancel,
    /// Working orders stay; only answers that are under way are waited for.
    Keep,
}

/// An operator's word on an order whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It never reached the venue.
    Absent,
    /// Ask the venue again now.
    QueryAgain,
    /// Send it again under the same id. Only after proof of absence.
    Resend,
}

/// A word of an operator on how much trading is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steering {
    /// The word.
    pub verb: Verb,
    /// The version of the state that the caller saw; `None` where the word needs none.
    pub seen: Option<u64>,
    /// Who and why.
    pub by: Actor,
}

/// The price that an instrument is worth now, from an order book that is in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Best bid.
    pub bid: Price,
    /// Best ask.
    pub ask: Price,
}

/// What the order management is told. Every event may come twice, late, or in another order than sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Begin. The state was rebuilt from the journal before.
    Start {
        /// Warm or cold.
        how: StartHow,
        /// Who and why.
        by: Actor,
    },
    /// A new order is asked for.
    Submit {
        /// What.
        request: OrderRequest,
        /// Who waits; `None` for strategies, which see the order's changes instead.
        reply: Option<ReplyTo>,
    },
    /// A cancel is asked for, by the caller's id.
    Cancel {
        /// Which.
        order: ClientOrderId,
        /// Who and why.
        by: Actor,
        /// Who waits.
        reply: Option<ReplyTo>,
    },
    /// Cancel everything within a scope.
    CancelAll {
        /// Which.
        scope: CancelScope,
        /// Who and why.
        by: Actor,
        /// Who waits.
        reply: Option<ReplyTo>,
    },
    /// Cancel and place anew.
    Replace {
        /// What.
        request: ReplaceRequest,
        /// Who and why.
        by: Actor,
        /// Who waits.
        reply: Option<ReplyTo>,
    },
    /// An operator resolves an unknown order.
    Resolve {
        /// Which, by the caller's id.
        order: ClientOrderId,
        /// How.
        resolution: Resolution,
        /// Who and why.
        by: Actor,
        /// Who waits.
        reply: Option<ReplyTo>,
    },
    /// A strategy is enabled or disabled at run time.
    SwitchStrategy {
        /// Which.
        strategy: StrategyId,
        /// May it trade?
        enabled: bool,
        /// Who and why.
        by: Actor,
        /// Who waits.
        reply: Option<ReplyTo>,
    },
    /// Trading is halted, durably, until a cold start or an operator's `reset`.
    Halt {
        /// Who and why.
        by: Actor,
    },
    /// The kill switch is engaged. May come before the start, and again with every incarnation.
    Killed {
        /// Who and why.
        by: Actor,
    },
    /// The latch of the kill switch was reset, after [`Event::Steer`] with `reset` was answered.
    LatchCleared {
        /// Who waits.
        reply: Option<ReplyTo>,
    },
    /// An operator's word on how much trading is allowed.
    Steer {
        /// What.
        steering: Steering,
        /// Who waits.
        reply: Option<ReplyTo>,
    },
    /// Close the intake, bring working orders to an end, say `Drained`.
    Drain {
        /// Cancel or keep working orders.
        how: DrainHow,
        /// Who and why.
        by: Actor,
    },
    /// Every batch up to this ticket is on disk.
    Durable {
        /// The last one.
        ticket: Ticket,
    },
    /// This refusable batch was not written and never will be.
    NotDurable {
        /// Which.
        ticket: Ticket,
        /// The reason for the caller.
        why: String,
    },
    /// The journal cannot write now (`false`) or can again (`true`).
    Journal {
        /// Can it?
        writable: bool,
    },
    /// The lease on the truth holds (`true`), or its judge has fallen silent (`false`).
    Lease {
        /// Does it?
        held: bool,
    },
    /// A (new) incarnation of a connector: what it had under way has no answer any more.
    VenueStarted {
        /// Which.
        venue: VenueId,
        /// Its incarnation, from 1.
        epoch: u64,
    },
    /// The venue's order session is up and compared (`true`) or gone (`false`).
    VenueLive {
        /// Which.
        venue: VenueId,
        /// Can orders go out?
        live: bool,
    },
    /// The connector fetched everything after a (re)connect.
    Reconciled {
        /// Which.
        venue: VenueId,
        /// What the venue says.
        snapshot: AccountSnapshot,
        /// Orders that the connector believed open and the venue does not list.
        missing: Vec<(Symbol, ClientOrderId)>,
    },
    /// An execution report from the stream.
    Report {
        /// Where.
        venue: VenueId,
        /// What.
        report: OrderReport,
    },
    /// The outcome of a placement.
    Placed {
        /// Where.
        venue: VenueId,
        /// Which, by the venue's client order id.
        order: ClientOrderId,
        /// What.
        outcome: Outcome<OrderReport>,
    },
    /// The outcome of a cancel.
    CancelAnswered {
        /// Where.
        venue: VenueId,
        /// Which, by the venue's client order id.
        order: ClientOrderId,
        /// What.
        outcome: Outcome<OrderReport>,
    },
    /// The answer to a query.
    Looked {
        /// Where.
        venue: VenueId,
        /// Which, by the venue's client order id.
        order: ClientOrderId,
        /// What.
        answer: Result<Lookup, ReadError>,
    },
    /// The answer about open orders: all of the venue's.
    OpenOrders {
        /// Where.
        venue: VenueId,
        /// What.
        answer: Result<Vec<OrderReport>, ReadError>,
    },
    /// The answer about fills.
    Fills {
        /// Where.
        venue: VenueId,
        /// Instrument.
        symbol: Symbol,
        /// What.
        answer: Result<Vec<Fill>, ReadError>,
    },
    /// Somebody else has asked for balances; the answer follows.
    BalancesAsked {
        /// Where.
        venue: VenueId,
    },
    /// The answer about balances.
    Balances {
        /// Where.
        venue: VenueId,
        /// What.
        answer: Result<Vec<Balance>, ReadError>,
    },
    /// A deposit, withdrawal or transfer.
    BalanceMoved {
        /// Where.
        venue: VenueId,
        /// Asset.
        asset: Asset,
        /// Change.
        delta: Amount,
    },
    /// The database was asked whether a fill that is older than memory was booked.
    FillChecked {
        /// Where.
        venue: VenueId,
        /// Which.
        fill: Fill,
        /// Was it? `None` when the database could not say: ask again.
        booked: Option<bool>,
    },
    /// The venue took a trade back.
    Busted {
        /// Where.
        venue: VenueId,
        /// Which.
        fill: Fill,
    },
    /// Fresh prices, or `None` when the book is not in step.
    Marked {
        /// Where.
        venue: VenueId,
        /// Instrument.
        symbol: Symbol,
        /// What.
        mark: Option<Mark>,
    },
    /// A request that steers, with what is known of whoever made it: one line of the audit, in the same batch.
    Noted {
        /// The request's circumstances.
        note: Box<ControlNote>,
        /// What is asked for.
        event: Box<Event>,
    },
    /// What would the risk chain say? Nothing is counted.
    Explain {
        /// Of what.
        proposal: Box<Proposal>,
        /// Who waits.
        reply: Option<ReplyTo>,
    },
    /// A named person lets a strategy go on that its own executions had stopped.
    ReEnable {
        /// Which.
        strategy: StrategyId,
        /// Who and why.
        by: Actor,
        /// Who waits.
        reply: Option<ReplyTo>,
    },
    /// An operator lets one order through that the risk chain denies.
    Grant {
        /// Which, who and why.
        over: Override,
        /// Who waits.
        reply: Option<ReplyTo>,
    },
    /// Time passed.
    Tick,
}
