//! Orders over HTTP, from the request to the venue and back, on the demo's own exchange.

use crate::support::{Answer, TestApp};
use serde_json::{Value, json};

/// A demo that takes orders.
pub fn trading() -> TestApp {
    let app = TestApp::start(&[]);
    app.until("ready", |app| app.get("/readyz").status == 200);
    app.until("a market", |app| quote(app).is_some());
    app
}

/// The best bid in whole units.
fn quote(app: &TestApp) -> Option<u64> {
    let quotes = app.get("/api/v1/quotes").json();
    let bid = quotes["items"].as_array()?.iter().find(|item| item["symbol"] == "BTCUSDT")?["bid"].clone();
    bid.as_str()?.split('.').next()?.parse().ok()
}

/// A buy that rests: five percent below the market.
fn resting(app: &TestApp, id: &str) -> Value {
    let price = quote(app).unwrap() * 95 / 100;
    json!({
        "client_order_id": id, "symbol": "BTCUSDT", "side": "buy", "type": "limit", "quantity": "0.001",
        "price": price.to_string(), "strategy": "manual",
    })
}

pub fn place(app: &TestApp, id: &str) -> Answer {
    app.send("POST", "/api/v1/orders", Some(&resting(app, id).to_string()))
}

pub fn order(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/api/v1/orders/{id}")).json()
}

pub fn until_state(app: &TestApp, id: &str, state: &str) {
    app.until(&format!("{id} {state}"), |app| order(app, id)["state"] == state);
}

