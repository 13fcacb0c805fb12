//! The book behind a synthetic market: levels in whole ticks and lots, and what changed since last asked.
//!
//! Keeps the best bid below the best ask and a fixed number of levels near the touch. Pure; randomness
//! comes in as arguments. It knows no time.

use super::Level;
use crate::paper_exchange::engine::{Price, Qty, Side};
use std::collections::{BTreeMap, BTreeSet};

/// How many levels each side keeps.
pub(super) const DEPTH: usize = 60;

/// Units of price per tick and of quantity per lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) tick: Price,
    pub(super) lot: Qty,
}

impl Grid {
    pub(super) fn price(self, ticks: i64) -> Price {
        Price::from_units(ticks.saturating_mul(self.tick.units()))
    }

    pub(super) fn quantity(self, lots: i64) -> Qty {
        Qty::from_units(lots.saturating_mul(self.lot.units()))
    }
}

#[derive(Debug)]
pub(super) struct SyntheticBook {
    grid: Grid,
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
    touched: BTreeSet<(bool, i64)>,
    pub(super) update_id: u64,
}

impl SyntheticBook {
    /// An empty book whose next change gets `update_id + 1`.
    pub(super) fn new(grid: Grid, update_id: u64) -> Self {
        Self { grid, bids: BTreeMap::new(), asks: BTreeMap::new(), touched: BTreeSet::new(), update_id }
    }

    pub(super) fn best(&self, side: Side) -> Option<(i64, i64)> {
        match side {
            Side::Buy => self.bids.last_key_value(),
            Side::Sell => self.asks.first_key_value(),
        }
        .map(|(ticks, lots)| (*ticks, *lots))
    }

    /// Ticks between best bid and best ask; zero when a side is empty.
    pub(super) fn spread(&self) -> i64 {
        match (self.best(Side::Buy), self.best(Side::Sell)) {
            (Some((bid, _)), Some((ask, _))) => ask - bid,
            _ => 0,
        }
    }

    /// Sets a level; zero or less removes it. Crossing levels are not set.
    pub(super) fn set(&mut self, side: Side, ticks: i64, lots: i64) {
        let crosses = match side {
            Side::Buy => self.asks.first_key_value().is_some_and(|(ask, _)| ticks >= *ask),
            Side::Sell => self.bids.last_key_value().is_some_and(|(bid, _)| ticks <= *bid),
        };
        if ticks <= 0 || (crosses && lots > 0) {
            return;
        }
        let levels = if side == Side::Buy { &mut self.bids } else { &mut self.asks };
        let before = if lots > 0 { levels.insert(ticks, lots) } else { levels.remove(&ticks) };
        if before.unwrap_or(0) != lots.max(0) {
            self.touched.insert((side == Side::Buy, ticks));
            self.update_id += 1;
        }
    }

    /// Takes up to `lots` from the best level of the side that rests against `aggressor`.
    pub(super) fn take(&mut self, aggressor: Side, lots: i64) -> Option<(i64, i64)> {
        let resting = aggressor.opposite();
        let (ticks, there) = self.best(resting)?;
        let taken = lots.min(there);
        self.set(resting, ticks, there - taken);
        Some((ticks, taken))
    }

    /// Drops the levels farthest from the touch beyond [`DEPTH`].
    pub(super) fn trim(&mut self) {
        while self.bids.len() > DEPTH {
            let Some((ticks, _)) = self.bids.first_key_value() else { break };
            let ticks = *ticks;
            self.set(Side::Buy, ticks, 0);
        }
        while self.asks.len() > DEPTH {
            let Some((ticks, _)) = self.asks.last_key_value() else { break };
            let ticks = *ticks;
            self.set(Side::Sell, ticks, 0);
        }
    }

    /// The farthest level of a side, or none.
    pub(super) fn edge(&self, side: Side) -> Option<i64> {
        match side {
            Side::Buy => self.bids.first_key_value(),
            Side::Sell => self.asks.last_key_value(),
        }
        .map(|(ticks, _)| *ticks)
    }

    pub(super) fn len(&self, side: Side) -> usize {
        if side == Side::Buy { self.bids.len() } else { self.asks.len() }
    }

    pub(super) fn level(&self, side: Side) -> Option<Level> {
        self.best(side).map(|(ticks, lots)| (self.grid.price(ticks), self.grid.quantity(lots)))
    }

    /// All levels, best first.
    pub(super) fn all(&mut self) -> (Vec<Level>, Vec<Level>) {
        self.touched.clear();
        let grid = self.grid;
        let level = |(ticks, lots): (&i64, &i64)| (grid.price(*ticks), grid.quantity(*lots));
        (self.bids.iter().rev().map(level).collect(), self.asks.iter().map(level).collect())
    }

    /// The levels that changed since the last call, with their absolute quantities.
    pub(super) fn drain_changes(&mut self) -> (Vec<Level>, Vec<Level>) {
        let (mut bids, mut asks) = (Vec::new(), Vec::new());
        for (is_bid, ticks) in std::mem::take(&mut self.touched) {
            let levels = if is_bid { &self.bids } else { &self.asks };
            let lots = levels.get(&ticks).copied().unwrap_or(0);
            let level = (self.grid.price(ticks), self.grid.quantity(lots));
            if is_bid { bids.push(level) } else { asks.push(level) }
        }
        bids.reverse();
        (bids, asks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> SyntheticBook {
        let grid = Grid { tick: "0.01".parse().unwrap(), lot: "0.001".parse().unwrap() };
        let mut book = SyntheticBook::new(grid, 10);
        book.set(Side::Buy, 100, 5);
        book.set(Side::Sell, 102, 7);
        book
    }

    #[test]
    fn it_never_crosses() {
        let mut book = book();
        book.set(Side::Buy, 102, 1);
        book.set(Side::Sell, 99, 1);
        assert_eq!((book.spread(), book.update_id), (2, 12));
    }

    #[test]
    fn taking_moves_the_touch_and_is_reported_once() {
        let mut book = book();
        book.all();
        assert_eq!(book.take(Side::Buy, 100), Some((102, 7)));
        assert_eq!(book.take(Side::Buy, 1), None);
        let (bids, asks) = book.drain_changes();
        assert!(bids.is_empty());
        assert_eq!(asks, [("1.02".parse().unwrap(), Qty::ZERO)]);
        assert_eq!(book.drain_changes(), (Vec::new(), Vec::new()));
    }

    #[test]
    fn far_levels_are_trimmed() {
        let mut book = book();
        for ticks in 1..=100 {
            book.set(Side::Buy, ticks, 1);
        }
        book.trim();
        assert_eq!((book.len(Side::Buy), book.edge(Side::Buy)), (DEPTH, Some(41)));
    }
}
