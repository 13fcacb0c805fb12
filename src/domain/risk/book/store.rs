//! The book: takes facts (orders, positions, marks) and keeps every sum that a decision reads.
//!
//! An order's contribution is what it may still add to the booked position: all of it that is not booked while
//! it lives (working, pending or unknown), and what the venue reports as executed but nobody booked yet when it
//! is over. Nothing is walked that grows with the number of orders.

use super::super::rates::Rate;
use super::instruments::InstrumentBook;
use super::strategies::{Cell, StrategyBook};
use crate::domain::ids::{Asset, StrategyId, Symbol, VenueId};
use crate::domain::instrument::Instrument;
use crate::domain::ledger::Position;
use crate::domain::money::Price;
use crate::domain::oms::Mark;
use crate::domain::order::{Order, OrderKind, OrderNumber};
use crate::domain::order_types::Side;
use crate::domain::time::Mono;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What one order contributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Contribution {
    pub(super) strategy: usize,
    pub(super) instrument: usize,
    pub(super) side: Side,
    pub(super) pending: Decimal,
    pub(super) price: Decimal,
    pub(super) open: bool,
}

/// Places of a strategy and an instrument in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Found {
    pub(in super::super) strategy: Option<usize>,
    pub(in super::super) instrument: Option<usize>,
}

/// See the module's head.
#[derive(Debug, Clone)]
pub(in super::super) struct Book {
    pub(super) currency: Asset,
    pub(super) fixed: BTreeMap<Asset, Price>,
    pub(super) mark_max_age_ms: u64,
    pub(in super::super) instruments: Vec<InstrumentBook>,
    by_name: BTreeMap<VenueId, BTreeMap<Symbol, usize>>,
    /// Open orders per venue, in the order in which venues were first heard of.
    pub(super) venues: Vec<(VenueId, u32)>,
    pub(in super::super) strategies: Vec<StrategyBook>,
    by_strategy: BTreeMap<StrategyId, usize>,
    pub(in super::super) cells: BTreeMap<(usize, usize), Cell>,
    pub(super) orders: BTreeMap<OrderNumber, Contribution>,
    /// Instruments that price an asset in the currency.
    pub(super) pricing: BTreeMap<Asset, Vec<usize>>,
    pub(super) fees: BTreeMap<Asset, Decimal>,
    pub(in super::super) open: u32,
    pub(in super::super) rate: Rate,
}

impl Book {
    pub(in super::super) fn new(
        currency: Asset,
        fixed: BTreeMap<Asset, Price>,
        mark_max_age_ms: u64,
    ) -> Self {
        Self {
            currency,
            fixed,
            mark_max_age_ms,
            instruments: Vec::new(),
            by_name: BTreeMap::new(),
            venues: Vec::new(),
            strategies: Vec::new(),
            by_strategy: BTreeMap::new(),
            cells: BTreeMap::new(),
            orders: BTreeMap::new(),
            pricing: BTreeMap::new(),
            fees: BTreeMap::new(),
            open: 0,
            rate: Rate::new(),
        }
    }

    pub(in super::super) fn find(&self, strategy: &StrategyId, venue: &VenueId, symbol: &Symbol) -> Found {
        Found {
            strategy: self.by_strategy.get(strategy).copied(),
            instrument: self.by_name.get(venue).and_then(|symbols| symbols.get(symbol)).copied(),
        }
    }

    /// The place of a strategy, made when it is new. Names come from the configuration and the venues' own
    /// lists, so there are as many as those allow.
    pub(in super::super) fn strategy(&mut self, id: &StrategyId) -> usize {
        if let Some(place) = self.by_strategy.get(id) {
            return *place;
        }
        let place = self.strategies.len();
        self.strategies.push(StrategyBook::new(id.clone()));
        self.by_strategy.insert(id.clone(), place);
        place
    }

    fn symbol(&mut self, venue: &VenueId, symbol: &Symbol) -> usize {
        if let Some(place) = self.by_name.get(venue).and_then(|symbols| symbols.get(symbol)) {
            return *place;
        }
        let venue_place = self.venues.iter().position(|(known, _)| known == venue).unwrap_or_else(|| {
            self.venues.push((venue.clone(), 0));
            self.venues.len().saturating_sub(1)
        });
        let place = self.instruments.len();
        self.instruments.push(InstrumentBook::new(venue.clone(), symbol.clone(), venue_place));
        self.by_name.entry(venue.clone()).or_default().insert(symbol.clone(), place);
        place
    }

