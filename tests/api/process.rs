//! Exit codes, signals, and the commands that read a running instance.

use crate::support::{TestApp, run};
use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn it_ends_by_itself_after_the_time_asked() {
    let start = Instant::now();
    let app = TestApp::start_with(&["demo", "--for", "300ms"], &[]);
    let (code, log) = app.end(SOON);
    assert_eq!(code, Some(0), "{log}");
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert!(log.contains("time_over") && log.contains("tree_ended"), "{log}");
}

#[test]
fn sigterm_and_sigint_end_it_in_order() {
    for signal in ["-TERM", "-INT"] {
        let app = TestApp::start(&[]);
        app.until("ready", |app| app.get("/readyz").status == 200);
        app.signal(signal);
        let (code, log) = app.end(SOON);
        assert_eq!(code, Some(0), "{signal}: {log}");
        let at = |what: &str| log.find(what).unwrap_or_else(|| panic!("no {what} in {log}"));
        assert!(at("tree_up") < at("shutdown_begun") && at("shutdown_begun") < at("tree_ended"), "{log}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let app = TestApp::start(&[("PLIMSOLL__SUPERVISION__SHUTDOWN_GRACE_MS", "600000")]);
    app.until("ready", |app| app.get("/readyz").status == 200);
    // A request that is never finished holds the server's orderly stop for its two seconds.
    let mut slow = std::net::TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n").unwrap();
    app.signal("-TERM");
    app.until_log("tree_ended");
    let start = Instant::now();
    app.signal("-TERM");
    let (code, log) = app.end(SOON);
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("second_signal") && start.elapsed() < Duration::from_secs(1), "{log}");
}

#[test]
fn a_meltdown_halts_with_70_and_is_told_at_the_next_start() {
    let environment = [
        ("PLIMSOLL__WEB__DEBUG_ROUTES", "true"),
        ("PLIMSOLL__SUPERVISION__CHILDREN__INFRA__INTENSITY__MAX_RESTARTS", "0"),
    ];
    let app = TestApp::start(&environment);
    app.until("ready", |app| app.get("/readyz").status == 200);
    // Each panic melts `infra` down; the root tolerates three of those.
    for restarts in 1..=4 {
        app.send("POST", "/debug/actors/plimsoll/infra/clock_sentry/panic", None);
        if restarts <= 3 {
            app.until("infra restarted", |app| app.node("plimsoll/infra")["restarts"] == restarts);
            app.until("sentry is back", |app| app.node("plimsoll/infra/clock_sentry")["state"] == "running");
        }
    }
    let data = app.data();
    let (code, log) = app.end(SOON);
    assert_eq!(code, Some(70), "{log}");
    assert!(log.contains("supervisor_meltdown") && log.contains("running the emergency handler"), "{log}");
    assert!(log.contains("plimsoll: halted: meltdown"), "{log}");
    let folder = data.path().to_str().unwrap();
    let next = run(&["demo", "--listen", "127.0.0.1:0", "--for", "100ms", "--data-dir", folder], None);
    let said = String::from_utf8(next.stderr).unwrap();
    assert!(next.status.success() && said.contains("last_emergency"), "{said}");
    // What melted down does not trade again by being started.
    assert!(said.contains("kill_switch") && said.contains("\"cause\":\"meltdown\""), "{said}");
}

#[test]
fn a_bad_override_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.yaml");
    let head = "supervision:\n  children:\n";
    for (body, place, said_too) in [
        ("    infra/clock_sentri:\n      shutdown_ms: 5\n", ":3:", "infra/clock_sentry"),
        ("    infra:\n      shutdown_ms: 5\n", ":4:", "it is a supervisor"),
        (
            "    infra/clock_sentry:\n      backoff: { cap_ms: 10 }\n",
            ":4:",
            "the longest delay would be 10 ms",
        ),
    ] {
        fs::write(&file, format!("{head}{body}")).unwrap();
        let output = run(&["run", "--config", file.to_str().unwrap(), "--listen", "127.0.0.1:0"], None);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("bad.yaml") && said.contains(place) && said.contains(said_too), "{said}");
    }
}

#[test]
fn exit_codes_are_as_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = Some(folder.path());
    for (arguments, code) in [
        (vec!["--version"], 0),
        (vec!["config", "check"], 0),
        (vec!["config", "init"], 0),
        (vec!["no-such-command"], 2),
        (vec!["demo", "--for", "soon"], 2),
        (vec!["config", "check", "--config", "missing.yaml"], 3),
        (vec!["run", "--config", "missing.yaml"], 3),
        (vec!["demo", "--listen", "0.0.0.0:0"], 3),
        (vec!["status", "--url", "http://127.0.0.1:9"], 5),
        (vec!["supervision", "--json", "--url", "http://127.0.0.1:9"], 5),
    ] {
        let output = run(&arguments, path);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    }
}

#[test]
fn an_address_in_use_is_an_error_that_names_it() {
    let app = TestApp::start(&[]);
    let address = app.url.trim_start_matches("http://");
    let output = run(&["demo", "--listen", address, "--for", "1s"], None);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(address) && said.contains("cannot listen"), "{said}");
}

#[test]
fn the_reading_commands_show_the_tree() {
    let app = TestApp::start(&[]);
    app.until("ready", |app| app.get("/readyz").status == 200);
    let table = run(&["supervision", "--url", &app.url], None);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("plimsoll/infra/process_monitor") && table.contains("running"), "{table}");
    let json = run(&["supervision", "--json", "--url", &app.url], None);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["nodes"][0]["path"], "plimsoll");
    let status = run(&["status", "--url", &app.url], None);
    assert!(String::from_utf8(status.stdout).unwrap().starts_with("running"));
}
