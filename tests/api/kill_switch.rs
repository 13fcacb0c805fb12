//! The kill switch from outside: a signal, a file, a crash, a restart. What engages it needs nothing of the process
//! but its threads, and what it says outlives the process.

use crate::orders::{order, place, trading, until_state};
use crate::support::{TestApp, run};
use std::time::{Duration, Instant};

fn engaged(app: &TestApp) -> bool {
    let metrics = app.try_get("/metrics");
    metrics.is_some_and(|answer| answer.text.contains("\nplimsoll_kill_switch_engaged 1\n"))
}

/// An order that is sent now is refused or denied; it never works.
fn nothing_goes_out(app: &TestApp, id: &str) {
    let answer = place(app, id);
    if answer.status == 202 {
        until_state(app, id, "denied");
        let reason = order(app, id)["reason"].to_string();
        assert!(reason.contains("KILL_SWITCH"), "{reason}");
    } else {
        assert!(matches!(answer.status, 403 | 409 | 422 | 503), "{}", answer.text);
    }
}

/// What the next start says about the latch.
fn next_start(folder: &str) -> String {
    let next = run(&["demo", "--listen", "127.0.0.1:0", "--for", "500ms", "--data-dir", folder], None);
    String::from_utf8(next.stderr).unwrap()
}

#[test]
fn a_signal_engages_it_for_good() {
    let app = trading();
    assert_eq!(place(&app, "before-1").status, 202);
    until_state(&app, "before-1", "working");
    assert!(!engaged(&app));
    app.signal("-USR1");
    app.until("engaged", engaged);
    app.until_log("\"kill_switch\"");
    nothing_goes_out(&app, "after-1");
    app.until("the alert", |app| app.get("/api/v1/alerts").text.contains("\"kill_switch_engaged\""));
    // No restart lifts it: not the one in place, not the one after a crash.
    assert!(run(&["restart", "--reason", "try", "--url", &app.url], None).status.success());
    app.until("it restarts", |app| app.try_get("/livez").is_none() || app.logged("\"shutdown\""));
    app.until("up again", |app| app.try_get("/livez").is_some_and(|answer| answer.status == 200));
    app.until("engaged still", engaged);
    let data = app.data();
    app.signal("-KILL");
    app.end(Duration::from_secs(10));
    let said = next_start(data.path().to_str().unwrap());
    assert!(said.contains("\"signal\"") && said.contains("SIGUSR1"), "{said}");
}

#[test]
fn a_file_engages_it_within_moments_and_names_the_reason() {
    let app = trading();
    let begun = Instant::now();
    std::fs::write(app.data().path().join("HALT"), "fire drill\n").unwrap();
    app.until("engaged", engaged);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    nothing_goes_out(&app, "after-halt");
    app.until("the reason", |app| app.get("/api/v1/alerts").text.contains("fire drill"));
    let data = app.data();
    app.signal("-KILL");
    app.end(Duration::from_secs(10));
    // Taking the file away is not a reset.
    std::fs::remove_file(data.path().join("HALT")).unwrap();
    let said = next_start(data.path().to_str().unwrap());
    assert!(said.contains("halt_file") && said.contains("fire drill"), "{said}");
}

#[test]
fn a_damaged_latch_is_an_engaged_one() {
    let app = trading();
    let data = app.data();
    app.signal("-KILL");
    app.end(Duration::from_secs(10));
    std::fs::write(data.path().join("latch-a.json"), "{}").unwrap();
    let said = next_start(data.path().to_str().unwrap());
    assert!(said.contains("\"unreadable\"") && said.contains("kill_switch"), "{said}");
}