fn pointers(answer: &Answer) -> Vec<String> {
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_order_is_placed_once_shown_and_cancelled() {
    let app = trading();
    let first = place(&app, "once-1");
    assert_eq!(first.status, 202, "{}", first.text);
    assert_eq!(first.json()["client_order_id"], "once-1");
    assert_eq!(first.header("location"), "/api/v1/orders/once-1");
    until_state(&app, "once-1", "working");
    let again = place(&app, "once-1");
    assert_eq!((again.status, again.json()["client_order_id"].clone()), (202, json!("once-1")));
    let shown = order(&app, "once-1");
    for (member, value) in [
        ("venue", "paper"),
        ("symbol", "BTCUSDT"),
        ("side", "buy"),
        ("type", "limit"),
        ("quantity", "0.001"),
        ("time_in_force", "gtc"),
        ("executed_quantity", "0.00000000"),
        ("strategy", "manual"),
    ] {
        assert_eq!(shown[member], value, "{member} in {shown}");
    }
    assert!(shown["venue_order_id"].is_string() && shown["average_price"].is_null(), "{shown}");
    assert!(shown["venue_client_order_id"].as_str().unwrap().starts_with("pl"), "{shown}");
    assert!(shown["created_at"].as_str().unwrap().ends_with('Z'), "{shown}");
    let list = app.get("/api/v1/orders?strategy=manual").json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    let cancel = app.send("DELETE", "/api/v1/orders/once-1?reason=enough", None);
    assert_eq!(cancel.status, 202, "{}", cancel.text);
    until_state(&app, "once-1", "cancelled");
    let cancel = app.send("DELETE", "/api/v1/orders/once-1", None);
    assert_eq!(
        (cancel.status, cancel.json()["state"].clone()),
        (202, json!("cancelled")),
        "it is final already"
    );
    assert_eq!(app.get("/api/v1/orders?strategy=manual").json()["items"], json!([]));
    assert_eq!(app.get("/api/v1/orders?strategy=manual&state=all").json()["items"][0]["state"], "cancelled");
}

#[test]
fn a_market_order_fills_and_the_books_follow() {
    let app = trading();
    let body = json!({
        "symbol": "BTCUSDT", "side": "buy", "type": "market", "quantity": "0.002", "strategy": "manual",
    });
    let answer = app.send("POST", "/api/v1/orders", Some(&body.to_string()));
    assert_eq!(answer.status, 202, "{}", answer.text);
    let id = answer.json()["client_order_id"].as_str().unwrap().to_owned();
    until_state(&app, &id, "filled");
    let shown = order(&app, &id);
    assert_eq!(
        (shown["executed_quantity"].clone(), shown["price"].clone()),
        (json!("0.00200000"), Value::Null)
    );
    assert!(shown["average_price"].is_string(), "{shown}");
    let fills = app.get(&format!("/api/v1/fills?client_order_id={id}")).json();
    let fills = fills["items"].as_array().unwrap();
    assert!(!fills.is_empty() && fills.iter().all(|fill| fill["strategy"] == "manual"), "{fills:?}");
    assert!(fills[0]["trade_id"].is_string() && fills[0]["fee"].is_string() && fills[0]["at"].is_string());
    app.until("the position", |app| {
        let positions = app.get("/api/v1/positions").json();
        let items = positions["items"].as_array().unwrap();
        items.iter().any(|item| {
            item["strategy"] == "manual"
                && item["quantity"].as_str().unwrap().starts_with("0.002")
                && item["unrealised_pnl"].is_string()
        })
    });
    app.until("balances were compared", |app| {
        let balances = app.get("/api/v1/balances").json();
        let rows = balances["items"].as_array().unwrap();
        rows.iter().any(|row| row["asset"] == "BTC" && row["expected"].is_string())
    });
    let metrics = app.get("/metrics").text;
    assert!(metrics.contains("plimsoll_orders_total{state=\"filled\"}"), "{metrics}");
    assert!(metrics.contains("plimsoll_order_latency_seconds_count{stage=\"fill\"}"), "{metrics}");
}

#[test]
fn an_order_is_replaced_by_another() {
    let app = trading();
    assert_eq!(place(&app, "old-1").status, 202);
    until_state(&app, "old-1", "working");
    let price = (quote(&app).unwrap() * 94 / 100).to_string();
    let body = json!({"client_order_id": "new-1", "price": price, "quantity": "0.002", "reason": "lower"});
    let answer = app.send("POST", "/api/v1/orders/old-1/replace", Some(&body.to_string()));
    assert_eq!(
        (answer.status, answer.json()["client_order_id"].clone()),
        (202, json!("new-1")),
        "{}",
        answer.text
    );
    until_state(&app, "old-1", "cancelled");
    until_state(&app, "new-1", "working");
    let shown = order(&app, "new-1");
    assert_eq!(
        (shown["replaces"].clone(), shown["price"].clone()),
        (json!("old-1"), json!(price)),
        "{shown}"
    );
}

#[test]
fn wrong_requests_are_refused_with_everything_that_is_wrong() {
    let app = trading();
    let post = |body: &str| app.send("POST", "/api/v1/orders", Some(body));
    let answer = post(
        r#"{"symbol": "btc usdt", "side": "long", "type": "limit", "quantity": 0.1, "price": "1e5",
            "time_in_force": "day", "qty": "1"}"#,
    );
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.header("content-type").starts_with("application/problem+json"));
    assert_eq!(
        pointers(&answer),
        ["/symbol", "/side", "/quantity", "/price", "/time_in_force", "/strategy", "/qty"]
    );
    for (body, status) in [
        ("{", 400),
        ("[]", 422),
        (r#"{"symbol": "A", "symbol": "B"}"#, 422),
        (&format!("{{\"symbol\": \"{}\"}}", "A".repeat(70_000)), 413),
    ] {
        let answer = post(body);
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.header("content-type").starts_with("application/problem+json"));
    }
    let mut foreign = resting(&app, "foreign-1");
    foreign["strategy"] = json!("nobody");
    let answer = post(&foreign.to_string());
    assert!((400..500).contains(&answer.status), "{}", answer.text);
    assert!(answer.json()["code"].as_str().unwrap().contains("strategy"), "{}", answer.text);
    let mut elsewhere = resting(&app, "elsewhere-1");
    elsewhere["venue"] = json!("elsewhere");
    assert_eq!(pointers(&post(&elsewhere.to_string())), ["/venue"]);
    let mut odd = resting(&app, "odd-1");
    odd["price"] = json!("50000.00000001");
    let answer = post(&odd.to_string());
    assert_eq!(answer.status, 422, "off the tick: {}", answer.text);
    assert_eq!(app.get("/api/v1/orders?strategy=manual").json()["items"], json!([]), "nothing was placed");
}

