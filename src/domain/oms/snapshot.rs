//! The books as one text: written now and then, so that a start need not read the journal from row 1.
//!
//! The format is numbered. A text of an unknown number is refused, never guessed at.

use super::books::{Books, Halt, Keep, Stand, Unmatched};
use super::index::Index;
use crate::domain::ids::{StrategyId, Symbol, TradeId, VenueId};
use crate::domain::ledger::Ledger;
use crate::domain::order::{Order, OrderNumber, OrderState};
use crate::domain::risk::{LimitsId, RiskMarks};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The format that this version writes.
const FORMAT: u32 = 1;

/// Why a snapshot cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It is not what it should be.
    #[error("the snapshot cannot be read: {0}")]
    Unreadable(String),
    /// A version wrote it that this one does not know.
    #[error("the snapshot has format {found}; this version reads {FORMAT}")]
    Format {
        /// Its number.
        found: u32,
    },
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    format: u32,
    tag: Cow<'a, str>,
    next: u64,
    orders: Vec<Cow<'a, Order>>,
    closed: Cow<'a, VecDeque<OrderNumber>>,
    ledger: Cow<'a, Ledger>,
    begun: Cow<'a, BTreeSet<VenueId>>,
    halted: Cow<'a, Option<Halt>>,
    #[serde(default)]
    stand: Cow<'a, Stand>,
    #[serde(default)]
    state_version: u64,
    #[serde(default)]
    risk_marks: Cow<'a, Option<RiskMarks>>,
    #[serde(default)]
    limits: Cow<'a, Option<LimitsId>>,
    switches: Cow<'a, BTreeMap<StrategyId, bool>>,
    busted: Cow<'a, VecDeque<(VenueId, Symbol, TradeId)>>,
    unmatched: Cow<'a, VecDeque<Unmatched>>,
}

pub(super) fn write(books: &Books) -> Result<String, SnapshotError> {
    let stored = Stored {
        format: FORMAT,
        tag: Cow::Borrowed(&books.tag),
        next: books.next,
        orders: books.orders.values().map(as_in_the_rows).collect(),
        closed: Cow::Borrowed(&books.closed),
        ledger: Cow::Borrowed(&books.ledger),
        begun: Cow::Borrowed(&books.begun),
        halted: Cow::Borrowed(&books.halted),
        stand: Cow::Borrowed(&books.stand),
        state_version: books.state_version,
        risk_marks: Cow::Borrowed(&books.risk_marks),
        limits: Cow::Borrowed(&books.limits),
        switches: Cow::Borrowed(&books.switches),
        busted: Cow::Borrowed(&books.busted),
        unmatched: Cow::Borrowed(&books.unmatched),
    };
    serde_json::to_string(&stored).map_err(|error| SnapshotError::Unreadable(error.to_string()))
}

/// A sending has no row of its own, so a snapshot does not know of it either: read back, both say the same.
fn as_in_the_rows(order: &Order) -> Cow<'_, Order> {
    if order.state != OrderState::Submitted {
        return Cow::Borrowed(order);
    }
    let attempts = if order.attempts == 1 { 0 } else { order.attempts };
    Cow::Owned(Order { state: OrderState::PendingSubmit, attempts, ..order.clone() })
}

pub(super) fn read(text: &str, keep: Keep) -> Result<Books, SnapshotError> {
    let unreadable = |error: serde_json::Error| SnapshotError::Unreadable(error.to_string());
    let head: Head = serde_json::from_str(text).map_err(unreadable)?;
    if head.format != FORMAT {
        return Err(SnapshotError::Format { found: head.format });
    }
    let stored: Stored<'_> = serde_json::from_str(text).map_err(unreadable)?;
    let mut index = Index::default();
    let mut orders = BTreeMap::new();
    for order in stored.orders {
        let order = order.into_owned();
        index.enter(&order);
        orders.insert(order.number, order);
    }
    let closed = stored.closed.into_owned();
    index.retired = closed.iter().copied().collect();
    Ok(Books {
        tag: stored.tag.into_owned(),
        next: stored.next,
        orders,
        closed,
        ledger: stored.ledger.into_owned(),
        begun: stored.begun.into_owned(),
        halted: stored.halted.into_owned(),
        stand: stored.stand.into_owned(),
        state_version: stored.state_version,
        risk_marks: stored.risk_marks.into_owned(),
        limits: stored.limits.into_owned(),
        switches: stored.switches.into_owned(),
        busted: stored.busted.into_owned(),
        unmatched: stored.unmatched.into_owned(),
        index,
        keep,
    })
}
