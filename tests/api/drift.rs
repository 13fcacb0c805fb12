//! The drift sentry in the running process: observations from outside, the alert, the cut of one strategy's entries over a
//! SIGKILL, and a person who lifts it.

use crate::orders::order;
use crate::support::{TestApp, run};
use plimsoll::db::Readers;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// The demo with a second strategy for orders over HTTP, and a stream of the first that cuts it.
fn config(folder: &Path) -> String {
    let demo = include_str!("../../config/demo.yaml");
    let with_second = demo.replace(
        "  - name: manual\n    kind: manual\n    on_unknown: hold\n",
        "  - name: manual\n    kind: manual\n    on_unknown: hold\n  - name: second\n    kind: manual\n    on_unknown: hold\n",
    );
    assert_ne!(with_second, demo);
    let limits = "    - {strategy: second, budget: 3000, max_position: {BTCUSDT: 0.03}}\n";
    let drift = "\ndrift:\n  arl0: 10000\n  streams:\n    \
                 - {name: cost.manual, strategy: manual, consequence: reduce, factor: \"0.5\", severity: critical}\n";
    let path = folder.join("drift.yaml");
    std::fs::write(&path, format!("{}\n{limits}{drift}", with_second.trim_end())).unwrap();
    path.to_str().unwrap().to_owned()
}

fn post(app: &TestApp, name: &str, values: &[f64]) -> u16 {
    let body = json!({ "values": values }).to_string();
    app.send("POST", &format!("/api/v1/drift/streams/{name}"), Some(&body)).status
}

fn stream(app: &TestApp, name: &str) -> Value {
    app.get(&format!("/api/v1/drift/streams/{name}")).json()
}

/// Quantity of a market order that asked for 0.002, as the books have it.
fn bought(app: &TestApp, strategy: &str, id: &str) -> Value {
    let body = json!({
        "client_order_id": id, "symbol": "BTCUSDT", "side": "buy", "type": "market", "quantity": "0.002",
        "strategy": strategy,
    });
    let answer = app.send("POST", "/api/v1/orders", Some(&body.to_string()));
    assert_eq!(answer.status, 202, "{}", answer.text);
    order(app, id)["quantity"].clone()
}

fn ready(app: &TestApp) {
    app.until("ready", |app| app.get("/readyz").status == 200);
    app.until("the streams are read", |app| app.get("/api/v1/drift").json()["loaded"] == true);
}

fn noise(seed: u64, n: usize, level: f64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..n).map(|_| level + random.f64()).collect()
}

#[test]
fn a_drift_cuts_its_strategy_alone_over_a_kill_until_a_person_lifts_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let arguments = ["run", "--config", config.as_str()];
    let app = TestApp::start_with(&arguments, &[]);
    ready(&app);
    assert_eq!(post(&app, "cost.manual", &noise(1, 1_000, 0.0)), 202);
    app.until("a baseline", |app| stream(app, "cost.manual")["state"] == "watching");
    assert_eq!(bought(&app, "manual", "before"), "0.002");

    assert_eq!(post(&app, "cost.manual", &noise(2, 100, 1.0)), 202);
    app.until("the alert", |app| {
        let alerts = app.get("/api/v1/alerts").json();
        let items = alerts["items"].as_array().unwrap().clone();
        items.iter().any(|alert| alert["code"] == "drift_detected" && alert["scope"] == "cost.manual")
    });
    app.until("the reading", |app| stream(app, "cost.manual")["state"] == "drift");
    let shown = stream(&app, "cost.manual");
    assert_eq!(
        (shown["state"].clone(), shown["finding"]["direction"].clone()),
        (json!("drift"), json!("up"))
    );
    assert!(shown["level"].as_f64().unwrap() >= 1.0, "{shown}");
    app.until("the cut", |app| app.get("/api/v1/risk").text.contains("cost.manual"));
    assert_eq!(bought(&app, "manual", "cut"), "0.001", "the next order is half of what it asked for");
    assert_eq!(bought(&app, "second", "whole"), "0.002", "nobody else's is");

    // What is written down survives anything.
    let data = app.data();
    app.until("the stream is saved", |_| {
        let rows = Readers::open(data.path()).unwrap().drift().unwrap();
        rows.iter().any(|row| row.name == "cost.manual" && row.state.contains("\"open\":{"))
    });
    app.signal("-KILL");
    app.end(Duration::from_secs(10));
    let app = TestApp::start_on(data, &arguments, &[]);
    ready(&app);
    let after = stream(&app, "cost.manual");
    assert_eq!(after["state"], "drift", "{after}");
    assert!(after["observations"].as_u64().unwrap() > 1_000, "{after}");
    assert_eq!(bought(&app, "manual", "still"), "0.001");
    assert_eq!(bought(&app, "second", "still-whole"), "0.002");

    // Calm alone lifts nothing.
    assert_eq!(post(&app, "cost.manual", &noise(3, 600, 0.0)), 202);
    app.until("the alert is over", |app| stream(app, "cost.manual")["state"] == "watching");
    assert_eq!(bought(&app, "manual", "calm"), "0.001");
    let lift = ["drift", "rebaseline", "cost.manual", "--reason", "fees changed", "--yes", "--url", &app.url];
    let output = run(&lift, None);
    assert!(output.status.success(), "{output:?}");
    app.until("the cut is lifted", |app| app.get("/api/v1/risk").json()["restraints"] == json!([]));
    assert_eq!(bought(&app, "manual", "lifted"), "0.002");
    let rows = app.get("/api/v1/journal?limit=1000").json();
    let kinds: Vec<Value> = rows["items"].as_array().unwrap().iter().map(|row| row["kind"].clone()).collect();
    assert!(kinds.contains(&json!("restrain")) && kinds.contains(&json!("release")), "{kinds:?}");
    // Every decision comes out the same again, the cut ones too.
    let data = app.data();
    let output = run(&["risk", "replay", "--data-dir", data.path().to_str().unwrap()], None);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains(" 0 differ, 0 without"), "{said} {output:?}");
}

