//! What the routes answer.

use crate::support::TestApp;
use plimsoll::web::ROUTES;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

const SENTRY: &str = "plimsoll/infra/clock_sentry";

#[test]
fn the_health_routes_agree_under_one_snapshot_id() {
    let app = TestApp::start(&[]);
    app.until("ready", |app| app.get("/readyz").status == 200);
    // A judgement serves for a quarter of a second; three quick questions fall into one of two.
    let ids: Vec<u64> = ["/livez", "/readyz", "/health"]
        .iter()
        .map(|path| {
            let answer = app.get(path);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            let id = answer.json()["snapshot_id"].as_u64().unwrap();
            assert_eq!(answer.header("x-snapshot-id"), id.to_string());
            id
        })
        .collect();
    assert!(ids[2] - ids[0] <= 1, "{ids:?}");
    assert!(app.get("/health").header("content-type").starts_with("application/health+json"));
    let status = app.get("/api/v1/status").json();
    assert_eq!(status["state"], "running");
    assert_eq!(status["config_hash"].as_str().unwrap().len(), 64);
}

#[test]
fn a_killed_actor_comes_back_and_the_snapshot_says_so() {
    let app = TestApp::start(&[("PLIMSOLL__WEB__DEBUG_ROUTES", "true")]);
    app.until("up", |app| app.node(SENTRY)["state"] == "running");
    let answer = app.send("POST", &format!("/debug/actors/{SENTRY}/panic"), None);
    assert_eq!(answer.status, 202, "{}", answer.text);
    app.until("restarted", |app| {
        let node = app.node(SENTRY);
        node["restarts"] == 1 && node["state"] == "running" && node["epoch"] == 2
    });
    let node = app.node(SENTRY);
    assert!(node["last_failure"].as_str().unwrap().contains("injected by an operator"), "{node}");
    assert!(node["last_failure_age_seconds"].as_f64().unwrap() < 10.0);
    assert!(node["age_seconds"].as_f64().unwrap() < 10.0);
    assert_eq!(node["limits"]["mailbox_capacity"], 4096);
    assert!(node["metadata"]["workload"].is_string());
    app.until("recent failure is a warning", |app| app.get("/health").json()["status"] == "warn");
    let metrics = app.get("/metrics").text;
    let line = format!("plimsoll_actor_restarts_total{{path=\"{SENTRY}\"}} 1");
    assert!(metrics.contains(&line), "{metrics}");
}

#[test]
fn a_wedged_actor_is_replaced_within_its_limit() {
    let app = TestApp::start(&[
        ("PLIMSOLL__WEB__DEBUG_ROUTES", "true"),
        ("PLIMSOLL__SUPERVISION__CHILDREN__INFRA/CLOCK_SENTRY__HANG__WAIT_MS", "200"),
    ]);
    app.until("up", |app| app.node(SENTRY)["state"] == "running");
    assert_eq!(app.node(SENTRY)["limits"]["hang_wait_seconds"], 0.2);
    assert_eq!(app.send("POST", &format!("/debug/actors/{SENTRY}/wedge"), None).status, 202);
    app.until("replaced", |app| app.node(SENTRY)["restarts"] == 1);
    assert_eq!(app.node(SENTRY)["last_failure"], "hung in ctx.wait");
}

