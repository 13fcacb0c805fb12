//! An order book kept from a snapshot and numbered diffs.
//!
//! Rules (Binance Spot's, `venues.md` 1.5): a diff that ends at or before the book is stale; the first diff
//! and every later one must begin at or before the next update; a later beginning is a gap and the book is
//! lost. Quantities are absolute, zero removes a level, removing an absent level is normal.
//! A lost book answers nothing: the caller must take a new snapshot. Owns no buffering and no sockets.

use super::market::{BookLoss, Level, Top};
use super::money::{Amount, Price, Quantity};
use super::order_types::Side;
use std::collections::BTreeMap;

/// Most levels a side may hold. A recorded day's busiest book stayed under 5,100; more means a broken feed.
pub const MAX_LEVELS: usize = 20_000;

/// One numbered change of a book: `first..=last` are the update ids that it covers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    /// First update covered.
    pub first: u64,
    /// Last update covered.
    pub last: u64,
    /// Bid levels, absolute.
    pub bids: Vec<Level>,
    /// Ask levels, absolute.
    pub asks: Vec<Level>,
}

/// What became of a diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// Older than the book; ignored.
    Stale,
    /// The book moved on.
    Moved,
}

/// Both sides of an instrument's book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBook {
    update_id: u64,
    bids: BTreeMap<Price, Quantity>,
    asks: BTreeMap<Price, Quantity>,
}

impl OrderBook {
    /// A book from a snapshot.
    ///
    /// # Errors
    /// [`BookLoss`] when the snapshot is crossed or deeper than [`MAX_LEVELS`].
    pub fn from_snapshot(update_id: u64, bids: &[Level], asks: &[Level]) -> Result<Self, BookLoss> {
        let mut book = Self { update_id, bids: BTreeMap::new(), asks: BTreeMap::new() };
        book.set_levels(bids, asks);
        book.checked()?;
        Ok(book)
    }

    /// The last update applied.
    #[must_use]
    pub fn update_id(&self) -> u64 {
        self.update_id
    }

    /// Applies one diff.
    ///
    /// # Errors
    /// [`BookLoss`] on a gap, a crossed book or too many levels. The book must then be discarded.
    pub fn apply(&mut self, diff: &Diff) -> Result<Applied, BookLoss> {
        if diff.last <= self.update_id {
            return Ok(Applied::Stale);
        }
        if diff.first > self.update_id.saturating_add(1) {
            return Err(BookLoss::Gap { held: self.update_id, got: diff.first });
        }
        self.set_levels(&diff.bids, &diff.asks);
        self.update_id = diff.last;
        self.checked()?;
        Ok(Applied::Moved)
    }

    fn set_levels(&mut self, bids: &[Level], asks: &[Level]) {
        for (side, levels) in [(&mut self.bids, bids), (&mut self.asks, asks)] {
            for level in levels {
                if level.quantity.is_zero() {
                    side.remove(&level.price);
                } else {
                    side.insert(level.price, level.quantity);
                }
            }
        }
    }

    fn checked(&self) -> Result<(), BookLoss> {
        if self.bids.len().max(self.asks.len()) > MAX_LEVELS {
            return Err(BookLoss::TooDeep { limit: MAX_LEVELS });
        }
        match (self.best(Side::Buy), self.best(Side::Sell)) {
            (Some(bid), Some(ask)) if bid.price >= ask.price => Err(BookLoss::Crossed { at: self.update_id }),
            _ => Ok(()),
        }
    }

