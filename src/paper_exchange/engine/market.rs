//! One symbol: its rules, book, stop orders, who has which orders there, and the public tape.
//!
//! Owns the numbering of book updates and trades: both rise without ever repeating. The market's own
//! numbers are kept, shifted by what our accounts added, so that a replayed capture shows the recorded
//! ids for as long as nobody trades. The tape is bounded. It moves no money and fills no order.

use super::event::PublicTrade;
use super::ids::{AccountId, ClientOrderId, OrderId, TradeId};
use super::money::{Amount, Price, Qty, UNITS_PER_ONE};
use super::order::Side;
use super::side::{BookSide, Rank};
use super::symbol::SymbolSpec;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const MS_PER_MINUTE: i64 = 60_000;
/// Public trades kept per symbol for `GET /trades`: the venue's largest page.
pub(super) const TAPE_TRADES: usize = 1_000;

/// Numbers of one rising sequence that mixes the market's numbers with ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Numbering {
    /// The last number given out.
    pub(super) last: u64,
    /// How far our numbers run ahead of the market's.
    pub(super) shift: u64,
}

impl Numbering {
    /// The next number, for a change of our own.
    pub(super) fn own(&mut self) -> u64 {
        self.shift = self.shift.saturating_add(1);
        self.last = self.last.saturating_add(1);
        self.last
    }

    /// The number of a change of the market, rising even where the market's own number does not.
    pub(super) fn market(&mut self, number: Option<u64>) -> u64 {
        let next = self.last.saturating_add(1);
        match number {
            None => self.last = next,
            Some(number) => {
                self.last = number.saturating_add(self.shift).max(next);
                self.shift = self.last.saturating_sub(number);
            }
        }
        self.last
    }
}

/// Volume of one minute, for the average price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MinuteVolume {
    minute: i64,
    base: Amount,
    quote: Amount,
}

/// One account's orders on the symbol. Everything here can be derived from the orders themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct Desk {
    /// Open orders.
    pub(super) open: BTreeSet<OrderId>,
    /// How many of them have a stop price.
    pub(super) open_algo: u32,
    /// The latest order of each client order id.
    pub(super) by_client_id: BTreeMap<ClientOrderId, OrderId>,
    /// Every order, in order of acceptance.
    pub(super) orders: Vec<OrderId>,
    /// Indexes of its fills in the exchange's record.
    pub(super) fills: Vec<usize>,
}

/// What of a market cannot be derived from orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MarketState {
    /// Rules.
    pub(super) spec: SymbolSpec,
    /// The market's bids, best first.
    pub(super) bids: Vec<(Price, Qty)>,
    /// The market's asks, best first.
    pub(super) asks: Vec<(Price, Qty)>,
    /// Book update ids.
    pub(super) updates: Numbering,
    /// Trade ids.
    pub(super) trade_ids: Numbering,
    /// Next time priority.
    pub(super) next_sequence: u64,
    /// Price of the last trade.
    pub(super) last_price: Option<Price>,
    /// Volumes per minute.
    pub(super) volumes: VecDeque<MinuteVolume>,
    /// Recent public trades, oldest first.
    pub(super) tape: VecDeque<PublicTrade>,
}

/// One symbol of the exchange.
#[derive(Debug, Clone)]
pub(super) struct Market {
    pub(super) spec: SymbolSpec,
    pub(super) bids: BookSide,
    pub(super) asks: BookSide,
    /// Stop orders that trigger when the last price rises to their stop.
    pub(super) rising: BTreeSet<(Price, OrderId)>,
    /// Stop orders that trigger when it falls to their stop.
    pub(super) falling: BTreeSet<(Price, OrderId)>,
    pub(super) desks: BTreeMap<AccountId, Desk>,
    pub(super) updates: Numbering,
    pub(super) trade_ids: Numbering,
    pub(super) next_sequence: u64,
    pub(super) last_price: Option<Price>,
    volumes: VecDeque<MinuteVolume>,
    tape: VecDeque<PublicTrade>,
    /// Levels the running command changed.
    pub(super) dirty: Vec<(Side, Rank)>,
    /// Lowest and highest price the running command traded at.
    pub(super) swept: Option<(Price, Price)>,
}

impl Market {
    /// A symbol without orders or market.
    pub(super) fn new(spec: SymbolSpec) -> Self {
        Self {
            spec,
            bids: BookSide::new(Side::Buy),
            asks: BookSide::new(Side::Sell),
            rising: BTreeSet::new(),
            falling: BTreeSet::new(),
            desks: BTreeMap::new(),
            updates: Numbering::default(),
            trade_ids: Numbering::default(),
            next_sequence: 1,
            last_price: None,
            volumes: VecDeque::new(),
            tape: VecDeque::new(),
            dirty: Vec::new(),
            swept: None,
        }
    }

