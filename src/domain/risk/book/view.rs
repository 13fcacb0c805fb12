//! The book at an instant, in the risk currency: what a proposal would make of every scope.

use super::super::figures::{OpenCount, Pair, PerScope, Step};
use super::instruments::InstrumentBook;
use super::store::{Book, Found};
use super::worst::Worst;
use crate::domain::ids::Asset;
use crate::domain::order::OrderNumber;
use crate::domain::order_types::Side;
use crate::domain::time::Mono;
use rust_decimal::Decimal;

/// What a proposal asks of the book.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Direction {
    pub(in super::super) at: Found,
    pub(in super::super) side: Side,
    pub(in super::super) quantity: Decimal,
    pub(in super::super) number: Option<OrderNumber>,
    pub(in super::super) replaces: Option<OrderNumber>,
}

/// What the book answers; see [`super::super::figures::Figures`] for the meanings.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Picture {
    pub(in super::super) reduces_own: bool,
    pub(in super::super) reduces_net: bool,
    pub(in super::super) position: Option<Decimal>,
    pub(in super::super) symbol_position: Option<Decimal>,
    pub(in super::super) gross: PerScope<Option<Step>>,
    pub(in super::super) net: PerScope<Option<Decimal>>,
    pub(in super::super) asset: Option<Decimal>,
    pub(in super::super) pnl: Pair<Option<Decimal>>,
    pub(in super::super) open_orders: OpenCount,
}

/// A sum that is unknown once a part of it is.
#[derive(Debug, Clone, Copy)]
struct Total(Option<Decimal>);

impl Total {
    const ZERO: Self = Self(Some(Decimal::ZERO));

    fn add(&mut self, part: Option<Decimal>) {
        let (Some(sum), Some(part)) = (self.0, part) else {
            self.0 = None;
            return;
        };
        if !part.is_zero() {
            self.0 = sum.checked_add(part);
        }
    }

    /// Adds a quantity at a price; nothing needs no price.
    fn value(&mut self, quantity: Option<Decimal>, price: Option<Decimal>) {
        self.add(worth(quantity, price));
    }
}

/// What one instrument adds to a scope, worked out once for all scopes that it counts in.
struct Part {
    before: Option<Decimal>,
    after: Option<Decimal>,
    net: Option<Decimal>,
}

impl Part {
    /// Where the order changes something.
    fn moved(before: &Worst, after: &Worst, side: Side, price: Option<Decimal>) -> Self {
        Self {
            before: worth(before.gross(), price),
            after: worth(after.gross(), price),
            net: worth(after.towards(side), price),
        }
    }

    /// Where it changes nothing.
    fn still(worst: &Worst, side: Side, price: Option<Decimal>) -> Self {
        let (long, short) = (worst.long(), worst.short());
        let gross = long.zip(short).map(|(long, short)| long.abs().max(short.abs()));
        let net = match side {
            Side::Buy => long,
            Side::Sell => short.map(|short| -short),
        };
        let gross = worth(gross, price);
        Self { before: gross, after: gross, net: worth(net, price) }
    }
}

/// A quantity at a price; nothing needs no price.
fn worth(quantity: Option<Decimal>, price: Option<Decimal>) -> Option<Decimal> {
    let quantity = quantity?;
    if quantity.is_zero() { Some(Decimal::ZERO) } else { quantity.checked_mul(price?) }
}

/// Gross before and after, and net with the order, of one scope.
struct Scope {
    before: Total,
    after: Total,
    net: Total,
}

impl Scope {
    const fn new() -> Self {
        Self { before: Total::ZERO, after: Total::ZERO, net: Total::ZERO }
    }

    fn add(&mut self, part: &Part) {
        self.before.add(part.before);
        self.after.add(part.after);
        self.net.add(part.net);
    }

    fn gross(&self) -> Option<Step> {
        Some(Step { before: self.before.0?, after: self.after.0? })
    }
}

/// The book at an instant.
pub(in super::super) struct View<'a> {
    book: &'a Book,
    now: Mono,
    /// Risk currency per base unit, per instrument; only where something is held or works.
    prices: Vec<Option<Decimal>>,
}