    pub(in super::super) fn instrument(&mut self, venue: &VenueId, rules: &Instrument) {
        let place = self.symbol(venue, &rules.symbol);
        let in_currency = rules.quote == self.currency;
        if let Some(book) = self.instruments.get_mut(place) {
            book.base = Some(rules.base.clone());
            book.quote = Some(rules.quote.clone());
            book.in_currency = in_currency;
        }
        for places in self.pricing.values_mut() {
            places.retain(|known| *known != place);
        }
        if in_currency {
            self.pricing.entry(rules.base.clone()).or_default().push(place);
        }
    }

    pub(in super::super) fn mark(&mut self, now: Mono, venue: &VenueId, symbol: &Symbol, mark: Option<Mark>) {
        let place = self.symbol(venue, symbol);
        if let Some(book) = self.instruments.get_mut(place) {
            book.set_mark(now, mark);
        }
    }

    pub(in super::super) fn order(&mut self, order: &Order) {
        let contribution = self.contribution(order);
        self.contribute(order.number, contribution);
    }

    pub(in super::super) fn forget(&mut self, number: OrderNumber) {
        self.contribute(number, None);
    }

    fn contribution(&mut self, order: &Order) -> Option<Contribution> {
        let booked = order.booked.get();
        let over = order.state.is_final();
        let most = if over { order.executed.get() } else { order.quantity.get().max(order.executed.get()) };
        let pending = most.checked_sub(booked).unwrap_or(Decimal::ZERO).max(Decimal::ZERO);
        if over && pending.is_zero() {
            return None;
        }
        let price = match (order.kind, order.price, order.side) {
            (OrderKind::Limit | OrderKind::LimitMaker, Some(price), _) => price.get(),
            (_, _, Side::Buy) => Decimal::MAX,
            (_, _, Side::Sell) => Decimal::ZERO,
        };
        let strategy = self.strategy(&order.strategy);
        let instrument = self.symbol(&order.venue, &order.symbol);
        Some(Contribution { strategy, instrument, side: order.side, pending, price, open: !over })
    }

    fn contribute(&mut self, number: OrderNumber, next: Option<Contribution>) {
        let before = match next {
            Some(next) => self.orders.insert(number, next),
            None => self.orders.remove(&number),
        };
        if before == next {
            return;
        }
        // An order keeps its strategy, instrument and side, so mostly only a quantity moves.
        if let (Some(old), Some(new)) = (before, next)
            && (old.strategy, old.instrument, old.side) == (new.strategy, new.instrument, new.side)
        {
            self.pending(&new, old.pending, new.pending);
        } else {
            if let Some(old) = before {
                self.pending(&old, old.pending, Decimal::ZERO);
            }
            if let Some(new) = next {
                self.pending(&new, Decimal::ZERO, new.pending);
            }
        }
        if let Some(old) = before.filter(|old| old.open) {
            self.count(&old, false);
        }
        if let Some(new) = next.filter(|new| new.open) {
            self.count(&new, true);
        }
    }

    fn pending(&mut self, of: &Contribution, before: Decimal, after: Decimal) {
        self.cells.entry((of.strategy, of.instrument)).or_default().worst.pending(of.side, before, after);
        if let Some(book) = self.instruments.get_mut(of.instrument) {
            book.worst.pending(of.side, before, after);
        }
    }

    fn count(&mut self, of: &Contribution, opened: bool) {
        let step = |count: &mut u32| {
            *count = if opened { count.saturating_add(1) } else { count.saturating_sub(1) };
        };
        step(&mut self.open);
        if let Some(book) = self.strategies.get_mut(of.strategy) {
            step(&mut book.open);
        }
        let Some(book) = self.instruments.get_mut(of.instrument) else { return };
        if opened {
            book.opened(of.side, of.price);
        } else {
            book.closed(of.side, of.price);
        }
        if let Some((_, count)) = self.venues.get_mut(book.venue_place) {
            step(count);
        }
    }

