//! V-10 to V-18: lost, refused, half-open, mute and renewed connections.

use super::desk::btc;
use super::table::{Table, id};
use plimsoll::domain::connection::{State, Why};
use plimsoll::domain::market::MarketEvent;
use plimsoll::domain::order_types::Side;
use plimsoll::domain::outcome::{Denial, Outcome};
use plimsoll::venues::{OrderEvent, Venue};
use serde_json::json;

async fn lost<V: Venue>(t: &Table<V>) -> Why {
    let pick = |event| match event {
        OrderEvent::Session { to: State::Backoff, why, .. } => Some(why),
        _ => None,
    };
    t.desk.until_order("the end of the session", pick).await
}

/// V-10: after a cut, orders wait until the gap was fetched and compared; what filled meanwhile is found.
pub async fn v10_disconnect<V: Venue>(t: Table<V>, fill_elsewhere: impl AsyncFnOnce(&Table<V>) -> String) {
    t.place(t.resting("kept").await).await;
    t.report("kept").await;
    // The gap: a trade on the account of which this connection hears nothing.
    t.exchange.plant(json!({"kind": "mute_user_data"})).await;
    let trade = fill_elsewhere(&t).await;
    t.exchange.plant(json!({"kind": "refuse_connections"})).await;
    t.exchange.plant(json!({"kind": "disconnect"})).await;
    assert_eq!(lost(&t).await, Why::Closed);
    let denied = t.desk.venue.place(super::desk::limit("denied", Side::Buy, "0.0005", "50000")).await;
    assert!(matches!(denied, Outcome::DeniedHere(Denial::NotConnected { .. })), "{denied:?}");
    t.exchange.heal().await;
    let found = t.reconciled().await;
    assert!(found.snapshot.open_orders.iter().any(|order| order.client_order_id == id("kept")));
    assert!(found.differences.new_fills.iter().any(|fill| fill.trade_id.as_str() == trade), "{found:?}");
    assert!(found.differences.missing_at_venue.is_empty());
    t.desk.until_state(State::Live).await;
    t.recovers("again").await;
    assert!(t.desk.venue.evidence().orders.reconnects >= 1);
}

/// V-11: refused connections are tried again within the cap, for as long as it takes.
pub async fn v11_refused_connections<V: Venue>(t: Table<V>) {
    t.until_live().await;
    t.exchange.plant(json!({"kind": "refuse_connections"})).await;
    t.exchange.plant(json!({"kind": "disconnect"})).await;
    for _ in 0..3 {
        assert!(matches!(lost(&t).await, Why::Closed | Why::DialFailed));
    }
    let evidence = t.desk.venue.evidence();
    assert!(evidence.orders.attempts >= 3 && evidence.feeds.iter().all(|feed| !feed.book_in_step));
    t.recovers("back").await;
}

/// V-12: a half-open connection is found by the probe; what was in flight is UNKNOWN.
pub async fn v12_half_open<V: Venue>(t: Table<V>) {
    let order = t.resting("into-the-void").await;
    t.exchange.plant(json!({"kind": "half_open", "session": "ws_api"})).await;
    t.place_unknown(order).await;
    assert!(matches!(lost(&t).await, Why::Silent | Why::SetupTimeout));
    t.recovers("back").await;
}

/// V-13: market data that stops is stale within its limit, and the account is not touched by it.
pub async fn v13_mute_market<V: Venue>(t: Table<V>) {
    t.best(Side::Buy).await;
    t.exchange.plant(json!({"kind": "mute_market_data"})).await;
    until_market(&t, State::Stale).await;
    let evidence = t.desk.venue.evidence();
    assert!(evidence.market.feed_age_ms(evidence.now).unwrap() >= 300);
    assert_eq!(evidence.orders.state, State::Live, "the order session is another matter");
    t.exchange.heal().await;
    until_market(&t, State::Live).await;
    t.recovers("back").await;
}

/// V-14: pings are not data.
pub async fn v14_stale_but_pinging<V: Venue>(t: Table<V>) {
    t.best(Side::Buy).await;
    t.exchange.plant(json!({"kind": "stale_but_pinging"})).await;
    until_market(&t, State::Stale).await;
    let stale_since = t.desk.venue.evidence();
    for _ in 0..100 {
        let evidence = t.desk.venue.evidence();
        if evidence.market.last_frame > stale_since.market.last_frame {
            assert_eq!(evidence.market.last_data, stale_since.market.last_data, "only pings");
            assert!(matches!(evidence.market.state, State::Stale | State::Backoff));
            t.exchange.heal().await;
            until_market(&t, State::Live).await;
            return t.recovers("back").await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no ping came; {:?}", t.desk.venue.evidence());
}

/// V-15: user data that stops is found by the reports that confirmed orders owe.
pub async fn v15_mute_user_data<V: Venue>(t: Table<V>) {
    t.until_live().await;
    t.exchange.plant(json!({"kind": "mute_user_data"})).await;
    t.place(t.resting("unheard-1").await).await;
    t.desk.until_state(State::Syncing).await;
    t.desk.until_state(State::Live).await;
    t.place(t.resting("unheard-2").await).await;
    assert_eq!(lost(&t).await, Why::Mute, "a second time without a word");
    t.recovers("back").await;
}

/// V-16: a renewal is made before the old session is broken: no order waits, none is lost.
pub async fn v16_renewal<V: Venue>(t: Table<V>) {
    t.until_live().await;
    let mut placed = 0;
    while t.desk.venue.evidence().orders.reconnects < 3 || t.desk.venue.evidence().market.reconnects < 3 {
        t.place(t.resting(&format!("during-{placed}")).await).await;
        placed += 1;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        assert!(placed < 5_000, "{:?}", t.desk.venue.evidence());
    }
    let evidence = t.desk.venue.evidence();
    assert_eq!((evidence.orders.state, evidence.market.state), (State::Live, State::Live));
    assert_eq!(evidence.feeds.iter().map(|feed| feed.resyncs).sum::<u64>(), 0, "no book was lost");
    assert_eq!(t.desk.venue.open_orders(Some(&btc())).await.unwrap().len(), placed);
}

async fn until_market<V: Venue>(t: &Table<V>, state: State) {
    for _ in 0..800 {
        if t.desk.venue.evidence().market.state == state {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the market session is not {}; {:?}", state.name(), t.desk.venue.evidence());
}

/// V-17: a depth update that is left out loses the book, says so, and heals with a snapshot.
pub async fn v17_gap_in_depth<V: Venue>(t: Table<V>) {
    t.best(Side::Buy).await;
    t.exchange.plant(json!({"kind": "gap_in_depth"})).await;
    t.desk
        .until_market("the loss", |event| matches!(event, MarketEvent::BookLost { .. }).then_some(()))
        .await;
    t.exchange.heal().await;
    until_market(&t, State::Live).await;
    let evidence = t.desk.venue.evidence();
    assert!(evidence.feeds.iter().any(|feed| feed.resyncs == 1 && feed.book_in_step), "{evidence:?}");
    assert_eq!(evidence.market.reconnects, 0);
    t.recovers("back").await;
}