    /// The best level of a side; `None` when it is empty.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<Level> {
        match side {
            Side::Buy => self.bids.last_key_value(),
            Side::Sell => self.asks.first_key_value(),
        }
        .map(|(price, quantity)| Level { price: *price, quantity: *quantity })
    }

    /// Best bid and ask; `None` while a side is empty.
    #[must_use]
    pub fn top(&self) -> Option<Top> {
        Some(Top { update_id: self.update_id, bid: self.best(Side::Buy)?, ask: self.best(Side::Sell)? })
    }

    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> Box<dyn Iterator<Item = Level> + '_> {
        let level = |(price, quantity): (&Price, &Quantity)| Level { price: *price, quantity: *quantity };
        match side {
            Side::Buy => Box::new(self.bids.iter().rev().map(level)),
            Side::Sell => Box::new(self.asks.iter().map(level)),
        }
    }

    /// Number of levels on a side.
    #[must_use]
    pub fn depth(&self, side: Side) -> usize {
        match side {
            Side::Buy => self.bids.len(),
            Side::Sell => self.asks.len(),
        }
    }

    /// What it costs to take `quantity` from a side: executed quantity and its notional in quote units.
    /// The quantity is smaller than asked when the visible book ends first. `None` on overflow.
    #[must_use]
    pub fn cost_to_take(&self, side: Side, quantity: Quantity) -> Option<(Quantity, Amount)> {
        let mut rest = quantity;
        let mut cost = Amount::ZERO;
        for level in self.levels(side) {
            let part = rest.min(level.quantity);
            cost = cost.checked_add(level.price.notional(part)?)?;
            rest = rest.checked_sub(part)?;
            if rest.is_zero() {
                break;
            }
        }
        Some((quantity.checked_sub(rest)?, cost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(price: &str, quantity: &str) -> Level {
        Level { price: Price::parse(price).unwrap(), quantity: Quantity::parse(quantity).unwrap() }
    }

    fn book() -> OrderBook {
        OrderBook::from_snapshot(10, &[level("99", "1"), level("98", "2")], &[level("101", "3")]).unwrap()
    }

    #[test]
    fn the_first_diff_may_span_the_snapshot() {
        let mut book = book();
        let diff = Diff { first: 8, last: 12, bids: vec![level("99", "0"), level("97", "0")], asks: vec![] };
        assert_eq!(book.apply(&diff), Ok(Applied::Moved));
        assert_eq!(book.update_id(), 12);
        assert_eq!(book.best(Side::Buy), Some(level("98", "2")));
    }

    #[test]
    fn stale_is_ignored_and_a_gap_loses_the_book() {
        let mut book = book();
        assert_eq!(book.apply(&Diff { first: 9, last: 10, ..Diff::default() }), Ok(Applied::Stale));
        assert_eq!(book.apply(&Diff { first: 11, last: 11, ..Diff::default() }), Ok(Applied::Moved));
        let gap = Diff { first: 13, last: 14, ..Diff::default() };
        assert_eq!(book.apply(&gap), Err(BookLoss::Gap { held: 11, got: 13 }));
    }

    #[test]
    fn a_crossed_book_is_lost() {
        let mut book = book();
        let diff = Diff { first: 11, last: 11, bids: vec![level("101", "1")], asks: vec![] };
        assert_eq!(book.apply(&diff), Err(BookLoss::Crossed { at: 11 }));
    }

    #[test]
    fn too_many_levels_lose_the_book() {
        let levels: Vec<Level> = (1..=MAX_LEVELS + 1).map(|n| level(&n.to_string(), "1")).collect();
        assert_eq!(OrderBook::from_snapshot(1, &levels, &[]), Err(BookLoss::TooDeep { limit: MAX_LEVELS }));
    }

    #[test]
    fn figures() {
        let book = book();
        let top = book.top().unwrap();
        assert_eq!(top.mid().unwrap(), Price::parse("100").unwrap());
        assert_eq!(top.spread().unwrap(), Price::parse("2").unwrap());
        let (taken, cost) = book.cost_to_take(Side::Buy, Quantity::parse("2.5").unwrap()).unwrap();
        assert_eq!((taken.to_string(), cost.to_string()), ("2.5".into(), "246.0".into()));
        let (taken, _) = book.cost_to_take(Side::Sell, Quantity::parse("9").unwrap()).unwrap();
        assert_eq!(taken, Quantity::parse("3").unwrap());
    }

    proptest::proptest! {
        /// The book equals a naive sorted list after any sequence of absolute updates.
        #[test]
        fn equals_a_naive_book(changes in proptest::collection::vec((1_u32..50, 0_u32..4), 1..200)) {
            let mut book = OrderBook::from_snapshot(0, &[], &[]).unwrap();
            let mut naive: Vec<(u32, u32)> = Vec::new();
            for (at, (price, quantity)) in changes.iter().enumerate() {
                let id = u64::try_from(at).unwrap() + 1;
                let bids = vec![level(&price.to_string(), &quantity.to_string())];
                book.apply(&Diff { first: id, last: id, bids, asks: vec![] }).unwrap();
                naive.retain(|(p, _)| p != price);
                if *quantity > 0 { naive.push((*price, *quantity)); }
                naive.sort_by(|a, b| b.cmp(a));
            }
            let want: Vec<Level> =
                naive.iter().map(|(p, q)| level(&p.to_string(), &q.to_string())).collect();
            proptest::prop_assert_eq!(book.levels(Side::Buy).collect::<Vec<_>>(), want);
        }
    }
}