    /// The side on which orders of `side` rest.
    pub(super) const fn side(&self, side: Side) -> &BookSide {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    /// The side on which orders of `side` rest.
    pub(super) const fn side_mut(&mut self, side: Side) -> &mut BookSide {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Whether an order of `side` with this limit would trade at once.
    pub(super) fn would_take(&self, side: Side, limit: Price) -> bool {
        let opposite = self.side(side.opposite());
        opposite.best().is_some_and(|best| best <= opposite.rank(limit))
    }

    /// Puts a trade on the tape: last price, averages, and the range that stop orders look at.
    pub(super) fn print(&mut self, trade: PublicTrade) {
        self.last_price = Some(trade.price);
        self.swept = Some(match self.swept {
            None => (trade.price, trade.price),
            Some((low, high)) => (low.min(trade.price), high.max(trade.price)),
        });
        let minute = trade.at_ms.div_euclid(MS_PER_MINUTE);
        let (base, quote) = (trade.quantity.amount(), trade.price.notional(trade.quantity));
        match self.volumes.back_mut() {
            Some(last) if last.minute >= minute => {
                last.base += base;
                last.quote += quote;
            }
            _ => self.volumes.push_back(MinuteVolume { minute, base, quote }),
        }
        while self.volumes.len() > usize::from(SymbolSpec::MAX_AVERAGE_MINUTES) {
            self.volumes.pop_front();
        }
        if self.tape.len() >= TAPE_TRADES {
            self.tape.pop_front();
        }
        self.tape.push_back(trade);
    }

    /// The volume-weighted average price of the last `minutes`; the last price when `minutes` is zero or
    /// nothing traded in them; `None` before the first trade.
    pub(super) fn average_price(&self, now_ms: i64, minutes: u8) -> Option<Price> {
        let since = now_ms.div_euclid(MS_PER_MINUTE) - i64::from(minutes);
        let (mut base, mut quote) = (0i128, 0i128);
        for volume in self.volumes.iter().rev().take_while(|volume| volume.minute > since) {
            base += volume.base.units();
            quote += volume.quote.units();
        }
        if base == 0 {
            return self.last_price;
        }
        let units = quote.checked_mul(i128::from(UNITS_PER_ONE))? / base;
        i64::try_from(units).ok().map(Price::from_units)
    }

    /// Recent public trades, oldest first.
    pub(super) fn tape(&self) -> impl DoubleEndedIterator<Item = &PublicTrade> + ExactSizeIterator {
        self.tape.iter()
    }

    /// The number for a trade of ours.
    pub(super) fn next_own_trade(&mut self) -> TradeId {
        TradeId(self.trade_ids.own())
    }

    /// What a snapshot keeps.
    pub(super) fn state(&self) -> MarketState {
        let levels =
            |side: &BookSide| side.market_levels().map(|(rank, qty)| (side.price(rank), qty)).collect();
        MarketState {
            spec: self.spec,
            bids: levels(&self.bids),
            asks: levels(&self.asks),
            updates: self.updates,
            trade_ids: self.trade_ids,
            next_sequence: self.next_sequence,
            last_price: self.last_price,
            volumes: self.volumes.clone(),
            tape: self.tape.clone(),
        }
    }

    /// A market from a snapshot, still without orders.
    pub(super) fn from_state(state: MarketState) -> Self {
        let mut market = Self::new(state.spec);
        for (price, quantity) in state.bids {
            market.bids.set_market(market.bids.rank(price), quantity);
        }
        for (price, quantity) in state.asks {
            market.asks.set_market(market.asks.rank(price), quantity);
        }
        market.updates = state.updates;
        market.trade_ids = state.trade_ids;
        market.next_sequence = state.next_sequence;
        market.last_price = state.last_price;
        market.volumes = state.volumes;
        market.tape = state.tape;
        market
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper_exchange::engine::ids::{Asset, Symbol};

    fn market() -> Market {
        let name = |text| Asset::new(text).unwrap();
        let symbol = Symbol::new("BTCUSDT").unwrap();
        Market::new(SymbolSpec::usual(
            symbol,
            name("BTC"),
            name("USDT"),
            Price::from_units(1),
            Qty::from_units(1),
        ))
    }

    fn trade(market: &Market, price: i64, quantity: i64, at_ms: i64) -> PublicTrade {
        PublicTrade {
            symbol: market.spec.symbol,
            trade_id: TradeId(1),
            price: Price::from_units(price * UNITS_PER_ONE),
            quantity: Qty::from_units(quantity * UNITS_PER_ONE),
            at_ms,
            buyer_is_maker: false,
        }
    }

    #[test]
    fn the_market_keeps_its_numbers_until_we_add_ours() {
        let mut ids = Numbering::default();
        assert_eq!(ids.market(Some(100)), 100);
        assert_eq!(ids.market(Some(103)), 103);
        assert_eq!(ids.own(), 104);
        assert_eq!(ids.market(Some(104)), 105);
        assert_eq!(ids.market(None), 106);
        assert_eq!(ids.market(Some(50)), 107, "numbers that start over still rise");
        assert_eq!(ids.market(Some(51)), 108);
    }

    #[test]
    fn the_average_forgets_minutes_outside_its_window() {
        let mut market = market();
        assert_eq!(market.average_price(0, 5), None);
        market.print(trade(&market, 100, 1, 0));
        market.print(trade(&market, 200, 3, 60_000));
        let whole = |price: i64| Some(Price::from_units(price * UNITS_PER_ONE));
        assert_eq!(market.average_price(60_000, 5), whole(175));
        assert_eq!(market.average_price(60_000, 1), whole(200));
        assert_eq!(market.average_price(60_000, 0), whole(200), "the last price");
        assert_eq!(market.average_price(10_000_000, 5), whole(200), "nothing in the window");
        for minute in 0..500 {
            market.print(trade(&market, 1, 1, minute * 60_000));
        }
        assert!(market.volumes.len() <= 60);
    }

    #[test]
    fn the_tape_is_bounded() {
        let mut market = market();
        for at_ms in 0..2_000 {
            market.print(trade(&market, 1, 1, at_ms));
        }
        assert_eq!(market.tape().len(), TAPE_TRADES);
        assert_eq!(market.tape().next().map(|trade| trade.at_ms), Some(1_000));
    }
}
