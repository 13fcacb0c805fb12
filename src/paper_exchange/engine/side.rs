//! One side of one symbol's book: our accounts' resting orders and the market's visible levels.
//!
//! Owns the order of priority. Levels sort by *rank*, which is the price for asks and its negative for
//! bids, so that on either side the smallest rank is the best price and one code serves both.
//! It promises that `totals` is the sum of the orders of each level. It moves no money.
//!
//! # Queue model
//! At one price, our orders stand in time order, and each knows how much market quantity trades before
//! it (`QueuePlace::ahead`): what was visible when it came to rest, less what has traded there since,
//! never more than what is visible now. Whether a shrinking level lost quantity ahead of us or behind us
//! is not knowable from public data; the model assumes that nothing ahead leaves before it must.

use super::ids::OrderId;
use super::money::{Amount, Price, Qty};
use super::order::Side;
use std::collections::BTreeMap;

/// A level's place on its side: smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(i64);

/// One side of a book.
#[derive(Debug, Clone)]
pub(super) struct BookSide {
    side: Side,
    market: BTreeMap<Rank, Qty>,
    own: BTreeMap<(Rank, u64), OrderId>,
    totals: BTreeMap<Rank, Amount>,
}

impl BookSide {
    /// An empty side.
    pub(super) const fn new(side: Side) -> Self {
        Self { side, market: BTreeMap::new(), own: BTreeMap::new(), totals: BTreeMap::new() }
    }

    /// The rank of a price on this side.
    pub(super) const fn rank(&self, price: Price) -> Rank {
        match self.side {
            Side::Buy => Rank(-price.units()),
            Side::Sell => Rank(price.units()),
        }
    }

    /// The price of a rank on this side.
    pub(super) const fn price(&self, rank: Rank) -> Price {
        match self.side {
            Side::Buy => Price::from_units(-rank.0),
            Side::Sell => Price::from_units(rank.0),
        }
    }

    /// The best rank at which anything can trade.
    pub(super) fn best(&self) -> Option<Rank> {
        let own = self.own.first_key_value().map(|((rank, _), _)| *rank);
        let market = self.market.first_key_value().map(|(rank, _)| *rank);
        match (own, market) {
            (Some(own), Some(market)) => Some(own.min(market)),
            (own, market) => own.or(market),
        }
    }

    /// The best market level and its quantity.
    pub(super) fn best_market(&self) -> Option<(Rank, Qty)> {
        self.market.first_key_value().map(|(rank, qty)| (*rank, *qty))
    }

    /// Our best order: its rank and number.
    pub(super) fn best_own(&self) -> Option<(Rank, OrderId)> {
        self.own.first_key_value().map(|((rank, _), id)| (*rank, *id))
    }

    /// Our first order at a rank.
    pub(super) fn first_own_at(&self, rank: Rank) -> Option<OrderId> {
        self.own_at(rank).next()
    }

    /// Our orders at a rank in time order.
    pub(super) fn own_at(&self, rank: Rank) -> impl Iterator<Item = OrderId> {
        self.own.range((rank, 0)..=(rank, u64::MAX)).map(|(_, id)| *id)
    }

    /// All our orders in price-time order.
    pub(super) fn own(&self) -> impl Iterator<Item = (Rank, OrderId)> {
        self.own.iter().map(|((rank, _), id)| (*rank, *id))
    }

    /// The market's quantity at a rank.
    pub(super) fn market_at(&self, rank: Rank) -> Qty {
        self.market.get(&rank).copied().unwrap_or_default()
    }

    /// The market's levels, best first.
    pub(super) fn market_levels(&self) -> impl Iterator<Item = (Rank, Qty)> {
        self.market.iter().map(|(rank, qty)| (*rank, *qty))
    }

    /// How many levels the market shows.
    pub(super) fn market_len(&self) -> usize {
        self.market.len()
    }

    /// Sets the market's quantity at a rank; zero removes the level.
    pub(super) fn set_market(&mut self, rank: Rank, quantity: Qty) {
        if quantity.is_positive() {
            self.market.insert(rank, quantity);
        } else {
            self.market.remove(&rank);
        }
    }

    /// Removes the market's worst level, and names it.
    pub(super) fn drop_worst_market(&mut self) -> Option<Rank> {
        self.market.pop_last().map(|(rank, _)| rank)
    }

    /// Puts an order at the end of its level's queue.
    pub(super) fn rest(&mut self, rank: Rank, sequence: u64, order: OrderId, quantity: Qty) {
        self.own.insert((rank, sequence), order);
        *self.totals.entry(rank).or_default() += quantity.amount();
    }

    /// Takes quantity of a resting order off its level, and the order itself when it is `gone`.
    pub(super) fn reduce(&mut self, rank: Rank, sequence: u64, quantity: Qty, gone: bool) {
        if gone {
            self.own.remove(&(rank, sequence));
        }
        if let Some(total) = self.totals.get_mut(&rank) {
            *total -= quantity.amount();
            if !total.is_positive() {
                self.totals.remove(&rank);
            }
        }
    }

    /// The quantity everyone sees at a rank, limited to what a quantity can hold.
    pub(super) fn public_at(&self, rank: Rank) -> Qty {
        let own = self.totals.get(&rank).copied().unwrap_or_default();
        let all = own + self.market_at(rank).amount();
        Qty::from_units(i64::try_from(all.units()).unwrap_or(i64::MAX))
    }

    /// The best `depth` public levels.
    pub(super) fn public(&self, depth: usize) -> Vec<(Price, Qty)> {
        let mut levels = Vec::with_capacity(depth.min(self.totals.len() + self.market.len()));
        let mut own = self.totals.keys().copied().peekable();
        let mut market = self.market.keys().copied().peekable();
        while levels.len() < depth {
            let rank = match (own.peek(), market.peek()) {
                (Some(own), Some(market)) => *own.min(market),
                (Some(rank), None) | (None, Some(rank)) => *rank,
                (None, None) => break,
            };
            own.next_if_eq(&rank);
            market.next_if_eq(&rank);
            levels.push((self.price(rank), self.public_at(rank)));
        }
        levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_list_their_best_price_first_and_merge_levels() {
        for (side, best, worst) in [(Side::Buy, 20, 10), (Side::Sell, 10, 20)] {
            let mut book = BookSide::new(side);
            let at = |price: i64| Price::from_units(price);
            for price in [10, 20] {
                book.set_market(book.rank(at(price)), Qty::from_units(3));
            }
            book.rest(book.rank(at(best)), 1, OrderId(7), Qty::from_units(4));
            assert_eq!(
                book.public(5),
                vec![(at(best), Qty::from_units(7)), (at(worst), Qty::from_units(3))],
                "{side}"
            );
            book.reduce(book.rank(at(best)), 1, Qty::from_units(4), true);
            book.set_market(book.rank(at(best)), Qty::ZERO);
            assert_eq!(book.public(5), vec![(at(worst), Qty::from_units(3))], "{side}");
            assert_eq!(book.best_own(), None);
        }
    }
}