    /// Takes a position as it is now.
    pub(in super::super) fn position(&mut self, position: &Position) {
        let strategy = self.strategy(&position.strategy);
        let place = self.symbol(&position.venue, &position.symbol);
        let cost = position
            .average_price
            .map_or(Some(Decimal::ZERO), |average| average.get().checked_mul(position.quantity.get()));
        let held = position.quantity.get().normalize();
        let cash = cost.and_then(|cost| position.realised_pnl.get().checked_sub(cost));
        self.take_outcome(strategy, place, position);
        let cell = self.cells.entry((strategy, place)).or_default();
        let before = (cell.worst.held, cell.worst.cash);
        let Some(book) = self.instruments.get_mut(place) else { return };
        match cash.map(|cash| cash.round_dp(12).normalize()) {
            Some(cash) => {
                cell.worst.position(before, (held, cash));
                book.worst.position(before, (held, cash));
            }
            None => (cell.worst.broken, book.worst.broken) = (true, true),
        }
    }

    /// Fees of the strategy and of all; and the result of a trade that was closed.
    fn take_outcome(&mut self, strategy: usize, place: usize, position: &Position) {
        let mut paid = Some(Decimal::ZERO);
        let heard = self.cells.get(&(strategy, place)).map(|cell| cell.fees.clone()).unwrap_or_default();
        for (asset, fee) in &position.fees {
            let before = heard.get(asset).copied().unwrap_or_default();
            if fee.get() == before {
                continue;
            }
            let Some(more) = fee.get().checked_sub(before) else { continue };
            paid = paid
                .zip(self.rough_price(asset))
                .and_then(|(sum, price)| more.checked_mul(price).and_then(|value| sum.checked_add(value)));
            let own = self.strategies.get_mut(strategy).map(|book| &mut book.fees);
            for fees in [Some(&mut self.fees), own].into_iter().flatten() {
                let sum = fees.entry(asset.clone()).or_default();
                *sum = sum.checked_add(more).unwrap_or(Decimal::MAX);
            }
            self.cells.entry((strategy, place)).or_default().fees.insert(asset.clone(), fee.get());
        }
        let quote_price = self.instruments.get(place).and_then(|book| self.rough_quote_price(book));
        let cell = self.cells.entry((strategy, place)).or_default();
        let realised = position.realised_pnl.get();
        let Some(before) = cell.realised.replace(realised) else {
            // The first word is history, not a trade.
            cell.fees_since = Some(Decimal::ZERO);
            return;
        };
        cell.fees_since = cell.fees_since.zip(paid).and_then(|(sum, more)| sum.checked_add(more));
        if before == realised {
            return;
        }
        let result =
            realised.checked_sub(before).zip(quote_price).and_then(|(own, price)| own.checked_mul(price));
        let fees = cell.fees_since.replace(Decimal::ZERO);
        let result = result.zip(fees).and_then(|(result, fees)| result.checked_sub(fees));
        // A trade whose fee nobody can price says nothing about the strategy.
        if let (Some(result), Some(book)) = (result, self.strategies.get_mut(strategy)) {
            book.outcomes.note(result.round_dp(12));
        }
    }

    /// What an asset is worth by the last known price; for statistics only.
    fn rough_price(&self, asset: &Asset) -> Option<Decimal> {
        if *asset == self.currency {
            return Some(Decimal::ONE);
        }
        let priced = self.pricing.get(asset).into_iter().flatten();
        let mut middles = priced.filter_map(|place| self.instruments.get(*place)?.last_middle());
        middles.next().or_else(|| self.fixed.get(asset).map(|price| price.get()))
    }

    fn rough_quote_price(&self, book: &InstrumentBook) -> Option<Decimal> {
        self.rough_price(book.quote.as_ref()?)
    }

    /// Open orders per venue.
    pub(in super::super) fn venues_open(&self) -> impl Iterator<Item = &(VenueId, u32)> {
        self.venues.iter()
    }

    pub(super) fn contribution_of(&self, number: Option<OrderNumber>, at: Found) -> Option<Contribution> {
        let known = self.orders.get(&number?)?;
        (Some(known.strategy) == at.strategy && Some(known.instrument) == at.instrument).then_some(*known)
    }
}
