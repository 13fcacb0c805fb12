//! Faults that strike requests, orders and reports: what the client sees, and what really happened.

use crate::support::{QUIET, Venue, order, signed_params, still};
use plimsoll::clock::monotonic;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn lose_response_places_the_order_and_never_answers() {
    let venue = Venue::start(still());
    let mut ws = venue.user().await;
    venue.plant(json!({"kind": "lose_response", "count": 1})).await;
    let id = ws.ask("order.place", signed_params(order("lost-1"))).await;
    // The report comes although the answer does not.
    assert_eq!(ws.report().await["c"], "lost-1");
    let position = ws.next().await.unwrap();
    assert_eq!(position["event"]["e"], "outboundAccountPosition", "no answer to request {id}: {position}");
    assert!(ws.quiet().await, "no answer to request {id}");
    assert_eq!(venue.accepted().await, ["lost-1"]);
    assert_eq!(ws.place("next").await["status"], 200, "the count is used up");
}

#[tokio::test]
async fn lose_response_over_rest_times_out() {
    let venue = Venue::start(still()).with_timeout(QUIET);
    venue.plant(json!({"kind": "lose_response", "count": 1})).await;
    let params =
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&newClientOrderId=r1";
    let error = venue.signed("POST", "/api/v3/order", params).await.err().unwrap();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(venue.accepted().await, ["r1"]);
}

#[tokio::test]
async fn lose_request_neither_places_nor_answers() {
    let venue = Venue::start(still());
    let mut ws = venue.user().await;
    venue.plant(json!({"kind": "lose_request", "count": 1})).await;
    ws.ask("order.place", signed_params(order("never"))).await;
    assert!(ws.quiet().await);
    assert!(venue.accepted().await.is_empty());
}

#[tokio::test]
async fn reject_orders_refuses_new_orders_with_the_code_and_leaves_cancels_alone() {
    let venue = Venue::start(still());
    assert_eq!(venue.rest_order("a").await.status, 200);
    venue.plant(json!({"kind": "reject_orders", "code": -2010, "side": "buy"})).await;
    let refused = venue.rest_order("b").await;
    assert_eq!((refused.status, &refused.body["code"]), (400, &json!(-2010)));
    let cancel = venue.signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=a").await.unwrap();
    assert_eq!(cancel.status, 200, "{}", cancel.body);
    let sell = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.01&price=90000";
    assert_eq!(venue.place(sell).await.status, 200, "the fault is for buys");
    assert_eq!(venue.accepted().await.len(), 2);
}