#[test]
fn bad_observations_are_refused_with_their_place_and_failed_ones_are_counted() {
    let app = TestApp::start(&[]);
    ready(&app);
    let send =
        |name: &str, body: &str| app.send("POST", &format!("/api/v1/drift/streams/{name}"), Some(body));
    let answer = send("model.score", r#"{"values": [1, null, "NaN", 2.5]}"#);
    assert_eq!((answer.status, answer.json()), (202, json!({"taken": 2, "rejected": 2})));
    app.until("it is shown", |app| stream(app, "model.score")["rejected"] == 2);
    assert_eq!(stream(&app, "model.score")["last"], 2.5);
    for (name, body, status) in [
        ("model.score", r#"{"values": [1, "x"]}"#, 422),
        ("model.score", r#"{"values": []}"#, 422),
        ("model.score", "{}", 422),
        ("a%20b", r#"{"value": 1}"#, 422),
        ("model.score", r#"{"wrong": 1}"#, 422),
    ] {
        let answer = send(name, body);
        assert_eq!(answer.status, status, "{name} {body}: {}", answer.text);
    }
    // What is measured here is written by built-in code alone; a person may still say that it is normal.
    let answer = send("slippage:manual", r#"{"value": 1}"#);
    assert_eq!(
        (answer.status, answer.json()["code"].clone()),
        (422, json!("reserved_stream_name")),
        "{}",
        answer.text
    );
    assert_eq!(app.get("/api/v1/drift/streams/slippage:manual").status, 404, "nothing was taken");
    app.until("the counts", |app| {
        let metrics = app.get("/metrics").text;
        metrics.contains("plimsoll_drift_observations_total{kind=\"other\"} 2")
            && metrics.contains("plimsoll_drift_rejected_total{kind=\"other\"} 2")
            && metrics.contains("plimsoll_drift_streams{kind=\"other\"} 1")
            && metrics.contains("plimsoll_drift_detections_total{kind=\"other\"} 0")
    });
    assert_eq!(app.get("/api/v1/drift/streams/nope").status, 404);
    let answer = app.send("POST", "/api/v1/drift/streams/nope/rebaseline", Some(r#"{"reason": "x"}"#));
    assert_eq!(answer.status, 404, "{}", answer.text);
    let output = run(&["drift", "list", "--url", &app.url], None);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("model.score"), "{said} {output:?}");
    // What the runtime measures by itself is there as well.
    app.until("streams of the feed", |app| app.get("/api/v1/drift").text.contains("feed_gap:paper"));
    app.until("streams of the strategies", |app| {
        app.get("/api/v1/drift").text.contains("order_stage:journal")
    });
}

#[test]
fn a_series_from_a_file_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("series.txt");
    let lines: Vec<String> =
        noise(1, 600, 0.0).into_iter().chain(noise(2, 100, 2.0)).map(|x| x.to_string()).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let file = path.to_str().unwrap();
    let json = |arguments: &[&str]| -> Value {
        let output = run(&[&["drift", "replay", file, "--json"], arguments].concat(), None);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let found = json(&["--set", "arl0=10000"]);
    let first = found["detections"][0].as_u64().unwrap();
    assert!((600..620).contains(&first), "{found}");
    assert_eq!(found["final_state"]["phase"], "drift");
    let found = json(&["--detector", "page_hinkley", "--set", "delta=0.1", "threshold=5", "mode=up"]);
    assert!(found["detections"].is_array() && found["final_state"]["sum_increase"].is_number(), "{found}");
    let found = json(&["--detector", "adwin", "--set", "clock=1", "--set", "delta=0.01"]);
    assert!(found["final_state"]["width"].is_number(), "{found}");
    for wrong in [&["--detector", "nothing"][..], &["--set", "lambda=1"], &["--set", "arl0=x"]] {
        let output = run(&[&["drift", "replay", file], wrong].concat(), None);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
    let output = run(&["drift", "replay", "/nowhere/at/all"], None);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