#[test]
fn a_component_that_is_down_closes_its_gate() {
    let app = TestApp::start(&[
        ("PLIMSOLL__WEB__DEBUG_ROUTES", "true"),
        ("PLIMSOLL__SUPERVISION__CHILDREN__INFRA/CLOCK_SENTRY__BACKOFF__BASE_MS", "600000"),
        ("PLIMSOLL__SUPERVISION__CHILDREN__INFRA/CLOCK_SENTRY__BACKOFF__CAP_MS", "600000"),
        ("PLIMSOLL__SUPERVISION__CHILDREN__INFRA/CLOCK_SENTRY__BACKOFF__JITTER", "none"),
    ]);
    app.until("ready", |app| app.get("/readyz").status == 200);
    app.send("POST", &format!("/debug/actors/{SENTRY}/panic"), None);
    app.until("not ready", |app| app.get("/readyz").status == 503);
    let answer = app.get("/readyz").json();
    assert_eq!(answer["failing"], serde_json::json!([SENTRY]));
    assert_eq!(app.node(SENTRY)["state"], "backoff");
    assert_eq!(app.get("/health").status, 503);
    assert_eq!(app.get("/livez").status, 200, "alive, though not ready");
    assert_eq!(app.send("POST", &format!("/debug/actors/{SENTRY}/panic"), None).status, 404, "nobody lives");
}

/// The verbs of a path, in the order of the table.
fn verbs_of(path: &str) -> Vec<&'static str> {
    ROUTES.iter().filter(|route| route.path == path).map(|route| route.method.as_str()).collect()
}

#[test]
fn every_route_answers_its_verb_and_refuses_the_others_as_a_problem() {
    let app = TestApp::start(&[("PLIMSOLL__WEB__DEBUG_ROUTES", "true")]);
    let paths: BTreeSet<&str> = ROUTES.iter().map(|route| route.path).collect();
    for pattern in paths {
        let verbs: Vec<&str> = verbs_of(pattern);
        let path = pattern.replace("{path:.+}", "plimsoll/nobody").replace("{fault}", "panic");
        let path = path.replace("{client_order_id}", "nope").replace("{name}", "nobody");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            // The answer of the event stream has no end; its own tests read it.
            if pattern.ends_with("/events") && method == "GET" {
                continue;
            }
            let answer = app.send(method, &path, None);
            if verbs.contains(&method) {
                assert_ne!(answer.status, 405, "{method} {path}");
                continue;
            }
            assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text);
            assert_eq!(answer.header("allow"), verbs.join(", "));
            assert!(answer.header("content-type").starts_with("application/problem+json"));
            assert_eq!(answer.json()["code"], "method_not_allowed");
        }
        if verbs.contains(&"GET") && !pattern.contains('{') {
            let head = app.send("HEAD", &path, None);
            assert!(head.status == 200 || head.status == 503, "HEAD {path}: {}", head.status);
            assert_eq!(head.text, "");
        }
    }
    for (method, path, status) in [
        ("GET", "/nope", 404),
        ("GET", "/api/v1", 404),
        ("POST", "/debug/actors/plimsoll/infra/clock_sentry/explode", 400),
        ("POST", "/debug/actors/plimsoll/infra/nobody/panic", 404),
        ("POST", "/debug/actors/plimsoll/infra/panic", 404),
    ] {
        let answer = app.send(method, path, None);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        assert!(answer.header("content-type").starts_with("application/problem+json"), "{path}");
        assert_eq!(answer.json()["status"], status);
    }
    for header in ["cache-control", "x-content-type-options", "content-security-policy"] {
        assert!(!app.get("/livez").header(header).is_empty(), "{header}");
    }
}

#[test]
fn the_debug_routes_do_not_exist_unless_asked_for() {
    let app = TestApp::start(&[]);
    assert_eq!(app.send("POST", &format!("/debug/actors/{SENTRY}/panic"), None).status, 404);
    assert_eq!(app.node(SENTRY)["restarts"], 0);
}

#[test]
fn promtool_accepts_the_metrics() {
    let app = TestApp::start(&[]);
    app.until("ready", |app| app.get("/readyz").status == 200);
    let metrics = app.get("/metrics");
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        println!("skipped: promtool is not installed");
        return;
    };
    promtool.stdin.take().unwrap().write_all(metrics.text.as_bytes()).unwrap();
    let verdict = promtool.wait_with_output().unwrap();
    assert!(verdict.status.success(), "{}", String::from_utf8_lossy(&verdict.stderr));
}
