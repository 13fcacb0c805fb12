//! The exchange under a recorded market: two joined BTCUSDT captures of about eleven minutes.
//!
//! Reads the folder named by `PLIMSOLL_CAPTURES`; without it the tests say so and pass.
//! One line is `<receive time, ns> <JSON>`: combined-stream frames and one REST snapshot.

use crate::desk::*;
use flate2::read::GzDecoder;
use plimsoll::paper_exchange::engine::*;
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

const FILES: [&str; 2] = ["hft_spot_btcusdt_20240808.gz", "hft_spot_btcusdt_20240809.gz"];

#[derive(Deserialize)]
struct Frame {
    stream: String,
    data: serde_json::Value,
}

#[derive(Deserialize)]
struct Snapshot {
    #[serde(rename = "lastUpdateId")]
    last_update_id: u64,
    bids: Levels,
    asks: Levels,
}

#[derive(Deserialize)]
struct Depth {
    u: u64,
    b: Levels,
    a: Levels,
}

#[derive(Deserialize)]
#[expect(non_snake_case, reason = "the wire's own letters")]
struct Ticker {
    u: u64,
    b: Price,
    B: Qty,
    a: Price,
    A: Qty,
}

#[derive(Deserialize)]
struct Trade {
    t: u64,
    p: Price,
    q: Qty,
    m: bool,
}

enum Line {
    Book(MarketBook),
    Ticker(Ticker),
    Trade(MarketTrade),
}

fn read(text: &str) -> Line {
    let symbol = btcusdt();
    let json = text.split_once(' ').unwrap().1;
    if json.starts_with("{\"lastUpdateId\"") {
        let Snapshot { last_update_id, bids, asks } = serde_json::from_str(json).unwrap();
        let last_update_id = Some(last_update_id);
        return Line::Book(MarketBook { symbol, replace: true, last_update_id, bids, asks });
    }
    let frame: Frame = serde_json::from_str(json).unwrap();
    match frame.stream.split_once('@').unwrap().1 {
        "bookTicker" => Line::Ticker(serde_json::from_value(frame.data).unwrap()),
        "trade" => {
            let Trade { t, p, q, m } = serde_json::from_value(frame.data).unwrap();
            let aggressor = if m { Side::Sell } else { Side::Buy };
            Line::Trade(MarketTrade { symbol, trade_id: Some(t), price: p, quantity: q, aggressor })
        }
        _ => {
            let Depth { u, b, a } = serde_json::from_value(frame.data).unwrap();
            let (last_update_id, bids, asks) = (Some(u), b, a);
            Line::Book(MarketBook { symbol, replace: false, last_update_id, bids, asks })
        }
    }
}

/// Every recorded line in order, or nothing without the captures.
fn lines() -> Option<impl Iterator<Item = Line>> {
    let Some(folder) = std::env::var_os("PLIMSOLL_CAPTURES").map(PathBuf::from) else {
        println!("skipped: PLIMSOLL_CAPTURES is not set");
        return None;
    };
    let open = move |name| BufReader::new(GzDecoder::new(File::open(folder.join(name)).unwrap()));
    let all = FILES.into_iter().flat_map(move |name| open(name).lines()).map(|line| read(&line.unwrap()));
    Some(snapshot_first(all))
}

/// The recorder opened the stream before it took the snapshot, as the venue's procedure asks: what came
/// before the snapshot follows it here, without the changes that the snapshot already holds.
fn snapshot_first(mut lines: impl Iterator<Item = Line>) -> impl Iterator<Item = Line> {
    let mut early = Vec::new();
    let mut known = 0;
    for line in lines.by_ref() {
        match line {
            Line::Book(book) if book.replace => {
                known = book.last_update_id.unwrap();
                early.insert(0, Line::Book(book));
                break;
            }
            other => early.push(other),
        }
    }
    early.retain(|line| match line {
        Line::Book(book) => book.replace || book.last_update_id.unwrap() > known,
        _ => true,
    });
    early.into_iter().chain(lines)
}

