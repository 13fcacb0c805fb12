//! Facts: the rows that the order management writes to the journal, and reads back to rebuild itself.
//!
//! A fact says what was decided or learned, never how. The kind is the row's kind, the payload its JSON.
//! Facts are applied by one function whether they were just decided or are being replayed; nothing else
//! changes what is durable. A kind, once written by a release, is readable for ever.

use super::event::Actor;
use super::phase::Phase;
use crate::domain::ids::{
    Asset, ClientOrderId, Correlation, StrategyId, Symbol, TradeId, VenueId, VenueOrderId,
};
use crate::domain::ledger::BookedFill;
use crate::domain::money::{Amount, Quantity};
use crate::domain::order::{Order, OrderNumber, OrderState};
use crate::domain::order_types::{Balance, Side};
use crate::domain::risk::{DecisionRecord, LimitsId, RiskMarks};
use crate::domain::run_state::Level;
use crate::domain::time::WallMs;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An order was refused before it became one. For the record; nothing follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    /// The id that the caller gave, if any.
    pub client_order_id: Option<ClientOrderId>,
    /// Whose it would have been.
    pub strategy: StrategyId,
    /// Where.
    pub venue: VenueId,
    /// Instrument.
    pub symbol: Symbol,
    /// `CODE: key=value`.
    pub reason: String,
    /// Refusals since the last such row that have none of their own.
    pub unrecorded: u64,
}

/// An order changed otherwise than by a fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Which.
    pub order: OrderNumber,
    /// Its state now.
    pub state: OrderState,
    /// Executed by the venue's word; never below what is known.
    pub executed: Quantity,
    /// The venue's own id, where it became known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue_order_id: Option<VenueOrderId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Did any of it reach the wire, as far as one must assume?
    pub sent: bool,
}

/// An order will be sent again: its absence was proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resend {
    /// Which.
    pub order: OrderNumber,
    /// Which sending this will be.
    pub attempt: u32,
}

/// A cancel was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequested {
    /// Which.
    pub order: OrderNumber,
    /// Its state now.
    pub state: OrderState,
    /// Who and why.
    pub by: Actor,
}

/// A fill was booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillBooked {
    /// The order, when it matched one.
    pub order: Option<OrderNumber>,
    /// What the venue said, and whose it is.
    pub booked: BookedFill,
    /// Base asset, so that a replay needs no instrument list.
    pub base: Asset,
    /// Quote asset.
    pub quote: Asset,
}

/// The venue's balances were taken as the beginning of the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Where.
    pub venue: VenueId,
    /// What was there.
    pub balances: Vec<Balance>,
    /// The last trade per instrument that those balances contain.
    pub after: Vec<(Symbol, TradeId)>,
}

/// A deposit, withdrawal or transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceMoved {
    /// Where.
    pub venue: VenueId,
    /// Asset.
    pub asset: Asset,
    /// Change.
    pub delta: Amount,
}

/// A strategy was switched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switched {
    /// Which.
    pub strategy: StrategyId,
    /// May it trade?
    pub enabled: bool,
    /// Who and why.
    pub by: Actor,
}

/// An operator said how much trading is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steered {
    /// How much.
    pub level: Level,
    /// Who and why.
    pub by: Actor,
}

/// Which limits hold from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsInForce {
    /// Their name, by which decisions refer to them.
    pub id: LimitsId,
    /// All of them.
    pub settings: serde_json::Value,
}

/// A strategy that its own executions had stopped may trade again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReEnabled {
    /// Which.
    pub strategy: StrategyId,
    /// Who and why.
    pub by: Actor,
}

/// A series of a strategy drifts: its entries are cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestrainedBy {
    /// Whose entries.
    pub strategy: StrategyId,
    /// The series.
    pub stream: String,
    /// The share that is left.
    pub factor: Decimal,
    /// Who and why.
    pub by: Actor,
}

/// A person lifted what a stream had cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// Whose entries.
    pub strategy: StrategyId,
    /// The series.
    pub stream: String,
    /// Who and why.
    pub by: Actor,
}

/// An operator lets one order through that the chain denies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Who and why.
    pub by: Actor,
    /// Whose order.
    pub strategy: StrategyId,
    /// Where.
    pub venue: VenueId,
    /// Instrument.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Not more than this.
    pub max_quantity: Quantity,
    /// Codes that it lifts.
    pub lifts: Vec<String>,
    /// For how long, milliseconds.
    pub for_ms: u64,
}

/// The state of the desk changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChanged {
    /// Counts the changes of this journal; an operator's page names the one that it shows.
    pub version: u64,
    /// From.
    pub from: Phase,
    /// To.
    pub to: Phase,
    /// Who and why.
    pub by: Actor,
}

