//! A market from a seed: clustered arrivals, a mean-reverting spread, occasional bursts.
//!
//! Time runs in steps of 10 ms. Trades come with a probability that each trade raises and time lowers
//! (a self-exciting process in discrete time), so they cluster. A burst, about once a minute, heats the
//! process up and gives it a direction. Quotes come and go; the wider the spread, the likelier a quote
//! inside it. Book changes are announced every 100 ms, best quotes at once. Whole numbers throughout:
//! the same seed gives the same events, byte for byte.

use super::capture::CaptureError;
use super::synthetic_book::{DEPTH, Grid, SyntheticBook};
use super::{Feed, Level, MarketEvent, Resume, Timed};
use crate::paper_exchange::engine::{Price, Qty, Side, Symbol};
use fastrand::Rng;
use std::collections::VecDeque;

const STEP_NS: u64 = 10_000_000;
const STEPS_PER_ANNOUNCEMENT: u64 = 10;
/// Chance of a trade per step without any excitement, in thousandths.
const BASE_CHANCE: u32 = 25;
/// What one trade adds to the chance, in thousandths.
const EXCITEMENT: u32 = 90;
/// The chance never exceeds this, in thousandths.
const CHANCE_CAP: u32 = 850;
/// Steps between bursts, on average.
const STEPS_PER_BURST: u32 = 6_000;
/// The spread the quotes pull back to, in ticks.
const USUAL_SPREAD: i64 = 2;
/// Quote changes tried per step.
const QUOTES_PER_STEP: u32 = 3;

/// What a synthetic symbol looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntheticSymbol {
    /// The symbol.
    pub symbol: Symbol,
    /// Price step.
    pub tick: Price,
    /// Quantity step of the quotes (a multiple of the symbol's own step).
    pub lot: Qty,
    /// Where the price starts.
    pub start: Price,
}

#[derive(Debug)]
struct Street {
    symbol: Symbol,
    grid: Grid,
    book: SyntheticBook,
    heat: u32,
    burst_steps: u32,
    lean: Side,
    last_trade: u64,
    told: Option<(Level, Level)>,
}

/// A seeded market over several symbols.
#[derive(Debug)]
pub struct Synthetic {
    rng: Rng,
    streets: Vec<Street>,
    step: u64,
    ready: VecDeque<Timed>,
}

impl Synthetic {
    /// A market of these symbols from this seed; ids go on above `resume`.
    #[must_use]
    pub fn new(seed: u64, symbols: &[SyntheticSymbol], resume: &Resume) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut streets: Vec<Street> =
            symbols.iter().map(|symbol| Street::new(*symbol, &mut rng, resume)).collect();
        streets.sort_by_key(|street| street.symbol);
        let mut ready = VecDeque::new();
        for street in &mut streets {
            let (bids, asks) = street.book.all();
            let last_update_id = street.book.update_id;
            let event =
                MarketEvent::Book { symbol: street.symbol, replace: true, last_update_id, bids, asks };
            ready.push_back(Timed { at_ns: 0, event });
        }
        Self { rng, streets, step: 0, ready }
    }

    fn advance(&mut self) {
        self.step += 1;
        let at_ns = self.step.saturating_mul(STEP_NS);
        for street in &mut self.streets {
            let mut say = |event| self.ready.push_back(Timed { at_ns, event });
            street.excite(&mut self.rng);
            street.quote(&mut self.rng);
            street.trade(&mut self.rng, &mut say);
            street.tell_best(&mut say);
            if self.step.is_multiple_of(STEPS_PER_ANNOUNCEMENT) {
                street.tell_book(&mut say);
            }
        }
    }
}

impl Feed for Synthetic {
    fn symbols(&self) -> Vec<Symbol> {
        self.streets.iter().map(|street| street.symbol).collect()
    }

    fn next(&mut self) -> Result<Option<Timed>, CaptureError> {
        while self.ready.is_empty() && !self.streets.is_empty() {
            self.advance();
        }
        Ok(self.ready.pop_front())
    }
}