impl<'a> View<'a> {
    /// Prices everything that is not flat, and `besides`.
    pub(in super::super) fn new(book: &'a Book, now: Mono, besides: Option<usize>) -> Self {
        let mut view = Self { book, now, prices: Vec::with_capacity(book.instruments.len()) };
        for (place, one) in book.instruments.iter().enumerate() {
            // Strategies may hold against each other where the instrument as a whole is flat.
            let wanted =
                Some(place) == besides || !one.worst.is_flat() || one.open > 0 || !one.worst.cash.is_zero();
            view.prices.push(if wanted { view.unit_price(one) } else { None });
        }
        view
    }

    fn unit_price(&self, one: &InstrumentBook) -> Option<Decimal> {
        let middle = one.middle(self.now, self.book.mark_max_age_ms)?;
        if one.in_currency {
            return Some(middle);
        }
        middle.checked_mul(self.quote_price(one)?)
    }

    /// Risk currency per unit of the instrument's quote asset.
    pub(in super::super) fn quote_price(&self, one: &InstrumentBook) -> Option<Decimal> {
        if one.in_currency { Some(Decimal::ONE) } else { self.asset_price(one.quote.as_ref()?) }
    }

    /// One for the currency itself; else the middle of a fresh book against it; else the fixed price.
    pub(in super::super) fn asset_price(&self, asset: &Asset) -> Option<Decimal> {
        if *asset == self.book.currency {
            return Some(Decimal::ONE);
        }
        let priced = self.book.pricing.get(asset).into_iter().flatten();
        let mut fresh = priced.filter_map(|place| {
            self.book.instruments.get(*place)?.middle(self.now, self.book.mark_max_age_ms)
        });
        fresh.next().or_else(|| self.book.fixed.get(asset).map(|price| price.get()))
    }

    fn price(&self, place: usize) -> Option<Decimal> {
        let known = self.prices.get(place).copied().flatten();
        // A cell that is not flat in an instrument that is, as a whole.
        known.or_else(|| self.unit_price(self.book.instruments.get(place)?))
    }

    fn pnl_of(&self, place: usize, worst: &Worst) -> Option<Decimal> {
        if worst.broken {
            return None;
        }
        let mut total = Total::ZERO;
        total.value(Some(worst.held), self.price(place));
        if !worst.cash.is_zero() {
            let one = self.book.instruments.get(place)?;
            total.value(Some(worst.cash), self.quote_price(one));
        }
        total.0
    }