/// The books were closed and begun anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColdStart {
    /// Who and why.
    pub by: Actor,
    /// Open orders that stay under watch.
    pub kept: Vec<OrderNumber>,
    /// The halt that it lifted, if there was one.
    pub lifted: Option<Actor>,
}

/// Trading goes on where the journal ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmStart {
    /// Who and why.
    pub by: Actor,
    /// Open orders at that moment.
    pub open: u64,
}

/// The run ended in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shutdown {
    /// Who and why.
    pub by: Actor,
    /// Orders that were still open.
    pub left_over: Vec<ClientOrderId>,
}

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident($payload:ty) = $kind:literal,)*) => {
        /// See the module's head.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Fact {
            $($(#[$doc])* $name($payload),)*
        }

        impl Fact {
            /// Every kind that is written.
            pub const KINDS: &[&str] = &[$($kind),*];

            /// The row's kind.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $kind,)* }
            }

            /// The row's payload, JSON.
            ///
            /// # Errors
            /// Only where a value cannot be written as JSON, which none of these is.
            pub fn payload(&self) -> Result<String, FactError> {
                let written = match self { $(Self::$name(payload) => serde_json::to_string(payload),)* };
                written.map_err(|error| FactError::new(self.kind(), &error))
            }

            /// Reads a row back; `None` for rows that are not the order management's.
            ///
            /// # Errors
            /// [`FactError`] when the kind is not known to this version, or its payload cannot be read.
            pub fn from_row(kind: &str, payload: &str) -> Result<Option<Self>, FactError> {
                match kind {
                    $($kind => serde_json::from_str(payload)
                        .map(|payload| Some(Self::$name(payload)))
                        .map_err(|error| FactError::new($kind, &error)),)*
                    other if FOREIGN.contains(&other) => Ok(None),
                    other => Err(FactError { kind: other.to_owned(), why: "a kind that this version does not know".to_owned() }),
                }
            }
        }
    };
}

/// Kinds that others write to the same journal.
const FOREIGN: &[&str] =
    &["genesis", "performance", crate::domain::alert::KIND, crate::domain::containment::KIND];

facts! {
    /// An order was taken. Nothing is sent before this is on disk.
    Intent(Box<Order>) = "intent",
    /// A request was refused.
    Denied(Denied) = "denied",
    /// An order changed.
    Moved(Moved) = "order",
    /// An order will be sent again.
    Resend(Resend) = "resend",
    /// A cancel was asked for.
    CancelRequested(CancelRequested) = "cancel_requested",
    /// An order was found at the venue and taken under watch.
    Adopted(Box<Order>) = "adopted",
    /// A fill was booked.
    Fill(Box<FillBooked>) = "fill",
    /// A fill was taken back by the venue.
    Bust(Box<FillBooked>) = "bust",
    /// The beginning of a venue's books.
    Baseline(Baseline) = "baseline",
    /// A deposit, withdrawal or transfer.
    BalanceMoved(BalanceMoved) = "balance_moved",
    /// Trading was halted.
    Halted(Actor) = "halt",
    /// The halt was lifted.
    Unhalted(Actor) = "unhalt",
    /// The risk chain decided on an order.
    Decision(Box<DecisionRecord>) = "risk",
    /// Which limits hold.
    Limits(Box<LimitsInForce>) = "risk_limits",
    /// Peaks, day beginnings and latches of risk.
    RiskMarks(Box<RiskMarks>) = "risk_marks",
    /// A latched strategy was let go on.
    ReEnabled(ReEnabled) = "re_enable",
    /// A strategy's entries are cut because a series of its drifts.
    Restrained(RestrainedBy) = "restrain",
    /// Such a cut was lifted.
    Released(Released) = "release",
    /// One order is let through.
    Granted(Box<Granted>) = "override",
    /// An operator paused, reduced or resumed.
    Steered(Steered) = "steer",
    /// The state of the desk changed.
    State(StateChanged) = "state",
    /// A strategy was switched.
    Switched(Switched) = "strategy",
    /// The books were closed and begun anew.
    ColdStart(ColdStart) = "cold_start",
    /// Trading goes on.
    WarmStart(WarmStart) = "warm_start",
    /// The run ended.
    Shutdown(Shutdown) = "loop_shutdown",
}

/// A row that cannot be read back: it is damaged, or a later version wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("journal row of kind {kind:?} cannot be used: {why}")]
pub struct FactError {
    /// The row's kind.
    pub kind: String,
    /// What is wrong.
    pub why: String,
}

impl FactError {
    pub(crate) fn new(kind: &str, why: &dyn std::fmt::Display) -> Self {
        Self { kind: kind.to_owned(), why: why.to_string() }
    }
}

/// A fact with its circumstances, as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What.
    pub fact: Fact,
    /// What it belongs to.
    pub correlation: Correlation,
    /// When it was decided (wall clock).
    pub at: WallMs,
}
