//! V-20 to V-31: lost, late, refused and mis-told orders.

use super::desk::btc;
use super::table::{Table, id};
use plimsoll::domain::connection::State;
use plimsoll::domain::order_types::OrderStatus;
use plimsoll::domain::outcome::{Denial, Outcome, RejectClass};
use plimsoll::venues::{Lookup, OrderEvent, Venue};
use serde_json::json;
use std::time::Duration;

/// V-20: the answer is lost: UNKNOWN; the query finds it; a resend under the same id makes no second order.
pub async fn v20_lost_response<V: Venue>(t: Table<V>) {
    let order = t.resting("lost-answer").await;
    t.exchange.plant(json!({"kind": "lose_response", "count": 1})).await;
    t.place_unknown(order.clone()).await;
    assert_eq!(t.found("lost-answer").await.status, OrderStatus::New);
    let Outcome::Rejected(rejection) = t.desk.venue.place(order).await else { panic!() };
    assert_eq!(rejection.class, RejectClass::DuplicateClientOrderId);
    assert_eq!(t.exchange.accepted("lost-answer").await, 1);
    t.recovers("back").await;
}

/// V-21: the request is lost: UNKNOWN just the same; only the query tells the difference.
pub async fn v21_lost_request<V: Venue>(t: Table<V>) {
    let order = t.resting("lost-request").await;
    t.exchange.plant(json!({"kind": "lose_request", "count": 1})).await;
    t.place_unknown(order.clone()).await;
    assert_eq!(t.lookup("lost-request").await, Lookup::Absent);
    t.exchange.heal().await;
    t.place(order).await;
    assert_eq!(t.exchange.accepted("lost-request").await, 1);
}

/// V-22: a server error says nothing about the order, whether it was placed or not.
pub async fn v22_server_error<V: Venue>(t: Table<V>) {
    for placed in [true, false] {
        let name = format!("error-{placed}");
        let order = t.resting(&name).await;
        t.exchange.plant(json!({"kind": "server_error", "placed": placed, "count": 1})).await;
        t.place_unknown(order).await;
        assert_eq!(matches!(t.lookup(&name).await, Lookup::Found(_)), placed);
        t.exchange.heal().await;
    }
    t.recovers("back").await;
}

/// V-23: an answer that comes after our patience is UNKNOWN, not refused, and does no harm when it comes.
pub async fn v23_delay<V: Venue>(t: Table<V>) {
    let order = t.resting("slow").await;
    t.exchange.plant(json!({"kind": "delay", "ms": 900, "for_seconds": 1})).await;
    t.place_unknown(order).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(t.found("slow").await.status, OrderStatus::New);
    t.recovers("back").await;
    assert_eq!(t.exchange.accepted("slow").await, 1);
}

/// V-24: a refusal is final and carries the venue's code.
pub async fn v24_reject_orders<V: Venue>(t: Table<V>) {
    let order = t.resting("refused").await;
    t.exchange.plant(json!({"kind": "reject_orders", "code": -2010, "count": 1})).await;
    let Outcome::Rejected(rejection) = t.desk.venue.place(order).await else { panic!() };
    assert_eq!(rejection.code, -2010);
    assert_eq!(t.exchange.accepted("refused").await, 0);
    t.recovers("back").await;
}

/// V-25: Retry-After is obeyed: nothing goes out before it ends.
pub async fn v25_rate_limit<V: Venue>(t: Table<V>) {
    let (first, second) = (t.resting("limited-1").await, t.resting("limited-2").await);
    t.exchange.plant(json!({"kind": "rate_limit", "retry_after": 1})).await;
    let Outcome::Rejected(rejection) = t.desk.venue.place(first).await else { panic!() };
    assert_eq!(rejection.class, RejectClass::RateLimited);
    t.exchange.heal().await;
    let denied = t.desk.venue.place(second).await;
    let Outcome::DeniedHere(Denial::BackOff { until }) = denied else { panic!("{denied:?}") };
    let left = until.since(t.desk.venue.evidence().now);
    assert!((1..=1_000).contains(&left), "{left}");
    assert_eq!(t.desk.venue.evidence().hold_until, Some(until));
    t.recovers("back").await;
}

