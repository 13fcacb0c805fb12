//! Market data over the wire: streams, snapshots, and recordings played back.

use crate::support::{Venue, still};
use plimsoll::paper_exchange::PaperConfig;
use plimsoll::paper_exchange::market::{AtEnd, CaptureReader, Pace, Record};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[tokio::test]
async fn every_stream_speaks_the_venues_form() {
    let mut config = PaperConfig::default();
    config.market.pace = "50".parse().unwrap();
    let venue = Venue::start(config);
    let names = [
        "btcusdt@trade",
        "btcusdt@aggTrade",
        "btcusdt@depth",
        "btcusdt@depth@100ms",
        "btcusdt@depth20",
        "btcusdt@bookTicker",
        "btcusdt@kline_1m",
    ];
    let mut ws = venue.open("/stream").await;
    assert_eq!(ws.call("SUBSCRIBE", json!(names)).await["result"], json!(null));
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    while seen.len() < names.len() {
        let message = ws.next().await.unwrap();
        seen.insert(message["stream"].as_str().unwrap().to_owned(), message["data"].clone());
    }
    assert_eq!(seen["btcusdt@trade"]["e"], "trade");
    assert!(seen["btcusdt@trade"]["t"].is_u64() && seen["btcusdt@trade"]["p"].is_string());
    assert_eq!(seen["btcusdt@aggTrade"]["e"], "aggTrade");
    assert_eq!(seen["btcusdt@depth"]["e"], "depthUpdate");
    assert_eq!(seen["btcusdt@depth20"]["bids"].as_array().unwrap().len(), 20);
    assert!(seen["btcusdt@bookTicker"]["u"].is_u64());
    assert_eq!(seen["btcusdt@kline_1m"]["k"]["i"], "1m");
}

/// A book built as the venue prescribes: buffered updates, a snapshot, then updates without a gap.
#[derive(Default)]
struct Book {
    last: u64,
    bids: BTreeMap<u64, String>,
    asks: BTreeMap<u64, String>,
}

fn cents(price: &str) -> u64 {
    price.replace('.', "").parse().unwrap()
}

fn empty(quantity: &str) -> bool {
    quantity.bytes().all(|byte| byte == b'0' || byte == b'.')
}

impl Book {
    fn set(side: &mut BTreeMap<u64, String>, levels: &Value) {
        for level in levels.as_array().unwrap() {
            let (price, quantity) = (cents(level[0].as_str().unwrap()), level[1].as_str().unwrap());
            if empty(quantity) {
                side.remove(&price)
            } else {
                side.insert(price, quantity.to_owned())
            };
        }
    }

    fn snapshot(value: &Value) -> Self {
        let mut book = Self { last: value["lastUpdateId"].as_u64().unwrap(), ..Self::default() };
        Self::set(&mut book.bids, &value["bids"]);
        Self::set(&mut book.asks, &value["asks"]);
        book
    }

    /// Applies an update; `false` when it was older than the snapshot.
    fn apply(&mut self, update: &Value) -> bool {
        let (first, last) = (update["U"].as_u64().unwrap(), update["u"].as_u64().unwrap());
        if last <= self.last {
            return false;
        }
        assert!(first <= self.last + 1, "gap: {first} after {}", self.last);
        self.last = last;
        Self::set(&mut self.bids, &update["b"]);
        Self::set(&mut self.asks, &update["a"]);
        true
    }

    fn best(&self) -> ((u64, &str), (u64, &str)) {
        let (bid, ask) = (self.bids.last_key_value().unwrap(), self.asks.first_key_value().unwrap());
        ((*bid.0, bid.1), (*ask.0, ask.1))
    }
}

#[tokio::test]
async fn a_book_from_snapshot_and_updates_equals_the_exchange_while_orders_come_and_go() {
    let mut config = PaperConfig::default();
    config.market.pace = "20".parse().unwrap();
    let venue = Venue::start(config);
    let mut ws = venue.open("/ws/btcusdt@depth@100ms").await;
    let mut updates = vec![ws.next().await.unwrap()];
    let mut book = Book::snapshot(&venue.get("/api/v3/depth?symbol=BTCUSDT&limit=5000").await.body);
    for round in 0..10 {
        venue.rest_order(&format!("b{round}")).await;
        venue.place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.05").await;
        updates.push(ws.next().await.unwrap());
    }
    venue.post("/paper/v1/market", json!({"hold": true})).await;
    let truth = Book::snapshot(&venue.get("/api/v3/depth?symbol=BTCUSDT&limit=5000").await.body);
    for update in &updates {
        book.apply(update);
    }
    while book.last < truth.last {
        book.apply(&ws.next().await.unwrap());
    }
    assert_eq!((book.last, &book.bids, &book.asks), (truth.last, &truth.bids, &truth.asks));
}

