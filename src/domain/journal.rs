//! What goes to the journal: rows in order, and the projections that are written in the same transaction.
//!
//! Rows are facts and never change. Projections (orders, fills, positions, balances) hold the latest state for
//! readers; writing the same key twice keeps the later. A [`Batch`] is durable as a whole or not at all.

use super::control::ControlRow;
use super::ids::{Asset, Correlation, StrategyId, VenueId};
use super::ledger::{BookedFill, Position};
use super::money::Amount;
use super::order::Order;
use super::time::WallMs;
use serde::{Deserialize, Serialize};

/// Position of a row in the journal: 1 for the first, contiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Seq(pub u64);

/// Names a batch within one session of its writer; rises by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Ticket(pub u64);

/// A fact to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// Its kind, a word such as `intent` or `fill`. A closed set, defined by the component that writes it.
    pub kind: &'static str,
    /// What it belongs to.
    pub correlation: Correlation,
    /// Wall-clock time; explains, never orders.
    pub at: WallMs,
    /// JSON.
    pub payload: String,
}

/// A fact that was read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its position.
    pub seq: Seq,
    /// Its kind.
    pub kind: String,
    /// What it belongs to.
    pub correlation: Correlation,
    /// Wall-clock time.
    pub at: WallMs,
    /// JSON.
    pub payload: String,
}

/// A balance as last heard from the venue, and what the ledger expects it to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceRow {
    /// Where.
    pub venue: VenueId,
    /// Asset.
    pub asset: Asset,
    /// Available, by the venue.
    pub free: Amount,
    /// Locked by open orders, by the venue.
    pub locked: Amount,
    /// Total that the ledger expects; `None` before the first comparison.
    pub expected: Option<Amount>,
    /// When the two were last compared (wall clock).
    pub compared_at: Option<WallMs>,
}

/// Whether a strategy may trade, as switched at run time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategySwitch {
    /// Which.
    pub strategy: StrategyId,
    /// May it?
    pub enabled: bool,
}

/// The whole state of the order management at one row, so that a start need not read from row 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// JSON.
    pub state: String,
    /// How many refusals of batches its author knew of. The writer drops a snapshot whose author had not yet
    /// heard of a refusal: it would hold facts that never became durable.
    pub refusals_seen: u64,
}

/// An alert's latest record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertLine {
    /// Its place among all alerts.
    pub number: i64,
    /// Its name for ever.
    pub id: String,
    /// Code and scope.
    pub key: String,
    /// Its incident.
    pub incident: String,
    /// Does it stand?
    pub is_open: bool,
    /// Is it the root of its incident?
    pub is_root: bool,
    /// JSON.
    pub record: String,
}

/// A delivery's latest record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryLine {
    /// Its idempotency key.
    pub name: String,
    /// The alert's place; 0 for none.
    pub number: i64,
    /// The alert's transition.
    pub seq: i64,
    /// Is it settled?
    pub is_final: bool,
    /// JSON.
    pub record: String,
}

/// A silence's latest record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilenceLine {
    /// Its name.
    pub id: String,
    /// The number in its name.
    pub number: i64,
    /// Is it over?
    pub ended: bool,
    /// JSON.
    pub record: String,
}

/// A channel's latest record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelLine {
    /// Its name.
    pub channel: String,
    /// JSON.
    pub record: String,
}

/// An intent of containment as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentLine {
    /// Its place among all intents.
    pub number: i64,
    /// When it was decided.
    pub at_ms: i64,
    /// Will it change any more?
    pub is_open: bool,
    /// Code and scope of the alert that asked for it.
    pub alert: String,
    /// What is done.
    pub action: String,
    /// JSON.
    pub record: String,
}

/// Records of the alert router that changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertLines {
    /// Alerts.
    pub alerts: Vec<AlertLine>,
    /// Deliveries.
    pub deliveries: Vec<DeliveryLine>,
    /// Silences.
    pub silences: Vec<SilenceLine>,
    /// Channels.
    pub channels: Vec<ChannelLine>,
}

/// What is written in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// Names it in the answer.
    pub ticket: Ticket,
    /// Facts, in order.
    pub rows: Vec<NewRow>,
    /// Orders whose state changed.
    pub orders: Vec<Order>,
    /// Fills booked.
    pub fills: Vec<BookedFill>,
    /// Positions that changed.
    pub positions: Vec<Position>,
    /// Balances heard or compared.
    pub balances: Vec<BalanceRow>,
    /// Requests that steered the process, with their answers: lines of the audit, and answers to repeat.
    pub controls: Vec<ControlRow>,
    /// Records of the alert router.
    pub alerts: Option<Box<AlertLines>>,
    /// Intents of containment.
    pub intents: Vec<IntentLine>,
    /// The state after the last row of this batch.
    pub snapshot: Option<Snapshot>,
    /// An intent: when it cannot be written now it is refused and forgotten, because nothing was sent yet.
    /// Everything else is evidence, and is kept and written as soon as that is possible again.
    pub refusable: bool,
}