/// V-26: a ban silences everything, reads and cancels too, until it ends.
pub async fn v26_ban<V: Venue>(t: Table<V>) {
    let order = t.resting("banned").await;
    t.exchange.plant(json!({"kind": "ban"})).await;
    let outcome = t.desk.venue.place(order).await;
    assert!(
        matches!(outcome, Outcome::Rejected(ref r) if r.class == RejectClass::RateLimited),
        "{outcome:?}"
    );
    assert!(t.desk.venue.evidence().hold_until.is_some());
    assert!(matches!(t.cancel("banned").await, Outcome::DeniedHere(Denial::BackOff { .. })));
    assert!(t.desk.venue.balances().await.is_err());
    t.exchange.heal().await;
    assert!(matches!(t.cancel("banned").await, Outcome::DeniedHere(Denial::BackOff { .. })), "still silent");
    assert_eq!(t.exchange.accepted("banned").await, 0);
}

/// V-27: a report that comes twice carries the same trade id twice.
pub async fn v27_duplicate_reports<V: Venue>(t: Table<V>) {
    let order = t.taking("twice").await;
    t.exchange.plant(json!({"kind": "duplicate_reports"})).await;
    let answer = t.place(order).await;
    let mut streamed = Vec::new();
    for _ in 0..2 + 2 * answer.fills.len() {
        streamed.extend(t.report("twice").await.fills);
    }
    assert_eq!(streamed.len(), 2 * answer.fills.len());
    streamed.sort_by(|a, b| a.trade_id.cmp(&b.trade_id));
    streamed.dedup_by(|a, b| a.trade_id == b.trade_id);
    assert_eq!(streamed.len(), answer.fills.len());
    t.recovers("back").await;
}

/// V-28: reports that overtake each other do not reopen an order.
pub async fn v28_reordered_reports<V: Venue>(t: Table<V>) {
    let order = t.taking("mixed").await;
    t.exchange.plant(json!({"kind": "reorder_reports"})).await;
    assert_eq!(t.place(order).await.status, OrderStatus::Filled);
    let mut states = Vec::new();
    t.desk
        .until_order("both reports", |event| {
            if let OrderEvent::Report(report) = event {
                states.push(report.status);
            }
            (states.len() == 2).then_some(())
        })
        .await;
    assert_eq!(states, [OrderStatus::Filled, OrderStatus::New], "the venue did mix them");
    t.exchange.heal().await;
    t.exchange.plant(json!({"kind": "disconnect", "session": "ws_api", "count": 1})).await;
    let found = t.reconciled().await;
    assert!(found.differences.missing_at_venue.is_empty(), "{:?}", found.differences);
    assert!(found.differences.new_fills.is_empty());
    t.recovers("back").await;
}

/// V-29: a report that is lost while everything else flows is missed, and the comparison finds it.
pub async fn v29_dropped_report<V: Venue>(t: Table<V>) {
    let order = t.resting("unheard").await;
    t.exchange.plant(json!({"kind": "drop_report"})).await;
    t.place(order).await;
    t.desk.until_state(State::Syncing).await;
    let found = t.reconciled().await;
    assert!(found.snapshot.open_orders.iter().any(|order| order.client_order_id == id("unheard")));
    t.recovers("back").await;
}

/// V-30: an order that queries do not show for a while is absent, then found: absence is no proof.
pub async fn v30_hidden_orders<V: Venue>(t: Table<V>) {
    t.place(t.resting("hidden").await).await;
    t.exchange.plant(json!({"kind": "hide_orders", "seconds": 1})).await;
    assert_eq!(t.lookup("hidden").await, Lookup::Absent);
    assert!(t.desk.venue.capabilities().visibility_window_ms >= 1_000);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(t.found("hidden").await.status, OrderStatus::New);
    t.recovers("back").await;
}

/// V-31: a clock that leaves the window is measured and the order sent once more; beyond the limit for
/// trading, orders wait.
pub async fn v31_clock_skew<V: Venue>(t: Table<V>) {
    let (first, second) = (t.resting("skewed").await, t.resting("denied").await);
    t.exchange.plant(json!({"kind": "clock_skew", "ms": 20_000})).await;
    t.place(first).await;
    assert_eq!(t.exchange.accepted("skewed").await, 1);
    let offset = t.desk.venue.evidence().clock_offset_ms.unwrap();
    assert!((19_000..=21_000).contains(&offset), "{offset}");
    let denied = t.desk.venue.place(second).await;
    assert!(matches!(denied, Outcome::DeniedHere(Denial::ClockOffset { .. })), "{denied:?}");
    assert_eq!(t.desk.venue.open_orders(Some(&btc())).await.unwrap().len(), 1, "reads and cancels go on");
    t.recovers("back").await;
}