fn captures(names: &[&str]) -> Option<Vec<PathBuf>> {
    let Some(dir) = std::env::var_os("PLIMSOLL_CAPTURES") else {
        eprintln!("skipped: PLIMSOLL_CAPTURES is not set");
        return None;
    };
    Some(names.iter().map(|name| PathBuf::from(&dir).join(name)).collect())
}

const DAYS: [&str; 2] = ["hft_spot_btcusdt_20240808.gz", "hft_spot_btcusdt_20240809.gz"];

fn replayed(files: Vec<PathBuf>, at_end: AtEnd) -> PaperConfig {
    let mut config = still();
    config.market.files = files;
    config.market.at_end = at_end;
    config.market.pace = Pace::Unpaced;
    config
}

#[tokio::test]
async fn joined_recordings_arrive_unchanged_and_the_book_agrees_with_every_best_quote() {
    let Some(files) = captures(&DAYS) else { return };
    let mut recorded = Vec::new();
    let mut trades = 0_u64;
    for file in &files {
        let mut reader = CaptureReader::open(file).unwrap();
        while let Some(line) = reader.next_line().unwrap() {
            match line.record {
                Record::Depth { first, last, bids, asks } => {
                    recorded.push((first, last, json!(bids), json!(asks)))
                }
                Record::Trade { .. } => trades += 1,
                _ => {}
            }
        }
    }
    let venue = Venue::start(replayed(files, AtEnd::Stop));
    let mut ws = venue.open("/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade").await;
    let mut book = Book::snapshot(&venue.get("/api/v3/depth?symbol=BTCUSDT&limit=5000").await.body);
    assert_eq!(book.last, 50_093_239_218);
    let expected: Vec<_> = recorded.into_iter().filter(|update| update.1 > book.last).collect();
    venue.running.release_market();
    let (mut applied, mut compared, mut told_trades, mut ticker) = (0_usize, 0_u32, 0_u64, Value::Null);
    while applied < expected.len() || told_trades < trades {
        let message = ws.next().await.unwrap();
        let data = &message["data"];
        match message["stream"].as_str().unwrap() {
            "btcusdt@bookTicker" => ticker = data.clone(),
            "btcusdt@trade" => told_trades += 1,
            _ => {
                let (first, last, bids, asks) = &expected[applied];
                assert_eq!(data["u"], *last);
                // Only the update that spans the snapshot begins where the snapshot ends.
                assert!(data["U"] == *first || (applied == 0 && data["U"] == book.last + 1));
                assert_eq!((&data["b"], &data["a"]), (bids, asks), "update {last}");
                assert!(book.apply(data));
                applied += 1;
                if ticker["u"] == data["u"] {
                    let (bid, ask) = book.best();
                    let quoted = |price: &str, qty: &str| {
                        (cents(ticker[price].as_str().unwrap()), ticker[qty].as_str().unwrap().to_owned())
                    };
                    assert_eq!((bid.0, bid.1.to_owned()), quoted("b", "B"));
                    assert_eq!((ask.0, ask.1.to_owned()), quoted("a", "A"));
                    compared += 1;
                }
            }
        }
    }
    assert_eq!((applied, compared), (6_493, 1_059));
}

#[tokio::test]
async fn loops_go_on_without_a_gap() {
    let Some(files) = captures(&["hft_spot_ethusdt_20240808.gz"]) else { return };
    let venue = Venue::start(replayed(files, AtEnd::Loop));
    let mut ws = venue.open("/stream?streams=ethusdt@depth@100ms/ethusdt@trade").await;
    let mut book = Book::snapshot(&venue.get("/api/v3/depth?symbol=ETHUSDT&limit=5000").await.body);
    venue.running.release_market();
    let (mut updates, mut last_trade) = (0, 0);
    // The recording holds 3 432 updates: this is well into the third loop.
    while updates < 8_000 {
        let message = ws.next().await.unwrap();
        let data = &message["data"];
        if data["e"] == "trade" {
            let id = data["t"].as_u64().unwrap();
            assert!(last_trade == 0 || id == last_trade + 1, "{id} after {last_trade}");
            last_trade = id;
        } else {
            assert!(book.apply(data));
            let (bid, ask) = book.best();
            assert!(bid.0 < ask.0, "crossed at {}", book.last);
            updates += 1;
        }
    }
}