#[test]
fn an_undisturbed_exchange_shows_the_recorded_book_and_ids() {
    let Some(lines) = lines() else { return };
    let mut desk = Desk::new();
    let (mut applied, mut equal) = (0, 0);
    let mut ticker: Option<Ticker> = None;
    for line in lines {
        desk.events.clear();
        match line {
            Line::Ticker(next) => ticker = Some(next),
            Line::Trade(trade) => {
                desk.exchange.market_trade(0, &trade, &mut desk.events).unwrap();
                let [ExchangeEvent::Trade(public)] = &desk.events[..] else { panic!("one trade") };
                assert_eq!(Some(public.trade_id.0), trade.trade_id);
            }
            Line::Book(book) => {
                let id = book.last_update_id.unwrap();
                applied += u64::from(!book.replace);
                desk.exchange.market_book(0, &book, &mut desk.events).unwrap();
                let best = desk.exchange.best(btcusdt()).unwrap();
                assert_eq!(best.last_update_id, id);
                if let Some(ticker) = ticker.as_ref().filter(|ticker| ticker.u == id && !book.replace) {
                    let expected = (Some((ticker.b, ticker.B)), Some((ticker.a, ticker.A)));
                    assert_eq!((best.bid, best.ask), expected, "at {id}");
                    equal += 1;
                }
            }
        }
    }
    assert_eq!((applied, equal), (6_493, 1_059));
}

#[test]
fn quoting_into_the_recorded_market_keeps_every_invariant() {
    let Some(lines) = lines() else { return };
    let mut desk = Desk::new();
    let (mut last, mut trades, mut now_ms) = (0, 0, 0);
    for (number, line) in lines.enumerate() {
        now_ms += 6;
        desk.events.clear();
        match &line {
            Line::Ticker(_) => {}
            Line::Trade(trade) => desk.exchange.market_trade(now_ms, trade, &mut desk.events).unwrap(),
            Line::Book(book) => desk.exchange.market_book(now_ms, book, &mut desk.events).unwrap(),
        }
        let best = desk.exchange.best(btcusdt()).unwrap();
        if let (true, Some((bid, _)), Some((ask, _))) = (number % 400 == 0, best.bid, best.ask) {
            // Alice joins the best bid, Bob takes it now and then: strangers' asks and bids, and hers.
            let _ = desk.exchange.cancel_all(now_ms, ALICE, btcusdt(), &mut desk.events);
            let quantity = qty("0.05");
            let joins = Terms::LimitMaker { price: bid, quantity };
            desk.exchange.place(now_ms, &order(ALICE, Side::Buy, joins), &mut desk.events).unwrap();
            let side = if number % 1_600 == 0 { Side::Sell } else { Side::Buy };
            let price = if side == Side::Buy { ask } else { bid };
            let takes = Terms::Limit { price, quantity, time_in_force: TimeInForce::Ioc };
            desk.exchange.place(now_ms, &order(BOB, side, takes), &mut desk.events).unwrap();
        }
        for event in &desk.events {
            match event {
                ExchangeEvent::Book(change) => {
                    assert_eq!(change.first_update_id, last + 1);
                    last = change.last_update_id;
                }
                ExchangeEvent::Trade(trade) => {
                    assert!(trade.trade_id.0 > trades);
                    trades = trade.trade_id.0;
                }
                _ => {}
            }
        }
        if number % 1_000 == 0 {
            desk.exchange.audit().unwrap();
        }
    }
    desk.exchange.audit().unwrap();
    let makers = desk.exchange.fills().iter().filter(|fill| fill.is_maker).count();
    assert!(makers > 20, "a quote at the best bid is hit: {makers}");
    assert!(desk.exchange.open_orders(ALICE, None).count() <= 1, "each quote replaced the one before");
}