impl Street {
    fn new(symbol: SyntheticSymbol, rng: &mut Rng, resume: &Resume) -> Self {
        let last = resume.get(&symbol.symbol).copied().unwrap_or_default();
        let grid = Grid { tick: symbol.tick, lot: symbol.lot };
        let mut book = SyntheticBook::new(grid, last.update_id);
        let middle = (symbol.start.units() / symbol.tick.units().max(1)).max(1_000);
        for distance in 0..i64::try_from(DEPTH).unwrap_or(i64::MAX) {
            book.set(Side::Buy, middle - 1 - distance, lots(rng, distance));
            book.set(Side::Sell, middle + 1 + distance, lots(rng, distance));
        }
        Self {
            symbol: symbol.symbol,
            grid,
            book,
            heat: 0,
            burst_steps: 0,
            lean: Side::Buy,
            last_trade: last.trade_id,
            told: None,
        }
    }

    /// Time cools; now and then a burst heats and picks a direction.
    fn excite(&mut self, rng: &mut Rng) {
        self.heat -= self.heat / 12;
        if rng.u32(0..STEPS_PER_BURST) == 0 {
            self.burst_steps = rng.u32(50..200);
            self.lean = side(rng);
        }
        if self.burst_steps > 0 {
            self.burst_steps -= 1;
            self.heat = CHANCE_CAP;
        }
    }

    fn trade(&mut self, rng: &mut Rng, say: &mut impl FnMut(MarketEvent)) {
        let chance = (BASE_CHANCE + self.heat).min(CHANCE_CAP);
        if rng.u32(0..1_000) >= chance {
            return;
        }
        self.heat = (self.heat + EXCITEMENT).min(CHANCE_CAP);
        // Order flow persists: three trades in four go the way of the last one.
        if rng.u32(0..4) == 0 {
            self.lean = side(rng);
        }
        // Sizes are heavy-tailed: each doubling is half as likely.
        let mut wanted = rng.i64(1..8) << rng.u64(..).trailing_ones().min(9);
        for _ in 0..4 {
            if self.book.len(self.lean.opposite()) <= 2 {
                return;
            }
            let Some((ticks, taken)) = self.book.take(self.lean, wanted) else { return };
            wanted -= taken;
            self.last_trade += 1;
            say(MarketEvent::Trade {
                symbol: self.symbol,
                trade_id: self.last_trade,
                price: self.grid.price(ticks),
                quantity: self.grid.quantity(taken),
                aggressor: self.lean,
            });
            if wanted <= 0 {
                return;
            }
        }
    }

    fn quote(&mut self, rng: &mut Rng) {
        for _ in 0..QUOTES_PER_STEP {
            let side = side(rng);
            let Some((best, _)) = self.book.best(side) else { continue };
            let away = if side == Side::Buy { -1 } else { 1 };
            let excess = self.book.spread() - USUAL_SPREAD;
            if excess > 0 && i64::from(rng.u32(0..20)) < excess {
                self.book.set(side, best - away, lots(rng, 0));
            } else if rng.u32(0..3) == 0 {
                // Mostly near the touch: the minimum of two draws.
                let distance = rng.i64(0..40).min(rng.i64(0..40));
                let gone = distance > 0 && rng.u32(0..3) == 0;
                let size = if gone { 0 } else { lots(rng, distance) };
                self.book.set(side, best + away * distance, size);
            } else if excess == 0 && rng.u32(0..200) == 0 {
                self.book.set(side, best, 0);
            }
        }
        for side in [Side::Buy, Side::Sell] {
            let away = if side == Side::Buy { -1 } else { 1 };
            while self.book.len(side) < DEPTH / 2 {
                let Some(edge) = self.book.edge(side) else { break };
                self.book.set(side, edge + away, lots(rng, 10));
            }
        }
        self.book.trim();
    }

    fn tell_best(&mut self, say: &mut impl FnMut(MarketEvent)) {
        let (Some(bid), Some(ask)) = (self.book.level(Side::Buy), self.book.level(Side::Sell)) else {
            return;
        };
        if self.told != Some((bid, ask)) {
            self.told = Some((bid, ask));
            say(MarketEvent::Ticker { symbol: self.symbol, update_id: self.book.update_id, bid, ask });
        }
    }

    fn tell_book(&mut self, say: &mut impl FnMut(MarketEvent)) {
        let (bids, asks) = self.book.drain_changes();
        if bids.is_empty() && asks.is_empty() {
            return;
        }
        let last_update_id = self.book.update_id;
        say(MarketEvent::Book { symbol: self.symbol, replace: false, last_update_id, bids, asks });
    }
}

