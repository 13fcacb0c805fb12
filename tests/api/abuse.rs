//! What bad and careless clients do: wrong tokens, floods, slow bodies, stale pages, repeated requests.

use crate::access::{bearer, create};
use crate::orders::trading;
use crate::support::{Answer, TestApp};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const REASON: &str = r#"{"reason": "a test"}"#;
const CANCEL_ALL: &str = "/api/v1/controls/cancel-all";

fn with(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    app.send_with("POST", path, Some(REASON), headers)
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

fn audit(app: &TestApp) -> Vec<Value> {
    app.get("/api/v1/audit?limit=1000").json()["items"].as_array().unwrap().clone()
}

#[test]
fn wrong_tokens_are_slowed_then_refused_and_good_ones_still_pass() {
    let app = TestApp::start(&[]);
    let good = bearer(&create(app.data().path(), "ops", &["read"]));
    app.until("shut", |app| app.get("/api/v1/status").status == 401);
    let wrong = good
        .chars()
        .rev()
        .enumerate()
        .map(|(n, c)| if n == 0 { if c == '0' { '1' } else { '0' } } else { c });
    let wrong: String = wrong.collect::<Vec<char>>().into_iter().rev().collect();
    let ask = |token: &str| app.send_with("GET", "/api/v1/status", None, &[("authorization", token)]);
    let start = Instant::now();
    let mut statuses = Vec::new();
    while statuses.last() != Some(&429) {
        statuses.push(ask(&wrong).status);
        assert!(statuses.len() <= 6, "{statuses:?}");
    }
    assert!(start.elapsed() >= Duration::from_millis(500), "the first five were slowed");
    let refused = ask(&wrong);
    assert_eq!(code(&refused), (429, "wrong_tokens".to_owned()));
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    let start = Instant::now();
    assert_eq!(ask(&good).status, 200, "the owner is not locked out by whoever guesses");
    assert!(start.elapsed() < Duration::from_millis(300));
}

#[test]
fn one_caller_cannot_take_everything_and_others_do_not_notice() {
    let app = TestApp::start(&[("PLIMSOLL__WEB__REQUESTS_PER_SECOND", "5")]);
    let (greedy, other) =
        (create(app.data().path(), "greedy", &["read"]), create(app.data().path(), "other", &["read"]));
    app.until("shut", |app| app.get("/api/v1/status").status == 401);
    let ask =
        |token: &str| app.send_with("GET", "/api/v1/quotes", None, &[("authorization", &bearer(token))]);
    let statuses: Vec<u16> = (0..40).map(|_| ask(&greedy).status).collect();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert!(statuses[..10].iter().all(|status| *status == 200) && refused > 5, "{statuses:?}");
    let answer = ask(&greedy);
    assert!(answer.status == 200 || answer.header("retry-after") == "1", "{}", answer.text);
    assert_eq!(ask(&other).status, 200);
}

#[test]
fn the_same_request_twice_is_done_once_and_answered_alike() {
    let app = trading();
    let key = [("idempotency-key", "once-1")];
    let first = with(&app, CANCEL_ALL, &key);
    assert_eq!((first.status, first.header("idempotency-replayed")), (202, ""), "{}", first.text);
    let again = with(&app, CANCEL_ALL, &key);
    assert_eq!((again.status, again.header("idempotency-replayed")), (202, "true"));
    assert_eq!(again.text, first.text);
    let other = app.send_with("POST", CANCEL_ALL, Some(r#"{"reason": "another"}"#), &key);
    assert_eq!(code(&other), (422, "idempotency_key_reused".to_owned()));
    let elsewhere = with(&app, "/api/v1/strategies/manual/disable", &key);
    assert_eq!(
        code(&elsewhere),
        (422, "idempotency_key_reused".to_owned()),
        "another route is another request"
    );
    for bad in ["a b", "é", &"x".repeat(65)] {
        assert_eq!(code(&with(&app, CANCEL_ALL, &[("idempotency-key", bad)])).1, "idempotency_key_invalid");
    }
    assert_eq!(code(&with(&app, CANCEL_ALL, &[("idempotency-key", "")])).1, "idempotency_key_missing");
    app.until("every request is one line", |app| audit(app).len() == 8);
    let lines = audit(&app);
    let shown: Vec<(u64, &str)> = lines
        .iter()
        .map(|line| (line["status"].as_u64().unwrap(), line["code"].as_str().unwrap_or("-")))
        .collect();
    let expected = [
        (202, "-"),
        (202, "replayed"),
        (422, "idempotency_key_reused"),
        (422, "idempotency_key_reused"),
        (400, "idempotency_key_invalid"),
        (400, "idempotency_key_invalid"),
        (400, "idempotency_key_invalid"),
        (400, "idempotency_key_missing"),
    ];
    assert_eq!(shown, expected);
    assert!(lines.iter().all(|line| line["actor"] == "loopback" && line["peer"] == "127.0.0.1"), "{lines:?}");
}

#[test]
fn a_pinned_answer_outlives_a_restart() {
    let app = trading();
    let key = [("idempotency-key", "kept-1")];
    let first = with(&app, CANCEL_ALL, &key);
    assert_eq!(first.status, 202);
    app.until("it is on the disk", |app| audit(app).len() == 1);
    assert_eq!(app.send("POST", "/api/v1/controls/restart", Some(REASON)).status, 202);
    app.until_log("warm_start");
    app.until("restarted", |app| app.try_get("/readyz").is_some_and(|answer| answer.status == 200));
    let again = with(&app, CANCEL_ALL, &key);
    assert_eq!((again.status, again.header("idempotency-replayed")), (202, "true"));
    assert_eq!(again.text, first.text);
}

#[test]
fn a_refused_request_pins_nothing() {
    let app = trading();
    let version = app.get("/api/v1/status").json()["state_version"].as_u64().unwrap();
    let resume = |seen: u64| {
        let state = format!("\"state-{seen}\"");
        with(&app, "/api/v1/controls/resume", &[("if-match", &state), ("idempotency-key", "again-1")])
    };
    assert_eq!(resume(version + 9).status, 412);
    assert_ne!(resume(version).status, 412, "the same key with the state as it is now");
}

#[test]
fn orders_take_a_key_too_and_leave_no_line() {
    let app = trading();
    let order = json!({
        "symbol": "BTCUSDT", "side": "buy", "type": "market", "quantity": "0.001", "strategy": "manual",
    });
    let place = || {
        let key = [("idempotency-key", "order-1")];
        app.send_with("POST", "/api/v1/orders", Some(&order.to_string()), &key)
    };
    let (first, again) = (place(), place());
    assert_eq!((first.status, again.status), (202, 202), "{} {}", first.text, again.text);
    assert_eq!(
        first.json()["client_order_id"],
        again.json()["client_order_id"],
        "one order, though it had no id"
    );
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert!(audit(&app).is_empty());
}

#[test]
fn two_at_once_are_one_and_a_conflict() {
    let app = trading();
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let ask = || with(&app, CANCEL_ALL, &[("idempotency-key", "race-1")]);
        let all: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let done = answers.iter().filter(|a| a.status == 202 && a.header("idempotency-replayed").is_empty());
    assert_eq!(done.count(), 1);
    for answer in &answers {
        let again = answer.status == 202 || code(answer) == (409, "idempotency_key_in_flight".to_owned());
        assert!(again, "{} {}", answer.status, answer.text);
    }
}

#[test]
fn pages_of_others_and_secrets_in_addresses_are_refused() {
    let app = TestApp::start(&[]);
    for header in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        assert_eq!(code(&with(&app, CANCEL_ALL, &[header])), (403, "cross_site_request".to_owned()));
    }
    for name in ["token", "access_token", "api_key", "%74oken"] {
        let answer = app.get(&format!("/api/v1/status?{name}=plm_x"));
        assert_eq!(code(&answer), (400, "secret_in_url".to_owned()), "{name}");
        assert!(!answer.text.contains("plm_x"));
    }
    let form = app.raw(&format!(
        "POST {CANCEL_ALL} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nIdempotency-Key: f\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\nreason=x"
    ));
    assert!(form.starts_with("HTTP/1.1 415") && form.contains("application/problem+json"), "{form}");
}

#[test]
fn bodies_that_are_too_large_or_too_slow_end() {
    let app = TestApp::start(&[]);
    let head = |length: usize| {
        format!(
            "POST {CANCEL_ALL} HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: b\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let large = app.raw(&head(10_000_000));
    assert!(large.starts_with("HTTP/1.1 413") && large.contains("payload_too_large"), "{large}");
    let mut socket = TcpStream::connect(app.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    socket.write_all(head(5_000).as_bytes()).unwrap();
    let (start, mut answer) = (Instant::now(), Vec::new());
    while !answer.windows(4).any(|four| four == b"\r\n\r\n") {
        assert!(start.elapsed() < Duration::from_secs(9), "it trickles for ever");
        // It keeps sending: no pause is long enough for a timeout between two reads.
        let _ = socket.write_all(b" ");
        let mut buffer = [0; 4096];
        if let Ok(read) = socket.read(&mut buffer) {
            answer.extend_from_slice(&buffer[..read]);
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("application/problem+json"), "{answer}");
}

#[test]
fn a_handler_that_panics_is_a_problem_and_the_next_request_is_answered() {
    let app = TestApp::start(&[("PLIMSOLL__WEB__DEBUG_ROUTES", "true")]);
    for _ in 0..5 {
        let answer = app.send("POST", "/debug/web/panic", None);
        assert_eq!(code(&answer), (500, "internal".to_owned()));
        assert!(
            !answer.header("cache-control").is_empty() && !answer.text.contains("asked for"),
            "{}",
            answer.text
        );
        let number = answer.json()["request_id"].as_str().unwrap().to_owned();
        app.until("the log knows the number", |app| app.logged("handler_panicked") && app.logged(&number));
    }
    assert_eq!(app.get("/livez").status, 200);
}

#[test]
fn a_flood_of_bad_requests_does_not_fill_the_audit() {
    let app = trading();
    let socket = || TcpStream::connect(app.address()).unwrap();
    let request = format!(
        "POST {CANCEL_ALL} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    let mut flood = socket();
    flood.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut buffer = vec![0; 4096];
    for _ in 0..600 {
        flood.write_all(request.as_bytes()).unwrap();
        assert!(flood.read(&mut buffer).unwrap() > 0);
    }
    std::thread::sleep(Duration::from_millis(50));
    app.until("what was left out is told", |app| {
        // Any later refusal finds room and says how many did not.
        with(app, CANCEL_ALL, &[("idempotency-key", "")]);
        audit(app).iter().any(|line| line["verb"] == "left_out")
    });
    let lines = audit(&app);
    assert!(lines.len() < 500, "{} lines of {}", lines.len(), 600);
}

/// Control answers stay quick while 200 clients hold connections that send nothing, or next to nothing.
#[test]
fn slow_clients_do_not_slow_controls() {
    let app = trading();
    let address = app.address().to_owned();
    let mut slow: Vec<TcpStream> = (0..200)
        .map(|number| {
            let mut socket = TcpStream::connect(&address).unwrap();
            let part = match number % 3 {
                0 => "GET /api/v1/sta".to_owned(),
                1 => format!(
                    "POST {CANCEL_ALL} HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: s{number}\r\n\
                     Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{{"
                ),
                _ => String::new(),
            };
            socket.write_all(part.as_bytes()).unwrap();
            socket
        })
        .collect();
    let mut client = TcpStream::connect(&address).unwrap();
    client.set_nodelay(true).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut took = Vec::new();
    for (number, other) in slow.iter_mut().enumerate() {
        // One of them sends another byte now and then.
        let _ = other.write_all(b"x");
        let request = format!(
            "POST {CANCEL_ALL} HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: q{number}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{REASON}",
            REASON.len()
        );
        let start = Instant::now();
        client.write_all(request.as_bytes()).unwrap();
        let mut buffer = [0; 4096];
        let read = client.read(&mut buffer).unwrap();
        took.push(start.elapsed());
        assert!(buffer[..read].starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(&buffer[..read]));
    }
    took.sort();
    println!("control answers with 200 slow clients: median {:?}, p99 {:?}", took[100], took[197]);
    assert!(took[197] < Duration::from_millis(100), "p99 {:?}", took[197]);
}

#[test]
fn the_committed_description_is_current() {
    let committed = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let committed = std::fs::read_to_string(committed).unwrap();
    let advice = "run: plimsoll openapi > openapi.json";
    let printed = crate::support::run(&["openapi"], None);
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), committed, "{advice}");
    let app = TestApp::start(&[]);
    let served = app.get("/openapi.json");
    assert_eq!((served.status, served.text), (200, committed), "{advice}");
}
