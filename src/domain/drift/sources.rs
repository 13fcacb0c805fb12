//! From what happens to numbers: which observation of which stream an event of the market or of an order is.
//!
//! Pure folds with bounded memory. Prices are read as floats: these are measurements, not money. What cannot be measured
//! (no fresh price when an order was decided on, the end of an order that began before this process) gives no observation
//! rather than a guess.

use super::kind::Kind;
use super::name::StreamName;
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::domain::ledger::{BookedFill, Position};
use crate::domain::market::MarketEvent;
use crate::domain::money::Price;
use crate::domain::oms::Change;
use crate::domain::order::{Order, OrderNumber, OrderState};
use crate::domain::order_types::Side;
use crate::domain::time::{Mono, WallMs};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::{BTreeMap, BTreeSet};

/// Over this long the gaps of a feed are averaged, milliseconds. Events come in bursts and quiet spells of some seconds: one
/// gap says nothing, and the mean of a second still resembles the next one's.
const GAP_EVERY_MS: u64 = 5_000;
/// Over this long the latencies of a feed's trades are averaged, milliseconds: a burst of trades arrives as one.
const LATENCY_EVERY_MS: u64 = 1_000;
/// Between two observations of an instrument's spread, milliseconds: a book that trembles is no news.
const SPREAD_EVERY_MS: u64 = 1_000;
/// Instruments of one venue that are watched.
const SYMBOLS_MAX: usize = 1_024;
/// Orders that are remembered until their end is counted.
const ORDERS_MAX: usize = 8_192;
/// Positions that are remembered for what they realised.
const POSITIONS_MAX: usize = 4_096;
/// Over this long the times that orders took are averaged, milliseconds: orders of a moment share a commit, a connection and
/// what else the machine has to do, and their times resemble each other.
const STAGE_EVERY_MS: u64 = 1_000;
/// Venues whose orders' stages are watched.
const VENUES_MAX: usize = 64;
const BASIS_POINTS: f64 = 10_000.0;
const MS_PER_SECOND: f64 = 1_000.0;

/// One observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Of which stream.
    pub name: StreamName,
    /// Whose, where it is somebody's.
    pub strategy: Option<StrategyId>,
    /// The number, units by source.
    pub x: f64,
}

fn float(value: Decimal) -> Option<f64> {
    value.to_f64().filter(|x| x.is_finite())
}

fn seconds(ms: i64) -> Option<f64> {
    // Beyond a month it is a broken stamp, not a duration.
    i32::try_from(ms).ok().map(|ms| f64::from(ms) / MS_PER_SECOND)
}

/// What has come since an instant.
#[derive(Debug, Default)]
struct Window {
    since: Option<Mono>,
    sum: f64,
    count: u32,
}

impl Window {
    /// A new one from an instant on.
    fn from(now: Mono) -> Self {
        Self { since: Some(now), ..Self::default() }
    }

    /// Takes one of what is measured. The mean, as soon as the window is as long as this; then a new one begins. Silence
    /// makes it longer, so that the first event after a silence tells of it at once. A clock that stands still ends none.
    fn take(&mut self, now: Mono, x: f64, every_ms: u64) -> Option<f64> {
        let since = *self.since.get_or_insert(now);
        self.sum += x;
        self.count = self.count.saturating_add(1);
        if now.since(since) < every_ms {
            return None;
        }
        let mean = self.sum / f64::from(self.count);
        *self = Self::from(now);
        Some(mean)
    }
}

/// One venue's market session: `feed_gap` (mean seconds between events, every five seconds), `feed_latency` (mean seconds
/// from the venue's stamp of a trade to its arrival, every second; holds the difference of the clocks too), `spread`
/// (quote units, once a second).
#[derive(Debug)]
pub struct MarketSource {
    venue: VenueId,
    gap: StreamName,
    latency: StreamName,
    last: Option<Mono>,
    gaps: Window,
    latencies: Window,
    spreads: BTreeMap<Symbol, (StreamName, Mono)>,
}

