//! The fuzz targets' bodies: bytes in, no panic out, and what is read must keep its own promises.
//!
//! Shared by `fuzz/fuzz_targets/*` (cargo-fuzz, coverage-guided, needs a nightly compiler) and by
//! `tests/connector/fuzz.rs`, which runs them over the seeds and seeded mutations on every test run.

use plimsoll::domain::time::Mono;
use plimsoll::venues::binance::book_sync::{BookEffect, BookSync};
use plimsoll::venues::binance::messages::market::{MarketFrame, Snapshot};
use plimsoll::venues::binance::messages::{api, info, market, order, user};

/// A frame of a market connection, applied to a book that already holds a snapshot.
pub fn market_frame(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut sync = BookSync::default();
    let start = r#"{"lastUpdateId":100,"bids":[["99","1"]],"asks":[["101","1"]]}"#;
    let snapshot: Snapshot = serde_json::from_str(start).unwrap();
    sync.snapshot(Mono(1), &snapshot);
    if let Ok(MarketFrame::Depth { diff, .. }) = market::decode(text) {
        let lost = sync.diff(Mono(2), diff).iter().any(|effect| matches!(effect, BookEffect::Lost(_)));
        assert_eq!(sync.book().is_none(), lost, "a lost book answers nothing, a kept one answers");
        if let Some(top) = sync.book().and_then(|book| book.top()) {
            assert!(top.bid.price < top.ask.price, "a kept book is not crossed");
        }
    }
    if let Ok(snapshot) = serde_json::from_str::<Snapshot>(text) {
        BookSync::default().snapshot(Mono(1), &snapshot);
    }
}

/// A user data event.
pub fn user_event(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(user::UserEvent::Report(report)) = user::decode(text) {
        assert!(report.fills.len() <= 1, "one report carries at most one execution");
        assert!(report.client_order_id.as_str().len() <= 64);
    }
}

/// Answers of both transports: envelopes, orders, lists, accounts, exchange information.
pub fn answers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(frame) = api::decode(text)
        && let Some(event) = frame.event
    {
        user_event(event.get().as_bytes());
    }
    let _ = api::decode_error(text);
    let _ = order::decode_order(text);
    let _ = order::decode_orders(text);
    let _ = order::decode_trades(text);
    let _ = order::decode_account(text);
    let _ = info::decode_info(text);
}