#[test]
fn what_does_not_exist_is_404_and_what_cannot_be_is_refused() {
    let app = trading();
    let reason = r#"{"reason": "x"}"#;
    let resolve = r#"{"as": "query", "reason": "x"}"#;
    for (method, path, body, status) in [
        ("GET", "/api/v1/orders/nope", None, 404),
        ("DELETE", "/api/v1/orders/nope", None, 404),
        ("POST", "/api/v1/orders/nope/resolve", Some(resolve), 404),
        ("POST", "/api/v1/orders/nope/replace", Some(r#"{"price": "1", "quantity": "1"}"#), 404),
        ("POST", "/api/v1/strategies/nobody/enable", Some(reason), 404),
        ("GET", "/api/v1/orders?state=closed", None, 422),
        ("GET", "/api/v1/orders?sate=open", None, 400),
        ("GET", "/api/v1/fills?limit=0", None, 422),
        ("GET", "/api/v1/journal?after=first", None, 422),
        ("GET", "/api/v1/alerts?status=closed", None, 422),
        ("POST", "/api/v1/controls/cancel-all", Some("{}"), 422),
        ("POST", "/api/v1/controls/cancel-all", Some(r#"{"reason": "x", "venu": "paper"}"#), 422),
        ("POST", "/api/v1/controls/restart", Some(r#"{"reason": ""}"#), 422),
        ("POST", "/api/v1/controls/resume", Some(reason), 428),
        ("POST", "/api/v1/orders/nope/resolve", Some(r#"{"as": "gone", "reason": "x"}"#), 422),
    ] {
        let answer = app.send(method, path, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        assert!(answer.header("content-type").starts_with("application/problem+json"), "{path}");
    }
}

#[test]
fn lists_are_read_page_by_page() {
    let app = trading();
    let names: Vec<String> = (1..=5).map(|n| format!("page-{n}")).collect();
    for name in &names {
        assert_eq!(place(&app, name).status, 202);
    }
    let (mut seen, mut path) = (Vec::new(), "/api/v1/orders?state=all&strategy=manual&limit=2".to_owned());
    for _ in 0..5 {
        let page = app.get(&path).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["client_order_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/orders?state=all&strategy=manual&limit=2&after={next}");
    }
    assert_eq!(seen, names, "in the order of their making, none twice, none missed");
    let rows = app.get("/api/v1/journal?limit=3").json();
    let seqs: Vec<u64> =
        rows["items"].as_array().unwrap().iter().map(|r| r["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [1, 2, 3]);
    assert!(rows["items"][0]["payload"].is_object(), "{rows}");
}

#[test]
fn only_requests_to_this_machine_are_answered() {
    let app = TestApp::start(&[]);
    let answer = app.raw("GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    let answer = app.raw("GET /api/v1/status HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = app.raw(concat!(
        "POST /api/v1/controls/cancel-all HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n",
        "Content-Length: 14\r\nConnection: close\r\n\r\n{\"reason\":\"x\"}"
    ));
    assert!(answer.starts_with("HTTP/1.1 415"), "a page of a stranger may send this: {answer}");
}

#[test]
fn orders_of_a_strategy_that_stops_for_good_are_taken_back() {
    const QUOTER: &str = "plimsoll/strategies/quoter/strategy";
    let app = TestApp::start(&[("PLIMSOLL__WEB__DEBUG_ROUTES", "true")]);
    let working = |app: &TestApp| {
        let open = app.get("/api/v1/orders?state=open&strategy=quoter").json();
        open["items"].as_array().unwrap().iter().filter(|order| order["state"] == "working").count()
    };
    app.until("ready", |app| app.get("/readyz").status == 200);
    app.until("the quoter quotes", |app| working(app) == 2);
    app.until("the quoter fails too often", |app| {
        app.send("POST", &format!("/debug/actors/{QUOTER}/panic"), None);
        app.logged("the strategy has stopped for good")
    });
    app.until("nobody's quotes are left", |app| {
        let open = app.get("/api/v1/orders?state=open&strategy=quoter").json();
        open["items"].as_array().unwrap().is_empty()
    });
    assert_eq!(app.get("/api/v1/status").json()["state"], "running", "nobody else is concerned");
}