#[tokio::test]
async fn rate_limit_and_ban_say_when_to_come_back() {
    let venue = Venue::start(still());
    let id = venue.plant(json!({"kind": "rate_limit", "retry_after": 7})).await;
    let limited = venue.get("/api/v3/time").await;
    assert_eq!((limited.status, limited.headers["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(limited.body["code"], -1003);
    let mut ws = venue.open("/ws-api/v3").await;
    let reply = ws.call("time", json!({})).await;
    assert_eq!(reply["status"], 429);
    assert!(reply["error"]["data"]["retryAfter"].as_i64() > reply["error"]["data"]["serverTime"].as_i64());
    assert_eq!(venue.delete(&format!("/paper/v1/faults/{id}")).await.status, 200);
    assert_eq!(venue.get("/api/v3/time").await.status, 200, "healed");
    venue.plant(json!({"kind": "ban", "for_seconds": 60})).await;
    let banned = venue.get("/api/v3/time").await;
    assert_eq!(banned.status, 418);
    assert!(banned.headers.contains_key("retry-after"));
    venue.heal().await;
    assert_eq!(venue.get("/api/v3/time").await.status, 200);
}

#[tokio::test]
async fn server_errors_look_the_same_whether_or_not_the_order_was_placed() {
    let venue = Venue::start(still());
    let mut bodies = Vec::new();
    for (placed, id) in [(true, "placed"), (false, "not-placed")] {
        venue.plant(json!({"kind": "server_error", "placed": placed, "count": 1})).await;
        let reply = venue.rest_order(id).await;
        assert_eq!((reply.status, &reply.body["code"]), (503, &json!(-1007)));
        bodies.push(reply.body);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(venue.accepted().await, ["placed"]);
}

#[tokio::test]
async fn delay_makes_answers_late_and_keeps_later_ones_prompt_once_healed() {
    let venue = Venue::start(still());
    let mut ws = venue.open("/ws-api/v3").await;
    venue.plant(json!({"kind": "delay", "ms": 300, "session": "ws_api"})).await;
    let asked = monotonic();
    assert_eq!(ws.call("time", json!({})).await["status"], 200);
    assert!(asked.elapsed() >= Duration::from_millis(300));
    let asked = monotonic();
    assert_eq!(venue.get("/api/v3/time").await.status, 200);
    assert!(asked.elapsed() < Duration::from_millis(300), "another door");
    venue.heal().await;
    let asked = monotonic();
    ws.call("time", json!({})).await;
    assert!(asked.elapsed() < Duration::from_millis(300));
}

#[tokio::test]
async fn duplicate_reports_come_twice() {
    let venue = Venue::start(still());
    let mut ws = venue.user().await;
    venue.plant(json!({"kind": "duplicate_reports", "count": 1})).await;
    venue.rest_order("twice").await;
    assert_eq!(ws.report().await, ws.report().await);
    venue.rest_order("once").await;
    assert_eq!(ws.report().await["c"], "once");
    let rest = ws.find(|message| message["event"]["e"] == "outboundAccountPosition").await;
    assert!(rest["subscriptionId"].is_u64());
}

#[tokio::test]
async fn reorder_reports_lets_the_second_overtake_the_first() {
    let venue = Venue::start(still());
    let mut ws = venue.user().await;
    venue.plant(json!({"kind": "reorder_reports", "count": 1})).await;
    venue.rest_order("first").await;
    venue.rest_order("second").await;
    assert_eq!(ws.report().await["c"], "second");
    assert_eq!(ws.report().await["c"], "first");
    // A report held back at the end is not lost: it comes when the fault is over.
    venue.plant(json!({"kind": "reorder_reports"})).await;
    venue.rest_order("last").await;
    venue.heal().await;
    assert_eq!(ws.report().await["c"], "last");
}

#[tokio::test]
async fn drop_report_loses_one_report() {
    let venue = Venue::start(still());
    let mut ws = venue.user().await;
    venue.plant(json!({"kind": "drop_report"})).await;
    venue.rest_order("lost").await;
    venue.rest_order("told").await;
    assert_eq!(ws.report().await["c"], "told");
    assert_eq!(venue.accepted().await.len(), 2);
}

#[tokio::test]
async fn hide_orders_lets_queries_deny_them_for_a_while() {
    let venue = Venue::start(still());
    assert_eq!(venue.rest_order("ghost").await.status, 200);
    let query = "symbol=BTCUSDT&origClientOrderId=ghost";
    venue.plant(json!({"kind": "hide_orders", "seconds": 1})).await;
    let hidden = venue.signed("GET", "/api/v3/order", query).await.unwrap();
    assert_eq!((hidden.status, &hidden.body["code"]), (400, &json!(-2013)));
    let open = venue.signed("GET", "/api/v3/openOrders", "symbol=BTCUSDT").await.unwrap();
    assert_eq!(open.body, json!([]));
    // The control routes cost no weight: wait there until the fault has ended by itself.
    let deadline = monotonic() + Duration::from_secs(10);
    while venue.get("/paper/v1/faults").await.body["items"] != json!([]) {
        assert!(monotonic() < deadline, "the fault does not end");
    }
    let shown = venue.signed("GET", "/api/v3/order", query).await.unwrap();
    assert_eq!((shown.status, &shown.body["clientOrderId"]), (200, &json!("ghost")));
}

#[tokio::test]
async fn clock_skew_moves_the_time_and_the_receive_window() {
    let venue = Venue::start(still());
    venue.plant(json!({"kind": "clock_skew", "ms": 60_000})).await;
    let ahead = venue.get("/api/v3/time").await.body["serverTime"].as_i64().unwrap();
    assert!(ahead - crate::support::now_ms() > 50_000);
    let refused = venue.rest_order("late").await;
    assert_eq!((refused.status, &refused.body["code"]), (400, &json!(-1021)));
    venue.heal().await;
    assert_eq!(venue.rest_order("in-time").await.status, 200);
}

#[tokio::test]
async fn mute_user_data_loses_events_and_keeps_answers() {
    let venue = Venue::start(still());
    let mut ws = venue.user().await;
    venue.plant(json!({"kind": "mute_user_data", "account": "demo"})).await;
    assert_eq!(ws.place("muted").await["status"], 200);
    assert!(ws.quiet().await);
    venue.heal().await;
    venue.rest_order("heard").await;
    assert_eq!(ws.report().await["c"], "heard");
}

#[tokio::test]
async fn scopes_leave_everybody_else_alone() {
    let venue = Venue::start(still());
    venue.plant(json!({"kind": "reject_orders", "code": -2010, "symbol": "ETHUSDT"})).await;
    venue.plant(json!({"kind": "reject_orders", "code": -2010, "account": "demo-2"})).await;
    assert_eq!(venue.rest_order("fine").await.status, 200);
    let other = venue
        .signed_as(
            "demo-2",
            "demo-2-secret",
            "POST",
            "/api/v3/order",
            "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01",
        )
        .await
        .unwrap();
    assert_eq!(other.body["code"], -2010);
    let eth = venue.place("symbol=ETHUSDT&side=BUY&type=MARKET&quantity=0.1").await;
    assert_eq!(eth.body["code"], -2010);
    let listed = venue.get("/paper/v1/faults").await.body;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(listed["items"][0]["struck"], 1);
}

#[tokio::test]
async fn wrong_faults_are_refused_with_the_member() {
    let venue = Venue::start(still());
    for (body, fragment) in [
        (json!({"kind": "nonsense"}), "nonsense"),
        (json!({"kind": "delay"}), "ms"),
        (json!({"kind": "ban", "whom": "all"}), "whom"),
        (json!([]), "invalid"),
    ] {
        let reply = venue.post("/paper/v1/faults", body).await;
        assert_eq!(reply.status, 422);
        assert!(reply.body["error"].as_str().unwrap().contains(fragment), "{}", reply.body);
    }
    assert_eq!(venue.delete("/paper/v1/faults/99").await.status, 404);
    assert_eq!(venue.delete("/paper/v1/faults/abc").await.status, 404);
}
