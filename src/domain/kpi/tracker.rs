//! Every strategy's figures, folded from the journal's rows in their order.
//!
//! It promises that a row is taken once (rows are numbered, and a hole is refused), that the same rows lead to the same
//! figures however they arrive, and that what it becomes can be stored and taken up again. Memory follows instruments
//! and open orders, not history. It reads no database and knows no prices.

use super::line::{Line, Prices};
use super::totals::{Money, OrderCounts, Totals};
use super::watch::Watch;
use crate::domain::ids::{Asset, StrategyId, Symbol, VenueId};
use crate::domain::journal::{Row, Seq};
use crate::domain::oms::{Fact, FactError, FillBooked, Mark};
use crate::domain::order::OrderState;
use crate::domain::time::WallMs;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why a row cannot be taken. The figures are as they were.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrackError {
    /// A row is missing between what was taken and this one.
    #[error("row {found} follows row {after}: rows between them are missing")]
    Hole {
        /// The last row taken.
        after: u64,
        /// The row that came.
        found: u64,
    },
    /// The row cannot be read.
    #[error(transparent)]
    Fact(#[from] FactError),
    /// A sum has more digits than can be held.
    #[error("a figure of row {seq} does not fit")]
    Overflow {
        /// The row.
        seq: u64,
    },
}

/// Whose figures: of one strategy or of all, at one venue or at all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Scope {
    /// Which strategy; `None` for all.
    pub strategy: Option<StrategyId>,
    /// Which venue; `None` for all.
    pub venue: Option<VenueId>,
}

/// Time during which something is held.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Exposed {
    lines: u32,
    since: WallMs,
    total_ms: i64,
}

impl Exposed {
    fn change(&mut self, opens: bool, at: WallMs) {
        self.total_ms = self.until(at);
        self.since = at;
        self.lines = if opens { self.lines.saturating_add(1) } else { self.lines.saturating_sub(1) };
    }

