//! V-40: what the book is worth while faults of several kinds come and go.

use super::desk::btc;
use super::table::Table;
use plimsoll::domain::market::MarketEvent;
use plimsoll::domain::order_types::Side;
use plimsoll::venues::Venue;
use serde_json::json;

/// V-40: the published book never crosses and never jumps back while it is in step, through gaps and cuts.
pub async fn v40_book_under_storm<V: Venue>(t: Table<V>) {
    t.best(Side::Buy).await;
    let (mut last, mut books, mut losses) = (0, 0, 0);
    for round in 0..6 {
        let fault = if round % 2 == 0 { "gap_in_depth" } else { "disconnect" };
        // A cut has no symbol; a gap in another instrument's depth would not show here.
        let mut spec = json!({"kind": fault, "session": "market_data", "count": 1});
        if fault == "gap_in_depth" {
            spec["symbol"] = json!("BTCUSDT");
        }
        t.exchange.plant(spec).await;
        let mut lost_now = false;
        t.desk
            .until_market("a loss and a new book", |event| {
                match event {
                    MarketEvent::BookLost { symbol, .. } if symbol == btc() => {
                        (losses, lost_now, last) = (losses + 1, true, 0);
                    }
                    MarketEvent::Book { symbol, top: Some(top) } if symbol == btc() => {
                        assert!(top.bid.price < top.ask.price);
                        assert!(top.update_id > last, "{} after {last}", top.update_id);
                        (last, books) = (top.update_id, books + 1);
                        return lost_now.then_some(());
                    }
                    _ => {}
                }
                None
            })
            .await;
    }
    assert!(losses >= 6 && books >= 6, "{losses} {books}");
    t.exchange.heal().await;
    assert!(t.desk.venue.depth(&btc(), 10).is_some());
}