impl MarketSource {
    /// Of a venue.
    #[must_use]
    pub fn new(venue: VenueId) -> Self {
        let gap = StreamName::of(Kind::FEED_GAP, &[venue.as_str()]);
        let latency = StreamName::of(Kind::FEED_LATENCY, &[venue.as_str()]);
        let (gaps, latencies) = (Window::default(), Window::default());
        Self { venue, gap, latency, last: None, gaps, latencies, spreads: BTreeMap::new() }
    }

    /// What an event is worth, handed to `out`.
    pub fn note(
        &mut self,
        now: Mono,
        wall: WallMs,
        event: &MarketEvent,
        out: &mut dyn FnMut(&StreamName, f64),
    ) {
        match self.last.replace(now) {
            None => self.gaps = Window::from(now),
            Some(last) => {
                let gap = i64::try_from(now.since(last)).ok().and_then(seconds);
                if let Some(mean) = gap.and_then(|gap| self.gaps.take(now, gap, GAP_EVERY_MS)) {
                    out(&self.gap, mean);
                }
            }
        }
        match event {
            MarketEvent::Trade(trade) => {
                let late = seconds(wall.0.saturating_sub(trade.at.0));
                if let Some(mean) = late.and_then(|late| self.latencies.take(now, late, LATENCY_EVERY_MS)) {
                    out(&self.latency, mean);
                }
            }
            MarketEvent::Book { symbol, top: Some(top) } => {
                let known = self.spreads.contains_key(symbol);
                if !known && self.spreads.len() < SYMBOLS_MAX {
                    let name = StreamName::of(Kind::SPREAD, &[self.venue.as_str(), symbol.as_str()]);
                    self.spreads.insert(symbol.clone(), (name, Mono(0)));
                }
                let Some((name, last)) = self.spreads.get_mut(symbol) else { return };
                if known && now.since(*last) < SPREAD_EVERY_MS {
                    return;
                }
                *last = now;
                // In quote units: where a tick bounds it, a share of a price that moves would tremble without end.
                if let Some(spread) = top.spread().and_then(|spread| float(spread.get())) {
                    out(name, spread);
                }
            }
            MarketEvent::Book { .. }
            | MarketEvent::Quote { .. }
            | MarketEvent::BookLost { .. }
            | MarketEvent::Unrecognised { .. } => {}
        }
    }
}

