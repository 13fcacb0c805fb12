//! Limits over HTTP: gauges, explanations, denials with their figures, one order let through, decisions in the journal.

use crate::orders::trading;
use crate::support::{Answer, TestApp, run};
use serde_json::{Value, json};

fn body(id: &str, quantity: &str) -> Value {
    json!({
        "client_order_id": id, "symbol": "BTCUSDT", "side": "buy", "type": "market", "quantity": quantity,
        "strategy": "manual",
    })
}

fn submit(app: &TestApp, id: &str, quantity: &str) -> Answer {
    app.send("POST", "/api/v1/orders", Some(&body(id, quantity).to_string()))
}

#[test]
fn the_gauges_are_sorted_tightest_first() {
    let app = trading();
    app.until("gauges of strategies", |app| app.get("/api/v1/risk").text.contains("strategy/manual"));
    let risk = app.get("/api/v1/risk").json();
    let ratios: Vec<f64> = risk["gauges"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|gauge| gauge["ratio"].as_str())
        .map(|ratio| ratio.parse().unwrap())
        .collect();
    assert!(ratios.len() > 10, "{risk}");
    assert!(ratios.windows(2).all(|pair| pair[0] >= pair[1]), "{ratios:?}");
    let output = run(&["risk", "show", "--url", &app.url], None);
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("LIMIT"),
        "{output:?}"
    );
}

#[test]
fn an_explanation_names_every_check_and_sends_nothing() {
    let app = trading();
    let ask = |quantity: &str| {
        app.send("POST", "/api/v1/risk/evaluate", Some(&body("asked", quantity).to_string())).json()
    };
    let small = ask("0.001");
    assert!(small["verdict"].to_string().contains("pproved"), "{small}");
    let large = ask("5");
    assert!(large["verdict"].to_string().contains("QUANTITY_ABOVE_MAXIMUM"), "{large}");
    let lines = large["lines"].as_array().unwrap();
    let broken: Vec<&Value> = lines.iter().filter(|line| line["passed"] == "denied").collect();
    assert!(broken.len() > 1, "every broken limit is shown: {large}");
    assert!(broken.iter().all(|line| line["code"].is_string()), "{broken:?}");
    assert_eq!(app.get("/api/v1/orders/asked").status, 404);
    let wanted = ["--symbol", "BTCUSDT", "--side", "buy", "--type", "market", "--quantity", "5"];
    let command = [&["risk", "evaluate", "--url", &app.url][..], &wanted[..]].concat();
    let output = run(&command, None);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("QUANTITY_ABOVE_MAXIMUM"), "{said} {output:?}");
}

#[test]
fn a_denial_has_its_figures_and_the_decision_is_in_the_journal() {
    let app = trading();
    let denied = submit(&app, "too-large", "5");
    assert_eq!(denied.status, 422, "{}", denied.text);
    let said = denied.json();
    assert_eq!(said["code"], "quantity_above_maximum", "{said}");
    assert!(said["detail"].as_str().unwrap().starts_with("QUANTITY_ABOVE_MAXIMUM: "), "{said}");
    assert_eq!(submit(&app, "small", "0.001").status, 202);
    let decisions = |app: &TestApp| -> Vec<Value> {
        let rows = app.get("/api/v1/journal?limit=1000").json()["items"].as_array().unwrap().clone();
        rows.into_iter().filter(|row| row["kind"] == "risk").map(|row| row["payload"].clone()).collect()
    };
    app.until("two decisions", |app| {
        let all = decisions(app);
        let of = |id: &str| all.iter().any(|one| one["proposal"]["client_order_id"] == id);
        of("too-large") && of("small")
    });
    // Every decision comes out the same again, from the journal alone.
    let data = app.data();
    let output = run(&["risk", "replay", "--data-dir", data.path().to_str().unwrap()], None);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains(" 0 differ, 0 without"), "{said} {output:?}");
}

#[test]
fn an_override_lets_one_order_through_and_no_second() {
    let app = trading();
    assert_eq!(submit(&app, "first", "0.02").status, 422);
    let grant = json!({
        "strategy": "manual", "venue": "paper", "symbol": "BTCUSDT", "side": "buy", "max_quantity": "0.02",
        "lifts": "QUANTITY_ABOVE_MAXIMUM,VALUE_ABOVE_MAXIMUM", "expires_seconds": "60", "reason": "agreed by phone",
    });
    let headers = [("idempotency-key", "override-1")];
    let granted = app.send_with("POST", "/api/v1/risk/overrides", Some(&grant.to_string()), &headers);
    assert_eq!(granted.status, 200, "{}", granted.text);
    let passed = submit(&app, "second", "0.02");
    assert_eq!(passed.status, 202, "{}", passed.text);
    assert_eq!(submit(&app, "third", "0.02").status, 422, "it was used up");
    let mut hard = grant.clone();
    hard["lifts"] = json!("TRADING_HALTED");
    let headers = [("idempotency-key", "override-2")];
    let refused = app.send_with("POST", "/api/v1/risk/overrides", Some(&hard.to_string()), &headers);
    assert_eq!(refused.status, 422, "{}", refused.text);
}
