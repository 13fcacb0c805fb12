//! Weights and order counts over the wire: headers, 429 with Retry-After, then 418.

use crate::support::{Venue, still};
use plimsoll::clock::monotonic;
use plimsoll::paper_exchange::limits::LimitSettings;
use serde_json::json;

#[tokio::test]
async fn weight_ends_in_429_and_then_in_418() {
    let mut config = still();
    config.limits = LimitSettings { weight_per_minute: 60, ..LimitSettings::default() };
    let venue = Venue::start(config);
    let mut statuses = Vec::new();
    for _ in 0..40 {
        let reply = venue.get("/api/v3/exchangeInfo").await;
        if reply.status != 200 {
            assert!(reply.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
            assert_eq!(reply.body["code"], -1003);
        }
        statuses.push(reply.status);
    }
    statuses.dedup();
    // The minute may turn while we ask; what must not happen is a ban before a warning.
    let first_ban = statuses.iter().position(|status| *status == 418).expect("never banned");
    assert_eq!(statuses[first_ban - 1], 429, "{statuses:?}");
    assert_eq!(statuses[0], 200);
}

#[tokio::test]
async fn orders_are_counted_while_unfilled_and_success_costs_no_weight() {
    let mut config = still();
    config.limits = LimitSettings { orders_per_ten_seconds: 5, ..LimitSettings::default() };
    let venue = Venue::start(config);
    let mut placed = 0;
    let refused = loop {
        let reply = venue.rest_order(&format!("n{placed}")).await;
        if reply.status != 200 {
            break reply;
        }
        placed += 1;
        assert_eq!(reply.headers["x-mbx-used-weight-1m"], "0");
        assert!(placed <= 10, "two windows at most");
    };
    assert_eq!((refused.status, &refused.body["code"]), (429, &json!(-1015)));
    assert!(refused.headers.contains_key("retry-after"));
    let counts = venue.signed("GET", "/api/v3/rateLimit/order", "").await.unwrap();
    assert_eq!(counts.body[0]["limit"], 5);
    assert!(counts.body[1]["count"].as_u64().unwrap() >= 5);
}

#[tokio::test]
async fn connections_are_capped() {
    let mut config = still();
    config.wire.max_connections = 3;
    let venue = Venue::start(config);
    let mut open = Vec::new();
    while let Ok(ws) = venue.try_open("/ws").await {
        open.push(ws);
        assert!(open.len() <= 3);
    }
    assert_eq!(open.len(), 3);
    open.clear();
    // The freed places are found again as soon as the exchange has seen the others go.
    let deadline = monotonic() + crate::support::SOON;
    while venue.try_open("/ws").await.is_err() {
        assert!(monotonic() < deadline);
    }
}
