//! The decoder and the book against recorded bytes: no gap, and the recorded best quotes at equal updates.

use super::captures::{self, BTC, ETH};
use plimsoll::domain::book::OrderBook;
use plimsoll::domain::market::Top;
use plimsoll::domain::order_types::Side;
use plimsoll::domain::time::Mono;
use plimsoll::venues::binance::book_sync::{BookEffect, BookSync};
use plimsoll::venues::binance::messages::market::{MarketFrame, decode};
use sha2::{Digest, Sha256};

#[derive(Default)]
struct Replay {
    sync: BookSync,
    quote: Option<Top>,
    applied: usize,
    lost: usize,
    compared: usize,
    equal: usize,
    trades: usize,
}

impl Replay {
    fn line(&mut self, line: &str) {
        if line.starts_with("{\"lastUpdateId\"") {
            let effects = self.sync.snapshot(Mono(1), &serde_json::from_str(line).unwrap());
            self.note(&effects);
            return;
        }
        match decode(line).unwrap() {
            MarketFrame::Depth { diff, .. } => {
                let effects = self.sync.diff(Mono(1), diff);
                self.note(&effects);
                if effects.contains(&BookEffect::Moved) {
                    self.applied += 1;
                    self.compare();
                }
            }
            MarketFrame::Quote { update_id, bid, ask, .. } => {
                self.quote = Some(Top { update_id, bid, ask });
            }
            MarketFrame::Trade { .. } => self.trades += 1,
            other => panic!("{other:?}"),
        }
    }

    fn note(&mut self, effects: &[BookEffect]) {
        self.lost += effects.iter().filter(|effect| matches!(effect, BookEffect::Lost(_))).count();
    }

    fn compare(&mut self) {
        let (Some(quote), Some(top)) = (self.quote, self.sync.book().and_then(OrderBook::top)) else {
            return;
        };
        if quote.update_id == top.update_id {
            self.compared += 1;
            self.equal += usize::from(quote == top);
        }
    }

    fn digest(&self) -> String {
        let book = self.sync.book().unwrap();
        let mut hash = Sha256::new();
        for (tag, side) in [("B", Side::Buy), ("A", Side::Sell)] {
            for level in book.levels(side) {
                hash.update(format!("{tag} {} {}\n", level.price, level.quantity));
            }
        }
        hex::encode(hash.finalize())
    }
}

#[test]
fn btc_book_equals_the_recording() {
    let mut replay = Replay::default();
    let digests = [
        "834bfb3df983d95fddcb6190255b33ea6a683ad5ba12b412eb3111734d4e6a0a",
        "bfff6586da7b21b6aa8a2858d55b0aa855b9dd2a48fa6aa0029438e1bb6d0ffe",
    ];
    for (name, digest) in BTC.iter().zip(digests) {
        let Some(lines) = captures::frames(name) else { return };
        lines.iter().for_each(|line| replay.line(line));
        assert_eq!(replay.digest(), digest, "every level, digit by digit, at the end of {name}");
    }
    assert_eq!((replay.lost, replay.compared, replay.equal), (0, 1_059, 1_059));
    assert_eq!(replay.trades, 9_757 + 10_147);
}

#[test]
fn eth_book_equals_the_recording() {
    let mut replay = Replay::default();
    let Some(lines) = captures::frames(ETH) else { return };
    lines.iter().for_each(|line| replay.line(line));
    assert_eq!((replay.lost, replay.compared, replay.equal), (0, 550, 550));
    assert_eq!(replay.digest(), "6107187cb936a7f161ebbe547a2bead8ef3dc060df0b5ffad539f63b6b24b450");
}

#[test]
fn a_cut_recording_shows_a_gap_and_heals_with_a_snapshot() {
    let Some(lines) = captures::frames(ETH) else { return };
    let mut replay = Replay::default();
    // Synthetic: three seconds of the recording are cut out.
    let (before, after) = lines.split_at(10_000);
    before.iter().for_each(|line| replay.line(line));
    assert!(replay.sync.book().is_some());
    after.iter().skip(300).take(5_000).for_each(|line| replay.line(line));
    assert_eq!(replay.lost, 1);
    assert!(replay.sync.book().is_none(), "a lost book answers nothing");
    assert_eq!(replay.sync.resyncs(), 1);
}
