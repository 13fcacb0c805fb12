//! What the page shows of the books: open orders, positions, balances, profit and loss, and the line of time.

use super::alerts::AlertBook;
use super::chronicle::Chronicle;
use super::view::{Balance, Event, EventKind, Money, Ms, Order, Position};
use crate::actors::oms::OmsReadings;
use crate::db::{DbError, NumberedFill, OrderFilter, Readers};
use crate::domain::control::AuditRow;
use crate::domain::ids::{Symbol, VenueId};
use crate::domain::journal::{BalanceRow, Row, Seq};
use crate::domain::ledger::Position as Held;
use crate::domain::money::Amount;
use crate::domain::order::{Order as Booked, OrderState};
use crate::web::positions;
use crate::web::wire::Beside;
use std::collections::BTreeMap;

/// Open orders that are listed.
const ORDERS_LISTED: u32 = 1_000;
/// Lines of the audit and fills in the line of time.
const YOUNGEST: u32 = 40;
/// Events in the line of time.
const EVENTS_LISTED: usize = 80;
/// Rows of the journal in which changes of state from before the start are looked for.
const ROWS_BEFORE: u64 = 1_000;

/// What was read from the database.
#[derive(Debug, Default)]
pub(super) struct Books {
    orders: Vec<Booked>,
    positions: Vec<Held>,
    balances: Vec<BalanceRow>,
    audit: Vec<AuditRow>,
    fills: Vec<NumberedFill>,
    /// Alerts and incidents.
    pub(super) alerts: AlertBook,
    /// The journal's last rows, on the first reading alone.
    pub(super) rows: Option<Vec<Row>>,
    /// Were they read?
    begun: bool,
    /// When all of this was read.
    pub(super) read_at: Option<Ms>,
}

impl Books {
    /// Reads everything; called on the blocking pool.
    ///
    /// # Errors
    /// [`DbError`].
    pub(super) fn read(readers: &Readers, begun: bool, at: Ms) -> Result<Self, DbError> {
        let filter = OrderFilter { open_only: true, ..OrderFilter::default() };
        let rows = if begun {
            None
        } else {
            let head = readers.head()?.seq.0;
            Some(readers.journal(Seq(head.saturating_sub(ROWS_BEFORE)), crate::db::PAGE_MAX)?)
        };
        Ok(Self {
            orders: readers.orders(&filter, None, ORDERS_LISTED)?,
            positions: readers.positions()?,
            balances: readers.balances()?,
            audit: readers.latest_audit(YOUNGEST)?,
            fills: readers.latest_fills(YOUNGEST)?,
            alerts: AlertBook::read(readers)?,
            rows,
            begun: true,
            read_at: Some(at),
        })
    }

    /// Was a first reading made?
    pub(super) const fn begun(&self) -> bool {
        self.begun
    }

    /// When a balance was last compared with the venue's.
    pub(super) fn last_compared(&self) -> Option<Ms> {
        self.balances.iter().filter_map(|row| row.compared_at).map(|at| at.0).max()
    }

    /// When an open order was made, or a fill booked: the last sign of a decision.
    pub(super) fn last_order(&self) -> Option<Ms> {
        let made = self.orders.iter().map(|order| order.created_at.0);
        made.chain(self.fills.iter().map(|fill| fill.fill.booked_at.0)).max()
    }

    /// Open orders, youngest first.
    pub(super) fn orders(&self) -> Vec<Order> {
        self.orders.iter().rev().map(order).collect()
    }

    /// Positions that are not flat or that differ, and how many others there are.
    pub(super) fn positions(&self, readings: &OmsReadings) -> (Vec<Position>, usize) {
        let beside = positions::beside(&self.positions, &self.balances, readings);
        let mut sums: BTreeMap<(&VenueId, &Symbol), Option<Amount>> = BTreeMap::new();
        for held in &self.positions {
            let sum = sums.entry((&held.venue, &held.symbol)).or_insert(Some(Amount::ZERO));
            *sum = sum.and_then(|sum| sum.checked_add(held.quantity));
        }
        let all: Vec<Position> = self
            .positions
            .iter()
            .zip(&beside)
            .map(|(held, beside)| {
                position(held, beside, sums.get(&(&held.venue, &held.symbol)).copied().flatten())
            })
            .collect();
        let count = all.len();
        let flat = |one: &Position| one.average_price.is_none() && !one.mismatch;
        let listed: Vec<Position> = all.into_iter().filter(|one| !flat(one)).collect();
        let left_out = count.saturating_sub(listed.len());
        (listed, left_out)
    }

    /// Balances that hold something or differ.
    pub(super) fn balances(&self) -> Vec<Balance> {
        let shown = self.balances.iter().map(balance);
        shown.filter(|one| one.mismatch || one.total.as_deref() != Some("0")).collect()
    }

    /// Profit and loss by strategy with the sum first, and how many positions are in no sum: those whose instrument is
    /// not traded against `currency`.
    pub(super) fn money(&self, readings: &OmsReadings, currency: &str) -> (Vec<Money>, usize) {
        let beside = positions::beside(&self.positions, &self.balances, readings);
        let summed = |held: &Held| held.symbol.as_str().ends_with(currency);
        let unsummed = self.positions.iter().filter(|held| !summed(held)).count();
        let mut by: BTreeMap<&str, Sum> = BTreeMap::new();
        let mut whole = Sum::default();
        for (held, beside) in self.positions.iter().zip(&beside).filter(|(held, _)| summed(held)) {
            by.entry(held.strategy.as_str()).or_default().add(held, beside);
            whole.add(held, beside);
        }
        let each = by.into_iter().map(|(name, sum)| sum.shown(name));
        let all = (!self.positions.is_empty()).then(|| whole.shown("all"));
        (each.chain(all).collect(), unsummed)
    }

