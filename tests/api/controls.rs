//! Switches, cancel-all, restart in place, and what the health routes say of the order path.

use crate::orders::{order, place, trading, until_state};
use serde_json::{Value, json};

const REASON: &str = r#"{"reason": "a test"}"#;

#[test]
fn a_strategy_is_switched_off_and_on() {
    let app = trading();
    let strategies = || app.get("/api/v1/strategies").json()["items"].clone();
    let enabled = |name: &str| {
        let all = strategies();
        all.as_array().unwrap().iter().find(|s| s["name"] == name).map(|s| s["enabled"].clone())
    };
    assert_eq!(enabled("manual"), Some(json!(true)), "{}", strategies());
    let answer = app.send("POST", "/api/v1/strategies/manual/disable", Some(REASON));
    assert_eq!(answer.status, 200, "{}", answer.text);
    app.until("disabled", |_| enabled("manual") == Some(json!(false)));
    let refused = place(&app, "off-1");
    assert!((400..=503).contains(&refused.status), "{}", refused.text);
    assert_eq!(refused.json()["code"], "strategy_disabled", "{}", refused.text);
    assert_eq!(app.send("POST", "/api/v1/strategies/manual/enable", Some(REASON)).status, 200);
    app.until("enabled", |_| enabled("manual") == Some(json!(true)));
    assert_eq!(place(&app, "on-1").status, 202);
}

#[test]
fn cancel_all_ends_what_is_within_the_scope() {
    let app = trading();
    for id in ["all-1", "all-2"] {
        assert_eq!(place(&app, id).status, 202);
        until_state(&app, id, "working");
    }
    let body = r#"{"reason": "end of day", "strategy": "manual"}"#;
    let answer = app.send("POST", "/api/v1/controls/cancel-all", Some(body));
    assert_eq!((answer.status, answer.json()["cancels_begun"].clone()), (202, json!(2)), "{}", answer.text);
    for id in ["all-1", "all-2"] {
        until_state(&app, id, "cancelled");
    }
}

#[test]
fn a_restart_in_place_keeps_address_orders_and_ids() {
    let app = trading();
    assert_eq!(place(&app, "kept-1").status, 202);
    until_state(&app, "kept-1", "working");
    let before = order(&app, "kept-1");
    let answer = app.send("POST", "/api/v1/controls/restart", Some(REASON));
    assert_eq!(answer.status, 202, "{}", answer.text);
    app.until_log("warm_start");
    app.until("restarted", |app| {
        app.try_get("/api/v1/status").is_some_and(|status| {
            let status = status.json();
            status["state"] == "running" && status["uptime_seconds"].as_f64().unwrap() < 5.0
        })
    });
    let after = order(&app, "kept-1");
    for member in ["venue_client_order_id", "venue_order_id", "created_at", "state", "attempts"] {
        assert_eq!(before[member], after[member], "{member}");
    }
    assert_eq!(place(&app, "kept-1").status, 202);
    assert_eq!(app.get("/api/v1/orders?strategy=manual").json()["items"].as_array().unwrap().len(), 1);
}

#[test]
fn resuming_names_the_state_that_was_seen() {
    let app = trading();
    let version = app.get("/api/v1/status").json()["state_version"].as_u64().unwrap();
    let resume = |seen: u64| {
        app.send_with(
            "POST",
            "/api/v1/controls/resume",
            Some(REASON),
            &[("if-match", &format!("\"state-{seen}\""))],
        )
    };
    assert_eq!(resume(version + 7).status, 412);
    let refused = resume(version);
    assert_ne!(refused.status, 412, "{}", refused.text);
}

#[test]
fn status_and_readiness_speak_of_the_order_path() {
    let app = trading();
    let status = app.get("/api/v1/status").json();
    assert_eq!(
        (status["mode"].clone(), status["state"].clone()),
        (json!("paper"), json!("running")),
        "{status}"
    );
    assert!(status["reason"].is_string() && status["since"].is_string(), "{status}");
    assert_eq!(status["counts"]["orders"]["unknown"], 0, "{status}");
    let gates = app.get("/readyz").json()["gates"].clone();
    let names: Vec<&Value> = gates.as_array().unwrap().iter().map(|gate| &gate["name"]).collect();
    for name in ["phase", "journal", "venue/paper"] {
        assert!(names.contains(&&json!(name)), "no {name} in {gates}");
    }
    assert_eq!(app.get("/api/v1/alerts").json(), json!({"items": [], "next": null}));
}
