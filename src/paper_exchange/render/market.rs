//! Market data: stream payloads, REST depth, trades and klines.

use super::json;
use crate::paper_exchange::engine::{Price, PublicTrade, Qty, Symbol};
use crate::paper_exchange::floor::candles::{Candle, Interval};
use crate::paper_exchange::market::Level;
use serde::Serialize;

#[derive(Serialize)]
struct TradeEvent {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    s: Symbol,
    t: u64,
    p: Price,
    q: Qty,
    #[serde(rename = "T")]
    trade_time: i64,
    m: bool,
    #[serde(rename = "M")]
    best_match: bool,
}

/// `<symbol>@trade`.
#[must_use]
pub fn trade_event(trade: &PublicTrade, now_ms: i64) -> String {
    json(&TradeEvent {
        e: "trade",
        event_time: now_ms,
        s: trade.symbol,
        t: trade.trade_id.0,
        p: trade.price,
        q: trade.quantity,
        trade_time: trade.at_ms,
        m: trade.buyer_is_maker,
        best_match: true,
    })
}

#[derive(Serialize)]
struct AggTradeEvent {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    s: Symbol,
    a: u64,
    p: Price,
    q: Qty,
    f: u64,
    l: u64,
    #[serde(rename = "T")]
    trade_time: i64,
    m: bool,
    #[serde(rename = "M")]
    best_match: bool,
}

/// `<symbol>@aggTrade`. Every aggregate holds one trade, and its id is that trade's.
#[must_use]
pub fn agg_trade_event(trade: &PublicTrade, now_ms: i64) -> String {
    json(&AggTradeEvent {
        e: "aggTrade",
        event_time: now_ms,
        s: trade.symbol,
        a: trade.trade_id.0,
        p: trade.price,
        q: trade.quantity,
        f: trade.trade_id.0,
        l: trade.trade_id.0,
        trade_time: trade.at_ms,
        m: trade.buyer_is_maker,
        best_match: true,
    })
}

#[derive(Serialize)]
struct DepthEvent<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    s: Symbol,
    #[serde(rename = "U")]
    first: u64,
    u: u64,
    b: &'a [Level],
    a: &'a [Level],
}

/// `<symbol>@depth` and `<symbol>@depth@100ms`.
#[must_use]
pub fn depth_event(symbol: Symbol, now_ms: i64, ids: (u64, u64), bids: &[Level], asks: &[Level]) -> String {
    json(&DepthEvent {
        e: "depthUpdate",
        event_time: now_ms,
        s: symbol,
        first: ids.0,
        u: ids.1,
        b: bids,
        a: asks,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Book<'a> {
    last_update_id: u64,
    bids: &'a [Level],
    asks: &'a [Level],
}

/// REST `depth` and the partial book streams.
#[must_use]
pub fn book(last_update_id: u64, bids: &[Level], asks: &[Level]) -> String {
    json(&Book { last_update_id, bids, asks })
}

#[derive(Serialize)]
struct TickerEvent {
    u: u64,
    s: Symbol,
    b: Price,
    #[serde(rename = "B")]
    bid_qty: Qty,
    a: Price,
    #[serde(rename = "A")]
    ask_qty: Qty,
}

/// `<symbol>@bookTicker`.
#[must_use]
pub fn ticker_event(symbol: Symbol, update_id: u64, bid: Level, ask: Level) -> String {
    json(&TickerEvent { u: update_id, s: symbol, b: bid.0, bid_qty: bid.1, a: ask.0, ask_qty: ask.1 })
}

/// `<symbol>@kline_<interval>`.
#[must_use]
pub fn kline_event(symbol: Symbol, now_ms: i64, interval: Interval, candle: &Candle, closed: bool) -> String {
    json(&serde_json::json!({
        "e": "kline", "E": now_ms, "s": symbol,
        "k": {
            "t": candle.open_ms, "T": candle.open_ms + interval.length_ms() - 1, "s": symbol,
            "i": interval.as_str(), "f": candle.first_trade, "L": candle.last_trade,
            "o": candle.open, "c": candle.close, "h": candle.high, "l": candle.low,
            "v": candle.base, "n": candle.trades, "x": closed, "q": candle.quote,
            "V": candle.taker_base, "Q": candle.taker_quote, "B": "0",
        }
    }))
}

/// REST `klines`: one array per candle.
#[must_use]
pub fn klines<'a>(interval: Interval, candles: impl Iterator<Item = &'a Candle>) -> String {
    let rows: Vec<_> = candles
        .map(|candle| {
            serde_json::json!([
                candle.open_ms,
                candle.open,
                candle.high,
                candle.low,
                candle.close,
                candle.base,
                candle.open_ms + interval.length_ms() - 1,
                candle.quote,
                candle.trades,
                candle.taker_base,
                candle.taker_quote,
                "0"
            ])
        })
        .collect();
    json(&rows)
}

/// REST `trades`.
#[must_use]
pub fn trades<'a>(trades: impl Iterator<Item = &'a PublicTrade>) -> String {
    let rows: Vec<_> = trades
        .map(|trade| {
            serde_json::json!({
                "id": trade.trade_id, "price": trade.price, "qty": trade.quantity,
                "quoteQty": trade.price.notional(trade.quantity), "time": trade.at_ms,
                "isBuyerMaker": trade.buyer_is_maker, "isBestMatch": true,
            })
        })
        .collect();
    json(&rows)
}

/// REST `aggTrades`.
#[must_use]
pub fn agg_trades<'a>(trades: impl Iterator<Item = &'a PublicTrade>) -> String {
    let rows: Vec<_> = trades
        .map(|trade| {
            serde_json::json!({
                "a": trade.trade_id, "p": trade.price, "q": trade.quantity, "f": trade.trade_id,
                "l": trade.trade_id, "T": trade.at_ms, "m": trade.buyer_is_maker, "M": true,
            })
        })
        .collect();
    json(&rows)
}