fn side(rng: &mut Rng) -> Side {
    if rng.bool() { Side::Buy } else { Side::Sell }
}

/// Lots of a quote: more of them away from the touch.
fn lots(rng: &mut Rng, distance: i64) -> i64 {
    rng.i64(5..60) + rng.i64(0..=distance.max(0) * 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn market(seed: u64) -> Synthetic {
        let symbol = SyntheticSymbol {
            symbol: Symbol::new("BTCUSDT").unwrap(),
            tick: "0.01".parse().unwrap(),
            lot: "0.001".parse().unwrap(),
            start: "60000".parse().unwrap(),
        };
        Synthetic::new(seed, &[symbol], &Resume::new())
    }

    fn events(seed: u64, until_ns: u64) -> Vec<Timed> {
        let mut feed = market(seed);
        std::iter::from_fn(|| feed.next().unwrap()).take_while(|timed| timed.at_ns <= until_ns).collect()
    }

    #[test]
    fn a_seed_gives_the_same_market_and_another_seed_another() {
        let minute = 60_000_000_000;
        assert_eq!(events(7, minute), events(7, minute));
        assert_ne!(events(7, minute), events(8, minute));
    }

    #[test]
    fn ten_minutes_hold_a_sound_book_and_rising_ids() {
        let (mut bids, mut asks) = (BTreeMap::new(), BTreeMap::new());
        let (mut last_update, mut last_trade, mut trades, mut tickers) = (0, 0, 0_u32, 0_u32);
        for timed in events(1, 600_000_000_000) {
            match timed.event {
                MarketEvent::Book { last_update_id, bids: b, asks: a, .. } => {
                    assert!(last_update_id > last_update);
                    last_update = last_update_id;
                    for (side, changes) in [(&mut bids, b), (&mut asks, a)] {
                        for (price, quantity) in changes {
                            if quantity.is_zero() {
                                side.remove(&price)
                            } else {
                                side.insert(price, quantity)
                            };
                        }
                    }
                    let bid = bids.keys().next_back().unwrap();
                    assert!(bid < asks.keys().next().unwrap(), "crossed");
                    assert!(bids.len() <= DEPTH && bids.len() > 2 && asks.len() > 2);
                }
                MarketEvent::Trade { trade_id, quantity, .. } => {
                    assert_eq!(trade_id, last_trade + 1);
                    assert!(quantity.is_positive());
                    last_trade = trade_id;
                    trades += 1;
                }
                MarketEvent::Ticker { bid, ask, .. } => {
                    assert!(bid.0 < ask.0);
                    tickers += 1;
                }
            }
        }
        assert!(trades > 1_000 && tickers > 1_000, "{trades} trades, {tickers} tickers");
    }

    #[test]
    fn trades_cluster() {
        // Variance over mean of trades per second: 1 for independent arrivals, above it for clusters.
        let mut per_second = vec![0_i64; 600];
        for timed in events(3, 599_000_000_000) {
            if matches!(timed.event, MarketEvent::Trade { .. }) {
                let second = usize::try_from(timed.at_ns / 1_000_000_000).unwrap();
                per_second[second] += 1;
            }
        }
        let count = i64::try_from(per_second.len()).unwrap();
        let sum: i64 = per_second.iter().sum();
        let squares: i64 = per_second.iter().map(|n| n * n).sum();
        let variance_times_count_squared = squares * count - sum * sum;
        assert!(variance_times_count_squared > 2 * sum * count, "no clustering: {per_second:?}");
    }

    #[test]
    fn a_restart_goes_on_above_the_last_ids() {
        let symbol = Symbol::new("BTCUSDT").unwrap();
        let last = super::super::LastIds { update_id: 9_000, trade_id: 70 };
        let shape = SyntheticSymbol {
            symbol,
            tick: "0.01".parse().unwrap(),
            lot: "0.001".parse().unwrap(),
            start: "60000".parse().unwrap(),
        };
        let mut feed = Synthetic::new(1, &[shape], &Resume::from([(symbol, last)]));
        for _ in 0..500 {
            match feed.next().unwrap().unwrap().event {
                MarketEvent::Book { last_update_id: id, .. } | MarketEvent::Ticker { update_id: id, .. } => {
                    assert!(id > 9_000);
                }
                MarketEvent::Trade { trade_id, .. } => assert!(trade_id > 70),
            }
        }
    }
}
