//! `ticker/24hr`: what a symbol did in the last day, from the quarter-hour candles.
//!
//! The window therefore begins at a quarter hour. Before the first trade every price is zero.

use super::gate::Call;
use super::market::{per_symbol, refused};
use crate::paper_exchange::engine::{Amount, Price, Qty, Symbol, UNITS_PER_ONE};
use crate::paper_exchange::errors::ApiError;
use crate::paper_exchange::floor::candles::{Candle, Interval};
use crate::paper_exchange::params::Params;
use serde_json::{Value, json as value};

const DAY_MS: i64 = 86_400_000;

/// The venue's weight: 2 for one symbol, 40 for up to a hundred, 80 for all.
pub(super) fn day_weight(params: &Params<'_>) -> u32 {
    match params.symbols() {
        Ok(Some(names)) if names.len() <= 20 => 2,
        Ok(Some(names)) if names.len() <= 100 => 40,
        _ => 80,
    }
}

pub(super) fn day(call: &mut Call<'_>) -> Result<String, ApiError> {
    per_symbol(call, row)
}

/// What the candles of a window say together.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    open: Price,
    high: Price,
    low: Price,
    close: Price,
    base: Amount,
    quote: Amount,
    trades: u64,
    first_trade: u64,
    last_trade: u64,
}

impl Summary {
    fn of<'a>(candles: impl Iterator<Item = &'a Candle>) -> Self {
        let mut all = Self::default();
        for candle in candles {
            if all.trades == 0 {
                (all.open, all.low, all.first_trade) = (candle.open, candle.low, candle.first_trade);
            }
            all.high = all.high.max(candle.high);
            all.low = all.low.min(candle.low);
            (all.close, all.last_trade) = (candle.close, candle.last_trade);
            all.base += candle.base;
            all.quote += candle.quote;
            all.trades += candle.trades;
        }
        all
    }

    fn change(&self) -> Price {
        self.close - self.open
    }

    /// The change in percent with three decimals, rounded towards zero.
    fn change_percent(&self) -> String {
        let open = i128::from(self.open.units()).max(1);
        let thousandths = i128::from(self.change().units()) * 100_000 / open;
        let sign = if thousandths < 0 { "-" } else { "" };
        let magnitude = thousandths.unsigned_abs();
        format!("{sign}{}.{:03}", magnitude / 1_000, magnitude % 1_000)
    }

    /// Volume-weighted average price.
    fn average(&self) -> Price {
        let units = self.quote.units().saturating_mul(i128::from(UNITS_PER_ONE)) / self.base.units().max(1);
        Price::from_units(i64::try_from(units).unwrap_or(0))
    }
}

fn row(call: &Call<'_>, symbol: Symbol) -> Result<Value, ApiError> {
    let board = call.floor.boards.get(&symbol).ok_or_else(ApiError::invalid_symbol)?;
    let since_ms = call.now_ms.saturating_sub(DAY_MS);
    let window = board.candles.series(Interval::FifteenMinutes).filter(|candle| candle.open_ms >= since_ms);
    let day = Summary::of(window);
    let best = call.floor.exchange.best(symbol).map_err(refused)?;
    let last = call.floor.exchange.recent_trades(symbol, 1).map_err(refused)?;
    let nothing = (Price::ZERO, Qty::ZERO);
    let (bid, ask) = (best.bid.unwrap_or(nothing), best.ask.unwrap_or(nothing));
    Ok(value!({
        "symbol": symbol, "priceChange": day.change(), "priceChangePercent": day.change_percent(),
        "weightedAvgPrice": day.average(), "prevClosePrice": day.open, "lastPrice": day.close,
        "lastQty": last.last().map_or(Qty::ZERO, |trade| trade.quantity),
        "bidPrice": bid.0, "bidQty": bid.1, "askPrice": ask.0, "askQty": ask.1,
        "openPrice": day.open, "highPrice": day.high, "lowPrice": day.low,
        "volume": day.base, "quoteVolume": day.quote, "openTime": since_ms, "closeTime": call.now_ms,
        "firstId": day.first_trade, "lastId": day.last_trade, "count": day.trades,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candle(open: &str, high: &str, low: &str, close: &str, first_trade: u64) -> Candle {
        Candle {
            open_ms: 0,
            open: open.parse().unwrap(),
            high: high.parse().unwrap(),
            low: low.parse().unwrap(),
            close: close.parse().unwrap(),
            base: "2".parse().unwrap(),
            quote: "9".parse().unwrap(),
            taker_base: Amount::ZERO,
            taker_quote: Amount::ZERO,
            trades: 3,
            first_trade,
            last_trade: first_trade + 2,
        }
    }

    #[test]
    fn candles_add_up() {
        let candles = [candle("4", "5", "3", "5", 1), candle("5", "6", "4", "3.5", 4)];
        let day = Summary::of(candles.iter());
        assert_eq!((day.open, day.close), ("4".parse().unwrap(), "3.5".parse().unwrap()));
        assert_eq!((day.high, day.low), ("6".parse().unwrap(), "3".parse().unwrap()));
        assert_eq!((day.trades, day.first_trade, day.last_trade), (6, 1, 6));
        assert_eq!(
            (day.change_percent().as_str(), day.average().to_string().as_str()),
            ("-12.500", "4.50000000")
        );
    }

    #[test]
    fn a_day_without_trades_is_all_zero() {
        let day = Summary::of([].iter());
        assert_eq!((day.change_percent().as_str(), day.average()), ("0.000", Price::ZERO));
    }
}
