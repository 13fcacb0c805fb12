//! Klines, kept up to date trade by trade.
//!
//! Bounded: [`KEPT`] candles per interval. A minute without trades has no candle. Pure.

use crate::paper_exchange::engine::{Amount, Price, PublicTrade};
use std::collections::VecDeque;

/// Candles kept per interval: the venue's largest page.
pub const KEPT: usize = 1_000;

/// The lengths that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interval {
    /// One minute.
    OneMinute,
    /// Five minutes.
    FiveMinutes,
    /// A quarter of an hour.
    FifteenMinutes,
    /// One hour.
    OneHour,
    /// One day, UTC.
    OneDay,
}

impl Interval {
    /// All of them, shortest first.
    pub const ALL: [Self; 5] =
        [Self::OneMinute, Self::FiveMinutes, Self::FifteenMinutes, Self::OneHour, Self::OneDay];

    /// The venue's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneMinute => "1m",
            Self::FiveMinutes => "5m",
            Self::FifteenMinutes => "15m",
            Self::OneHour => "1h",
            Self::OneDay => "1d",
        }
    }

    /// Reads the venue's spelling.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.as_str() == word)
    }

    /// Milliseconds per candle.
    #[must_use]
    pub const fn length_ms(self) -> i64 {
        match self {
            Self::OneMinute => 60_000,
            Self::FiveMinutes => 300_000,
            Self::FifteenMinutes => 900_000,
            Self::OneHour => 3_600_000,
            Self::OneDay => 86_400_000,
        }
    }
}

/// One candle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candle {
    /// Its first millisecond since the epoch.
    pub open_ms: i64,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Base volume.
    pub base: Amount,
    /// Quote volume.
    pub quote: Amount,
    /// Base volume in which the buyer took.
    pub taker_base: Amount,
    /// Quote volume in which the buyer took.
    pub taker_quote: Amount,
    /// How many trades.
    pub trades: u64,
    /// The first trade's id.
    pub first_trade: u64,
    /// The last trade's id.
    pub last_trade: u64,
}

/// The candles of one symbol.
#[derive(Debug, Clone, Default)]
pub struct Candles {
    series: [VecDeque<Candle>; Interval::ALL.len()],
}

impl Candles {
    /// Adds a trade to every interval.
    pub fn add(&mut self, trade: &PublicTrade) {
        for (interval, series) in Interval::ALL.into_iter().zip(&mut self.series) {
            let open_ms = trade.at_ms.div_euclid(interval.length_ms()) * interval.length_ms();
            match series.back_mut() {
                Some(last) if last.open_ms >= open_ms => last.add(trade),
                _ => {
                    if series.len() >= KEPT {
                        series.pop_front();
                    }
                    series.push_back(Candle::first(open_ms, trade));
                }
            }
        }
    }

    /// The candles of an interval, oldest first.
    pub fn series(&self, interval: Interval) -> impl DoubleEndedIterator<Item = &Candle> + ExactSizeIterator {
        static EMPTY: VecDeque<Candle> = VecDeque::new();
        let found = Interval::ALL.into_iter().zip(&self.series).find(|(known, _)| *known == interval);
        found.map_or(&EMPTY, |(_, series)| series).iter()
    }
}

impl Candle {
    fn first(open_ms: i64, trade: &PublicTrade) -> Self {
        let mut candle = Self {
            open_ms,
            open: trade.price,
            high: trade.price,
            low: trade.price,
            close: trade.price,
            base: Amount::ZERO,
            quote: Amount::ZERO,
            taker_base: Amount::ZERO,
            taker_quote: Amount::ZERO,
            trades: 0,
            first_trade: trade.trade_id.0,
            last_trade: trade.trade_id.0,
        };
        candle.add(trade);
        candle
    }

    fn add(&mut self, trade: &PublicTrade) {
        let (base, quote) = (trade.quantity.amount(), trade.price.notional(trade.quantity));
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        self.close = trade.price;
        self.base += base;
        self.quote += quote;
        if !trade.buyer_is_maker {
            self.taker_base += base;
            self.taker_quote += quote;
        }
        self.trades += 1;
        self.last_trade = trade.trade_id.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper_exchange::engine::{Symbol, TradeId};

    fn trade(id: u64, at_ms: i64, price: &str) -> PublicTrade {
        PublicTrade {
            symbol: Symbol::new("AB").unwrap(),
            trade_id: TradeId(id),
            price: price.parse().unwrap(),
            quantity: "2".parse().unwrap(),
            at_ms,
            buyer_is_maker: id.is_multiple_of(2),
        }
    }

    #[test]
    fn trades_become_candles() {
        let mut candles = Candles::default();
        for (id, at_ms, price) in [(1, 10, "5"), (2, 59_999, "7"), (3, 59_999, "4"), (4, 60_000, "6")] {
            candles.add(&trade(id, at_ms, price));
        }
        let minutes: Vec<_> = candles.series(Interval::OneMinute).collect();
        assert_eq!(minutes.len(), 2);
        let first = minutes[0];
        let text = |price: Price| price.to_string();
        assert_eq!(
            (text(first.open), text(first.high), text(first.low), text(first.close), first.trades),
            ("5.00000000".into(), "7.00000000".into(), "4.00000000".into(), "4.00000000".into(), 3)
        );
        assert_eq!((first.first_trade, first.last_trade), (1, 3));
        assert_eq!(first.taker_base.to_string(), "4.00000000");
        assert_eq!(candles.series(Interval::OneDay).count(), 1);
    }

    #[test]
    fn they_are_bounded() {
        let mut candles = Candles::default();
        for minute in 0..1_500 {
            candles.add(&trade(1, minute * 60_000, "1"));
        }
        assert_eq!(candles.series(Interval::OneMinute).len(), KEPT);
    }

    #[test]
    fn intervals_are_spelled_as_on_the_wire() {
        for interval in Interval::ALL {
            assert_eq!(Interval::from_word(interval.as_str()), Some(interval));
        }
        assert_eq!(Interval::from_word("2m"), None);
    }
}
