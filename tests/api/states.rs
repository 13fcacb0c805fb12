//! Pause, reduce-only, resume, kill and reset over HTTP and the command line: what they answer and what they let pass.

use crate::orders::{order, place, trading, until_state};
use crate::support::{Answer, TestApp, run};
use serde_json::{Value, json};

const REASON: &str = r#"{"reason": "a test"}"#;

fn control(app: &TestApp, verb: &str) -> Answer {
    app.send("POST", &format!("/api/v1/controls/{verb}"), Some(REASON))
}

fn seen(app: &TestApp, verb: &str, version: u64) -> Answer {
    let state = format!("\"state-{version}\"");
    let headers = [("if-match", state.as_str())];
    app.send_with("POST", &format!("/api/v1/controls/{verb}"), Some(REASON), &headers)
}

fn version(app: &TestApp) -> u64 {
    app.get("/api/v1/status").json()["state_version"].as_u64().unwrap()
}

fn until(app: &TestApp, state: &str) {
    app.until(state, |app| app.get("/api/v1/status").json()["state"] == state);
}

#[test]
fn a_pause_refuses_entries_and_leaves_what_rests() {
    let app = trading();
    assert_eq!(place(&app, "rests").status, 202);
    until_state(&app, "rests", "working");
    let paused = control(&app, "pause");
    assert_eq!(paused.status, 200, "{}", paused.text);
    let said = paused.json();
    assert_eq!((said["state"].clone(), said["resting_orders"].clone()), (json!("paused"), json!("keep")));
    assert_eq!((said["actor"].clone(), said["reason"].clone()), (json!("loopback"), json!("a test")));
    until(&app, "paused");
    let refused = place(&app, "late");
    assert_eq!((refused.status, refused.json()["code"].clone()), (409, json!("trading_paused")));
    assert_eq!(order(&app, "rests")["state"], "working");
    app.until("a paused desk may not trade", |app| app.get("/readyz").status == 503);

    assert_eq!(control(&app, "resume").status, 428, "the state that was seen must be named");
    assert_eq!(seen(&app, "resume", version(&app) + 1).status, 412);
    let resumed = seen(&app, "resume", version(&app));
    assert_eq!(
        (resumed.status, resumed.json()["state"].clone()),
        (200, json!("running")),
        "{}",
        resumed.text
    );
    let tag = resumed.header("etag").to_owned();
    assert_eq!(tag, format!("\"state-{}\"", resumed.json()["state_version"]));
    assert_eq!(place(&app, "again").status, 202);
}

#[test]
fn reduce_only_takes_what_reduces_and_a_pause_survives_a_crash() {
    let app = trading();
    let buy = json!({
        "client_order_id": "long", "symbol": "BTCUSDT", "side": "buy", "type": "market", "quantity": "0.002",
        "strategy": "manual",
    });
    assert_eq!(app.send("POST", "/api/v1/orders", Some(&buy.to_string())).status, 202);
    until_state(&app, "long", "filled");
    let reduced = control(&app, "reduce-only");
    assert_eq!(
        (reduced.status, reduced.json()["state"].clone()),
        (200, json!("reduce_only")),
        "{}",
        reduced.text
    );
    let ask = |id: &str, side: &str, quantity: &str| {
        let body = json!({
            "client_order_id": id, "symbol": "BTCUSDT", "side": side, "type": "market", "quantity": quantity,
            "strategy": "manual",
        });
        app.send("POST", "/api/v1/orders", Some(&body.to_string()))
    };
    let refused = ask("more", "buy", "0.001");
    assert_eq!(
        (refused.status, refused.json()["code"].clone()),
        (409, json!("reduce_only")),
        "{}",
        refused.text
    );
    assert_eq!(ask("less", "sell", "0.001").status, 202);
    until_state(&app, "less", "filled");
    assert_eq!(control(&app, "pause").status, 200);
    let data = app.data();
    app.signal("-KILL");
    app.end(std::time::Duration::from_secs(10));
    let again = TestApp::start_on(data, &["demo"], &[]);
    until(&again, "paused");
    assert_eq!(again.get("/api/v1/status").json()["reason"], "a test");
}