    fn until(&self, at: WallMs) -> i64 {
        let running = if self.lines > 0 { at.0.saturating_sub(self.since.0).max(0) } else { 0 };
        self.total_ms.saturating_add(running)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Desk {
    lines: BTreeMap<Symbol, Line>,
    orders: OrderCounts,
    exposed: Exposed,
    /// Value held times days by quote asset, as far as it was observed.
    exposure_days: BTreeMap<Asset, Decimal>,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tracker {
    cursor: Seq,
    desks: BTreeMap<StrategyId, BTreeMap<VenueId, Desk>>,
    strategies: BTreeMap<StrategyId, Exposed>,
    venues: BTreeMap<VenueId, Exposed>,
    all: Exposed,
    watch: Watch,
    /// The day of the last daily record, counted from the epoch.
    day: Option<i64>,
}

/// What an instrument is worth at a moment; `None` while nobody knows.
pub type MarkOf<'a> = &'a dyn Fn(&VenueId, &Symbol) -> Option<Mark>;

impl Tracker {
    /// The last row taken.
    #[must_use]
    pub const fn cursor(&self) -> Seq {
        self.cursor
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// [`TrackError`]. After an overflow the fold cannot go on.
    pub fn take(&mut self, row: &Row) -> Result<(), TrackError> {
        let (after, found) = (self.cursor.0, row.seq.0);
        if found <= after {
            return Ok(());
        }
        if found != after.saturating_add(1) {
            return Err(TrackError::Hole { after, found });
        }
        // The other kinds are many and large, and say nothing about figures.
        let wanted = ["intent", "adopted", "order", "denied", "fill", "bust", "cold_start"];
        if row.kind == "risk" {
            let decided =
                serde_json::from_str(&row.payload).map_err(|error| FactError::new("risk", &error))?;
            self.watch.decided(&row.correlation, &decided);
        } else if wanted.contains(&row.kind.as_str())
            && let Some(fact) = Fact::from_row(&row.kind, &row.payload)?
        {
            self.fact(&fact, row).ok_or(TrackError::Overflow { seq: found })?;
        }
        self.cursor = row.seq;
        Ok(())
    }

    /// Is a day (counted from the epoch) over for which there is no record yet? The first day begins without one.
    pub fn turns_to(&mut self, day: i64) -> bool {
        let before = self.day.replace(day);
        before.is_some_and(|before| before != day)
    }

    fn desk(&mut self, strategy: &StrategyId, venue: &VenueId) -> &mut Desk {
        self.desks.entry(strategy.clone()).or_default().entry(venue.clone()).or_default()
    }

    fn fact(&mut self, fact: &Fact, row: &Row) -> Option<()> {
        match fact {
            Fact::Intent(order) => {
                self.watch.begin(&row.correlation, order);
                let orders = &mut self.desk(&order.strategy, &order.venue).orders;
                orders.taken = orders.taken.saturating_add(1);
            }
            Fact::Adopted(order) => self.watch.begin(&row.correlation, order),
            Fact::Denied(denied) => {
                let times = denied.unrecorded.saturating_add(1);
                self.desk(&denied.strategy, &denied.venue).orders.deny(&denied.reason, times);
            }
            Fact::Moved(moved) => {
                let Some(order) = self.watch.get(moved.order) else { return Some(()) };
                let (strategy, venue) = (order.strategy.clone(), order.venue.clone());
                let news = moved.state.is_final() && self.watch.ended(moved.order);
                let orders = &mut self.desk(&strategy, &venue).orders;
                let count = match moved.state {
                    OrderState::Rejected if news => &mut orders.rejected,
                    OrderState::Cancelled if news => &mut orders.cancelled,
                    OrderState::Expired if news => &mut orders.expired,
                    OrderState::Unknown => &mut orders.doubted,
                    OrderState::Denied if news => {
                        // Judged once more before it went out, and refused after all.
                        orders.taken = orders.taken.saturating_sub(1);
                        orders.deny(moved.reason.as_deref().unwrap_or_default(), 1);
                        return Some(());
                    }
                    _ => return Some(()),
                };
                *count = count.saturating_add(1);
            }
            Fact::Fill(fill) => {
                let booked = &fill.booked;
                let quantity = booked.fill.quantity.get();
                let told = fill.order.map(|order| self.watch.executed(order, quantity)).unwrap_or_default();
                let orders = &mut self.desk(&booked.strategy, &booked.venue).orders;
                orders.fills = orders.fills.saturating_add(1);
                orders.touched = orders.touched.saturating_add(u64::from(told.first));
                orders.filled = orders.filled.saturating_add(u64::from(told.whole));
                self.book(fill, row.at, told.decided_at, false)?;
            }
            Fact::Bust(fill) => {
                let decided_at =
                    fill.order.and_then(|order| self.watch.get(order)).and_then(|o| o.decided_at);
                let orders = &mut self.desk(&fill.booked.strategy, &fill.booked.venue).orders;
                orders.fills = orders.fills.saturating_sub(1);
                self.book(fill, row.at, decided_at, true)?;
            }
            Fact::ColdStart(_) => self.close_books(row.at)?,
            _ => {}
        }
        Some(())
    }

    fn book(&mut self, fill: &FillBooked, at: WallMs, decided_at: Option<Decimal>, back: bool) -> Option<()> {
        let (booked, price) = (&fill.booked, fill.booked.fill.price);
        let lines = &mut self.desk(&booked.strategy, &booked.venue).lines;
        let line = lines
            .entry(booked.fill.symbol.clone())
            .or_insert_with(|| Line::new(&fill.base, &fill.quote, price));
        let was_open = line.is_open();
        line.take(&booked.fill, at, decided_at, back)?;
        let is_open = line.is_open();
        if was_open != is_open {
            self.exposed(&booked.strategy, &booked.venue, is_open, at);
        }
        Some(())
    }

    fn exposed(&mut self, strategy: &StrategyId, venue: &VenueId, opens: bool, at: WallMs) {
        self.desk(strategy, venue).exposed.change(opens, at);
        self.strategies.entry(strategy.clone()).or_default().change(opens, at);
        self.venues.entry(venue.clone()).or_default().change(opens, at);
        self.all.change(opens, at);
    }

    fn close_books(&mut self, at: WallMs) -> Option<()> {
        let mut closed = Vec::new();
        for (strategy, venues) in &mut self.desks {
            for (venue, desk) in venues {
                for line in desk.lines.values_mut() {
                    if line.is_open() {
                        closed.push((strategy.clone(), venue.clone()));
                    }
                    line.close_books()?;
                }
            }
        }
        for (strategy, venue) in closed {
            self.exposed(&strategy, &venue, false, at);
        }
        Some(())
    }

    /// Every scope that there is: all, each strategy, each venue, each strategy at each venue.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes = vec![Scope::default()];
        scopes.extend(self.desks.keys().map(|s| Scope { strategy: Some(s.clone()), venue: None }));
        let mut venues: Vec<&VenueId> = self.desks.values().flat_map(BTreeMap::keys).collect();
        venues.sort_unstable();
        venues.dedup();
        scopes.extend(venues.into_iter().map(|v| Scope { strategy: None, venue: Some(v.clone()) }));
        scopes.extend(self.desks.iter().flat_map(|(strategy, venues)| {
            venues.keys().map(|v| Scope { strategy: Some(strategy.clone()), venue: Some(v.clone()) })
        }));
        scopes
    }

    /// Adds what was held since the last observation, `elapsed_ms` ago, at today's prices. `None` when it does not fit.
    #[must_use]
    pub fn accrue(&mut self, elapsed_ms: u64, mark: MarkOf<'_>) -> Option<()> {
        let days = Decimal::from(elapsed_ms).checked_div(Decimal::from(86_400_000_u32))?;
        for venues in self.desks.values_mut() {
            for (venue, desk) in venues {
                let mut add = Vec::new();
                for (symbol, line) in &desk.lines {
                    let value = line.money(&Prices { venue, symbol, mark })?.exposure;
                    add.push((line.quote.clone(), value.unwrap_or_default().checked_mul(days)?.round_dp(12)));
                }
                for (quote, value) in add.into_iter().filter(|(_, value)| !value.is_zero()) {
                    let sum = desk.exposure_days.entry(quote).or_default();
                    *sum = sum.checked_add(value)?;
                }
            }
        }
        Some(())
    }

    /// A scope's totals at a moment's prices; `None` when a sum does not fit.
    #[must_use]
    pub fn totals(&self, scope: &Scope, at: WallMs, mark: MarkOf<'_>) -> Option<Totals> {
        let mut totals = Totals::default();
        let own = |strategy: &StrategyId| scope.strategy.as_ref().is_none_or(|own| own == strategy);
        for (_, venues) in self.desks.iter().filter(|(strategy, _)| own(strategy)) {
            for (venue, desk) in venues {
                if scope.venue.as_ref().is_none_or(|own| own == venue) {
                    totals = totals.plus(&desk.totals(venue, mark)?)?;
                }
            }
        }
        let exposed = match (&scope.strategy, &scope.venue) {
            (None, None) => Some(&self.all),
            (Some(strategy), None) => self.strategies.get(strategy),
            (None, Some(venue)) => self.venues.get(venue),
            (Some(strategy), Some(venue)) => {
                self.desks.get(strategy).and_then(|venues| venues.get(venue)).map(|desk| &desk.exposed)
            }
        };
        totals.exposed_ms = exposed.map_or(0, |exposed| exposed.until(at));
        Some(totals)
    }
}

impl Desk {
    fn totals(&self, venue: &VenueId, mark: MarkOf<'_>) -> Option<Totals> {
        let mut totals = Totals { orders: self.orders.clone(), ..Totals::default() };
        for (symbol, line) in &self.lines {
            let money = line.money(&Prices { venue, symbol, mark })?;
            let have = totals.money.get(&line.quote).cloned().unwrap_or_else(Money::nothing);
            totals.money.insert(line.quote.clone(), have.plus(&money)?);
        }
        for (quote, days) in &self.exposure_days {
            if let Some(money) = totals.money.get_mut(quote) {
                money.exposure_days = *days;
            }
        }
        Some(totals)
    }
}

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;