    fn less_fees<'f>(&self, total: &mut Total, fees: impl Iterator<Item = (&'f Asset, &'f Decimal)>) {
        for (asset, fee) in fees {
            total.value(Some(-*fee), self.asset_price(asset));
        }
    }

    /// Profit and loss of a strategy; `None` when it is not known.
    pub(in super::super) fn strategy_pnl(&self, strategy: usize) -> Option<Decimal> {
        let mut total = Total::ZERO;
        for ((_, place), cell) in self.book.cells.range((strategy, 0)..=(strategy, usize::MAX)) {
            total.add(self.pnl_of(*place, &cell.worst));
        }
        self.less_fees(&mut total, self.book.strategies.get(strategy)?.fees.iter());
        total.0
    }

    /// Profit and loss of all.
    pub(in super::super) fn account_pnl(&self) -> Option<Decimal> {
        let mut total = Total::ZERO;
        for (place, one) in self.book.instruments.iter().enumerate() {
            if !one.worst.is_flat() || !one.worst.cash.is_zero() {
                total.add(self.pnl_of(place, &one.worst));
            }
        }
        self.less_fees(&mut total, self.book.fees.iter());
        total.0
    }

    /// The order as a change of a position's worst case: before it, and with it.
    fn with_order(&self, worst: Worst, asked: &Direction) -> (Worst, Worst) {
        let without = |mut from: Worst, number| {
            if let Some(one) = self.book.contribution_of(number, asked.at) {
                from.pending(one.side, one.pending, Decimal::ZERO);
            }
            from
        };
        let before = without(worst, asked.number);
        let mut after = without(before, asked.replaces);
        after.pending(asked.side, Decimal::ZERO, asked.quantity);
        (before, after)
    }

    /// What an order would make of everything.
    pub(in super::super) fn picture(&self, asked: &Direction) -> Picture {
        let (own, all) = self.worst_of(asked.at);
        let (own_before, own_after) = self.with_order(own, asked);
        let (all_before, all_after) = self.with_order(all, asked);
        let mut picture = Picture {
            reduces_own: reduces(&own_after, asked.side),
            reduces_net: reduces(&all_after, asked.side),
            position: own_after.towards(asked.side),
            symbol_position: all_after.towards(asked.side),
            open_orders: self.open_orders(asked),
            ..Picture::default()
        };
        let here = asked.at.instrument.and_then(|place| self.book.instruments.get(place));
        let (mut strategy, mut venue, mut account) = (Scope::new(), Scope::new(), Scope::new());
        let (mut asset, mut pnl) = (Total::ZERO, Total::ZERO);
        // Where there is one venue, it is the account.
        let one_venue = self.book.venues.len() <= 1;
        for (place, one) in self.book.instruments.iter().enumerate() {
            let is_here = Some(place) == asked.at.instrument;
            let quiet = one.worst.is_flat();
            if quiet && !is_here && one.worst.cash.is_zero() {
                continue;
            }
            let price = self.prices.get(place).copied().flatten();
            pnl.add(self.pnl_of(place, &one.worst));
            let part = match is_here {
                true => Part::moved(&all_before, &all_after, asked.side, price),
                false => Part::still(&one.worst, asked.side, price),
            };
            account.add(&part);
            if !one_venue && here.is_some_and(|here| here.venue_place == one.venue_place) {
                venue.add(&part);
            }
            if is_here || here.is_some_and(|here| here.base.is_some() && here.base == one.base) {
                asset.add(part.net);
            }
        }
        self.add_strategy(&mut strategy, asked, (&own_before, &own_after));
        self.less_fees(&mut pnl, self.book.fees.iter());
        if here.is_some() {
            let venue = if one_venue { &account } else { &venue };
            picture.gross =
                PerScope { strategy: strategy.gross(), venue: venue.gross(), account: account.gross() };
            picture.net = PerScope { strategy: strategy.net.0, venue: venue.net.0, account: account.net.0 };
            picture.asset = asset.0;
        }
        let own_pnl = match asked.at.strategy {
            Some(strategy) => self.strategy_pnl(strategy),
            None => Some(Decimal::ZERO),
        };
        picture.pnl = Pair { strategy: own_pnl, account: pnl.0 };
        picture
    }

    fn worst_of(&self, at: Found) -> (Worst, Worst) {
        let own = at.strategy.zip(at.instrument).and_then(|key| self.book.cells.get(&key));
        let all = at.instrument.and_then(|place| self.book.instruments.get(place));
        (own.map(|cell| cell.worst).unwrap_or_default(), all.map(|one| one.worst).unwrap_or_default())
    }

    fn add_strategy(&self, scope: &mut Scope, asked: &Direction, own: (&Worst, &Worst)) {
        if let Some(place) = asked.at.instrument {
            scope.add(&Part::moved(own.0, own.1, asked.side, self.price(place)));
        }
        let Some(strategy) = asked.at.strategy else { return };
        for ((_, place), cell) in self.book.cells.range((strategy, 0)..=(strategy, usize::MAX)) {
            if Some(*place) != asked.at.instrument && !cell.worst.is_flat() {
                scope.add(&Part::still(&cell.worst, asked.side, self.price(*place)));
            }
        }
    }

    fn open_orders(&self, asked: &Direction) -> OpenCount {
        let known = |number| self.book.contribution_of(number, asked.at).is_some_and(|one| one.open);
        let mut less = 0_u32;
        for number in [asked.number, asked.replaces] {
            less = less.saturating_add(u32::from(known(number)));
        }
        let strategy = asked.at.strategy.and_then(|place| self.book.strategies.get(place));
        let here = asked.at.instrument.and_then(|place| self.book.instruments.get(place));
        let venue = here.and_then(|one| self.book.venues.get(one.venue_place));
        OpenCount {
            strategy: strategy.map_or(0, |one| one.open).saturating_sub(less),
            symbol: here.map_or(0, |one| one.open).saturating_sub(less),
            venue: venue.map_or(0, |(_, open)| *open).saturating_sub(less),
            account: self.book.open.saturating_sub(less),
        }
    }
}

/// Does the position stay on its side, or go flat, even if all of the order's side executes?
fn reduces(after: &Worst, side: Side) -> bool {
    after.reduced_by(side, Decimal::ZERO)
}