#[test]
fn a_kill_is_left_by_reset_then_resume_and_every_word_is_one_line_of_the_audit() {
    let app = trading();
    assert_eq!(place(&app, "rests").status, 202);
    until_state(&app, "rests", "working");
    let killed = control(&app, "kill");
    assert_eq!(killed.status, 200, "{}", killed.text);
    let said = killed.json();
    for (member, value) in [
        ("engaged", json!(true)),
        ("durable", json!(true)),
        ("cause", json!("operator")),
        ("reason", json!("a test")),
        ("resting_orders", json!("cancel_all")),
        ("state", json!("halted")),
    ] {
        assert_eq!(said[member], value, "{member} in {said}");
    }
    until(&app, "halted");
    until_state(&app, "rests", "cancelled");
    assert_eq!(place(&app, "late").json()["code"], "trading_halted");
    assert_eq!(control(&app, "kill").json()["already"], true);
    for verb in ["resume", "reduce-only"] {
        let refused = seen(&app, verb, version(&app));
        assert_eq!(refused.status, 409, "{verb}: {}", refused.text);
    }
    std::fs::write(app.data().path().join("HALT"), "not yet\n").unwrap();
    let refused = seen(&app, "reset", version(&app));
    assert_eq!(
        (refused.status, refused.json()["code"].clone()),
        (409, json!("cause_stands")),
        "{}",
        refused.text
    );
    std::fs::remove_file(app.data().path().join("HALT")).unwrap();
    let reset = seen(&app, "reset", version(&app));
    assert_eq!((reset.status, reset.json()["state"].clone()), (200, json!("paused")), "{}", reset.text);
    let resumed = seen(&app, "resume", reset.json()["state_version"].as_u64().unwrap());
    assert_eq!(
        (resumed.status, resumed.json()["state"].clone()),
        (200, json!("running")),
        "{}",
        resumed.text
    );
    assert_eq!(place(&app, "traded").status, 202);

    let lines = |app: &TestApp| -> Vec<(String, u64)> {
        let all = app.get("/api/v1/audit?limit=1000").json()["items"].as_array().unwrap().clone();
        all.iter()
            .map(|line| (line["verb"].as_str().unwrap().to_owned(), line["status"].as_u64().unwrap()))
            .collect()
    };
    let expected = [
        ("kill", 200),
        ("kill", 200),
        ("reduce-only", 409),
        ("reset", 200),
        ("reset", 409),
        ("resume", 200),
        ("resume", 409),
    ];
    app.until("seven lines", |app| lines(app).len() >= expected.len());
    let mut found = lines(&app);
    found.sort();
    let expected: Vec<(String, u64)> =
        expected.iter().map(|(verb, status)| ((*verb).to_owned(), *status)).collect();
    assert_eq!(found, expected);
    let journal = app.get("/api/v1/journal?limit=1000").json()["items"].as_array().unwrap().clone();
    let states: Vec<&Value> =
        journal.iter().filter(|row| row["kind"] == "state").map(|row| &row["payload"]["to"]).collect();
    let ours = ["running", "halted", "paused", "running"].map(|word| json!(word));
    let from = states.len() - ours.len();
    assert_eq!(states[from..].iter().map(|state| (*state).clone()).collect::<Vec<_>>(), ours);
}

#[test]
fn the_same_key_is_the_same_answer_even_after_a_restart() {
    let app = trading();
    let keyed = |app: &TestApp, body: &str| {
        app.send_with("POST", "/api/v1/controls/pause", Some(body), &[("idempotency-key", "pause-1")])
    };
    let first = keyed(&app, REASON);
    assert_eq!(first.status, 200, "{}", first.text);
    let again = keyed(&app, REASON);
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"));
    assert_eq!(again.json(), first.json());
    assert_eq!(keyed(&app, r#"{"reason": "another"}"#).status, 422);
    let data = app.data();
    app.signal("-KILL");
    app.end(std::time::Duration::from_secs(10));
    let later = TestApp::start_on(data, &["demo"], &[]);
    until(&later, "paused");
    let replayed = keyed(&later, REASON);
    assert_eq!(
        (replayed.status, replayed.header("idempotency-replayed")),
        (200, "true"),
        "{}",
        replayed.text
    );
    assert_eq!(replayed.json(), first.json());
}

#[test]
fn the_command_line_says_the_same_words() {
    let app = trading();
    let say = |verb: &str| {
        let output = run(&[verb, "--reason", "a drill", "--yes", "--url", &app.url], None);
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let expect = |verb: &str, word: &str| {
        let (code, out, err) = say(verb);
        assert_eq!(code, Some(0), "{verb}: {err}");
        assert!(out.contains(word), "{verb}: {out}");
    };
    expect("pause", "paused");
    expect("reduce-only", "reduce_only");
    expect("resume", "running");
    expect("kill", "engaged, generation 2");
    until(&app, "halted");
    let (code, _, err) = say("resume");
    assert_eq!(code, Some(4), "{err}");
    expect("reset", "paused");
    expect("resume", "running");
}