    /// What happened, youngest first.
    pub(super) fn timeline(&self, chronicle: &Chronicle) -> Vec<Event> {
        let mut events = chronicle.all();
        events.extend(self.audit.iter().map(word));
        events.extend(self.fills.iter().map(fill));
        events.extend(self.alerts.events());
        events.sort_by(|a, b| (b.at, &b.key).cmp(&(a.at, &a.key)));
        events.truncate(EVENTS_LISTED);
        events
    }
}

/// Profit and loss of several positions; `None` once one of them is not known.
struct Sum {
    realised: Option<Amount>,
    unrealised: Option<Amount>,
}

impl Default for Sum {
    fn default() -> Self {
        Self { realised: Some(Amount::ZERO), unrealised: Some(Amount::ZERO) }
    }
}

impl Sum {
    fn add(&mut self, held: &Held, beside: &Beside) {
        self.realised = self.realised.and_then(|sum| sum.checked_add(held.realised_pnl));
        let unrealised = beside.unrealised_pnl;
        self.unrealised = self.unrealised.zip(unrealised).and_then(|(sum, one)| sum.checked_add(one));
    }

    fn shown(&self, name: &str) -> Money {
        let total = self.realised.zip(self.unrealised).and_then(|(one, other)| one.checked_add(other));
        let text = |amount: Option<Amount>| amount.map(|amount| amount.to_string());
        Money {
            strategy: name.to_owned(),
            realised: text(self.realised).unwrap_or_default(),
            unrealised: text(self.unrealised),
            total: text(total),
        }
    }
}

fn order(order: &Booked) -> Order {
    let side = match order.side {
        crate::domain::order_types::Side::Buy => "buy",
        crate::domain::order_types::Side::Sell => "sell",
    };
    let kind = serde_json::to_value(order.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let pending =
        matches!(order.state, OrderState::PendingSubmit | OrderState::Submitted | OrderState::PendingCancel);
    Order {
        id: order.client_order_id.to_string(),
        venue_order_id: order.venue_order_id.as_ref().map(ToString::to_string),
        venue: order.venue.to_string(),
        symbol: order.symbol.to_string(),
        strategy: order.strategy.to_string(),
        side,
        kind: kind.unwrap_or_default(),
        quantity: order.quantity.to_string(),
        price: order.price.map(|price| price.to_string()),
        executed: order.executed.to_string(),
        booked: order.booked.to_string(),
        state: order.state.word().to_owned(),
        unknown: order.state == OrderState::Unknown,
        pending,
        mismatch: order.executed != order.booked,
        updated_at: order.updated_at.0,
    }
}

fn position(held: &Held, beside: &Beside, all: Option<Amount>) -> Position {
    let mismatch = beside.venue_quantity.is_some_and(|venue| all.is_some_and(|all| all != venue));
    Position {
        venue: held.venue.to_string(),
        symbol: held.symbol.to_string(),
        strategy: held.strategy.to_string(),
        quantity: held.quantity.to_string(),
        all: all.map(|all| all.to_string()),
        venue_quantity: beside.venue_quantity.map(|quantity| quantity.to_string()),
        compared_at: beside.compared_at.map(|at| at.0),
        mismatch,
        average_price: held.average_price.map(|price| price.to_string()),
        mark: beside.mark_price.map(|price| price.to_string()),
        realised: held.realised_pnl.to_string(),
        unrealised: beside.unrealised_pnl.map(|amount| amount.to_string()),
    }
}

fn balance(row: &BalanceRow) -> Balance {
    let total = row.free.checked_add(row.locked);
    let mismatch = row.expected.zip(total).is_some_and(|(expected, total)| expected != total);
    let text = |amount: Amount| amount.normalized().to_string();
    Balance {
        venue: row.venue.to_string(),
        asset: row.asset.to_string(),
        total: total.map(text),
        expected: row.expected.map(text),
        mismatch,
        compared_at: row.compared_at.map(|at| at.0),
    }
}

fn word(row: &AuditRow) -> Event {
    let refused = row.status >= 300;
    let why = row.reason.clone().unwrap_or_default();
    let detail = match (refused, row.code.as_deref()) {
        (true, Some(code)) if why.is_empty() => format!("refused: {code}"),
        (true, Some(code)) => format!("refused: {code}; {why}"),
        _ => why,
    };
    Event {
        key: format!("a{}", row.id),
        at: row.at.0,
        kind: if refused { EventKind::Refused } else { EventKind::Operator },
        who: row.actor.clone(),
        what: row.verb.clone(),
        detail,
    }
}

fn fill(numbered: &NumberedFill) -> Event {
    let booked = &numbered.fill;
    let fill = &booked.fill;
    let side = match fill.side {
        crate::domain::order_types::Side::Buy => "bought",
        crate::domain::order_types::Side::Sell => "sold",
    };
    let taken_back = if booked.busted { "; taken back by the venue" } else { "" };
    Event {
        key: format!("f{}", numbered.number),
        at: booked.booked_at.0,
        kind: EventKind::Fill,
        who: booked.strategy.to_string(),
        what: format!("{side} {} {}", fill.quantity, fill.symbol),
        detail: format!("at {}{taken_back}", fill.price),
    }
}