/// How long the stages of orders took: `order_stage` (mean seconds from the request, over the orders of a second).
#[derive(Debug, Default)]
pub struct StageSource(BTreeMap<VenueId, BTreeMap<&'static str, (StreamName, Window)>>);

impl StageSource {
    /// An order of a venue reached a stage, so many seconds after its request; the mean when it is time to tell one.
    pub fn note(
        &mut self,
        now: Mono,
        stage: &'static str,
        venue: &VenueId,
        took: f64,
    ) -> Option<(&StreamName, f64)> {
        if !self.0.contains_key(venue) && self.0.len() < VENUES_MAX {
            self.0.insert(venue.clone(), BTreeMap::new());
        }
        let (name, window) = self.0.get_mut(venue)?.entry(stage).or_insert_with(|| {
            (StreamName::of(Kind::ORDER_STAGE, &[stage, venue.as_str()]), Window::default())
        });
        let mean = window.take(now, took, STAGE_EVERY_MS)?;
        Some((name, mean))
    }
}

/// The orders of all strategies, from the changes that the order management publishes: `slippage` (basis points of a fill
/// against the price that the decision on its order saw, above zero is a cost), `fill_ratio`, `reject_ratio`, and from
/// positions `hit_rate` (1 or 0 per closed part) and `trade_return` (basis points of the fill that closed it).
#[derive(Debug, Default)]
pub struct OrderSource {
    /// Orders whose end has not been counted.
    begun: BTreeSet<OrderNumber>,
    realised: BTreeMap<Held, Decimal>,
    /// What the fill that comes next has realised; its position is published first.
    closing: BTreeMap<Held, Decimal>,
}

/// A position's key.
type Held = (VenueId, Symbol, StrategyId);

fn of(kind: Kind, strategy: &StrategyId, x: f64) -> Sample {
    Sample { name: StreamName::of(kind, &[strategy.as_str()]), strategy: Some(strategy.clone()), x }
}

impl OrderSource {
    /// What a change is worth.
    pub fn note(&mut self, change: &Change) -> Vec<Sample> {
        match change {
            Change::Order(order) => self.order(order),
            Change::Fill { fill, decided } => self.fill(fill, *decided),
            Change::Position(position) => {
                self.position(position);
                Vec::new()
            }
            Change::Balance(_) | Change::Phase { .. } | Change::Strategy { .. } => Vec::new(),
        }
    }

    fn fill(&mut self, fill: &BookedFill, decided: Option<Price>) -> Vec<Sample> {
        let gained =
            self.closing.remove(&(fill.venue.clone(), fill.fill.symbol.clone(), fill.strategy.clone()));
        let (price, quantity) = (float(fill.fill.price.get()), float(fill.fill.quantity.get()));
        let (Some(price), Some(quantity), false) = (price, quantity, fill.busted) else { return Vec::new() };
        let mut samples = Vec::new();
        if let Some(decided) = decided.and_then(|decided| float(decided.get())).filter(|price| *price > 0.0) {
            let worse = match fill.fill.side {
                Side::Buy => price - decided,
                Side::Sell => decided - price,
            };
            samples.push(of(Kind::SLIPPAGE, &fill.strategy, worse / decided * BASIS_POINTS));
        }
        if let Some(gained) = gained.and_then(float) {
            samples.push(of(Kind::HIT_RATE, &fill.strategy, if gained > 0.0 { 1.0 } else { 0.0 }));
            if price * quantity > 0.0 {
                samples.push(of(
                    Kind::TRADE_RETURN,
                    &fill.strategy,
                    gained / (price * quantity) * BASIS_POINTS,
                ));
            }
        }
        samples
    }

    fn order(&mut self, order: &Order) -> Vec<Sample> {
        if order.state == OrderState::PendingSubmit {
            self.begun.insert(order.number);
            while self.begun.len() > ORDERS_MAX {
                self.begun.pop_first();
            }
        }
        if !order.state.is_final() || !order.is_booked() || !self.begun.remove(&order.number) {
            return Vec::new();
        }
        if order.state == OrderState::Denied {
            return Vec::new();
        }
        let rejected = if order.state == OrderState::Rejected { 1.0 } else { 0.0 };
        let mut samples = vec![of(Kind::REJECT_RATIO, &order.strategy, rejected)];
        let share = float(order.executed.get()).zip(float(order.quantity.get()).filter(|q| *q > 0.0));
        if let Some((executed, quantity)) = share.filter(|_| order.state != OrderState::Rejected) {
            samples.push(of(Kind::FILL_RATIO, &order.strategy, executed / quantity));
        }
        samples
    }

    /// What a position has realised since it was last told, for the fill that follows. A cold start tells of positions
    /// without a fill: the next fill's own position replaces what they left.
    fn position(&mut self, position: &Position) {
        let key = (position.venue.clone(), position.symbol.clone(), position.strategy.clone());
        let now = position.realised_pnl.get();
        if self.realised.len() >= POSITIONS_MAX && !self.realised.contains_key(&key) {
            return;
        }
        let before = self.realised.insert(key.clone(), now);
        let gained = before.and_then(|before| now.checked_sub(before)).filter(|gained| !gained.is_zero());
        match gained {
            Some(gained) => self.closing.insert(key, gained),
            None => self.closing.remove(&key),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::TradeId;
    use crate::domain::market::{Level, PublicTrade, Top};
    use crate::domain::money::Quantity;

    fn book(bid: &str, ask: &str) -> MarketEvent {
        let level = |price: &str| Level {
            price: Price::parse(price).unwrap(),
            quantity: Quantity::parse("1").unwrap(),
        };
        let top = Top { update_id: 1, bid: level(bid), ask: level(ask) };
        MarketEvent::Book { symbol: Symbol::new("BTCUSDT").unwrap(), top: Some(top) }
    }

    fn told(events: &[(u64, i64, MarketEvent)]) -> Vec<(String, f64)> {
        let mut source = MarketSource::new(VenueId::new("paper").unwrap());
        let mut told = Vec::new();
        for (ms, wall, event) in events {
            source.note(Mono(*ms), WallMs(*wall), event, &mut |name, x| {
                told.push((name.to_string(), (x * 1e6).round() / 1e6));
            });
        }
        told
    }

    #[test]
    fn mean_gaps_of_the_feed_and_a_spread_a_second() {
        let book = |(ms, ask): (u64, &str)| (ms, 0, book("99", ask));
        let events = [(5, "101"), (105, "102"), (1004, "103"), (1005, "104"), (5005, "99.5")].map(book);
        let (gap, spread) = ("feed_gap:paper".to_owned(), "spread:paper:BTCUSDT".to_owned());
        let mut want = vec![(spread.clone(), 2.0), (spread.clone(), 5.0), (gap.clone(), 1.25), (spread, 0.5)];
        assert_eq!(told(&events), want);
        // A silence is told by the event that ends it; events after it begin anew.
        let lost = MarketEvent::Book { symbol: Symbol::new("BTCUSDT").unwrap(), top: None };
        let after = [(25_005, 0, lost.clone()), (25_105, 0, lost.clone()), (30_005, 0, lost)];
        want.extend([(gap.clone(), 20.0), (gap, 2.5)]);
        assert_eq!(told(&[&events[..], &after].concat()), want);
    }

    #[test]
    fn mean_time_of_the_orders_of_a_second_by_stage_and_venue() {
        let mut source = StageSource::default();
        let (paper, other) = (VenueId::new("paper").unwrap(), VenueId::new("other").unwrap());
        let mut told = Vec::new();
        for (ms, stage, venue, took) in [
            (0, "journal", &paper, 1.0),
            (400, "journal", &paper, 2.0),
            (500, "fill", &paper, 9.0),
            (600, "journal", &other, 9.0),
            (1_000, "journal", &paper, 6.0),
            (1_100, "journal", &paper, 7.0),
            (1_500, "fill", &paper, 11.0),
            (60_000, "fill", &paper, 5.0),
        ] {
            let said = source.note(Mono(ms), stage, venue, took);
            told.extend(said.map(|(name, mean)| (ms, name.to_string(), mean)));
        }
        let (journal, fill) = ("order_stage:journal:paper".to_owned(), "order_stage:fill:paper".to_owned());
        assert_eq!(told, [(1_000, journal, 3.0), (1_500, fill.clone(), 10.0), (60_000, fill, 5.0)]);
    }

    #[test]
    fn mean_latency_of_the_trades_of_a_second() {
        let trade = |ms: u64, late: i64| {
            let trade = PublicTrade {
                symbol: Symbol::new("BTCUSDT").unwrap(),
                trade_id: TradeId::from(1),
                price: Price::parse("100").unwrap(),
                quantity: Quantity::parse("1").unwrap(),
                aggressor: Side::Buy,
                at: WallMs(50_000 - late),
            };
            (ms, 50_000, MarketEvent::Trade(trade))
        };
        let events = [trade(0, 10), trade(1, 30), trade(1_000, 50), trade(1_001, 7), trade(9_000, 9)];
        let latencies: Vec<f64> = told(&events)
            .into_iter()
            .filter_map(|(name, x)| (name == "feed_latency:paper").then_some(x))
            .collect();
        assert_eq!(latencies, [0.03, 0.008]);
    }
}
