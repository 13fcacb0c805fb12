//! Who watches the watcher, and what a crash in the middle of a containment leaves: the real binary against an exchange
//! of this test, so that what reached the exchange can be asked there.

use crate::support::TestApp;
use plimsoll::paper_exchange::config::MarketConfig;
use plimsoll::paper_exchange::{PaperConfig, PaperExchange, Running};
use serde_json::{Value, json};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Exchange(Option<Running>);

impl Exchange {
    fn start() -> Self {
        let market = MarketConfig { seed: 7, ..MarketConfig::default() };
        Self(Some(PaperExchange::start(PaperConfig { market, ..PaperConfig::default() }).unwrap()))
    }

    fn address(&self) -> String {
        self.0.as_ref().unwrap().addr().to_string()
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let url = format!("http://{}{path}", self.address());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let mut request = client.request(method, url).timeout(Duration::from_secs(10));
            if let Some(body) = body {
                request = request.json(&body);
            }
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success(), "{answer:?}");
            let text = answer.text().await.unwrap();
            serde_json::from_str(&text).unwrap_or_default()
        })
    }

    /// Orders that it ever accepted.
    fn orders(&self) -> usize {
        self.ask("GET", "/paper/v1/truth", None)["orders"].as_array().unwrap().len()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(running) = self.0.take() {
            // It has nothing to keep.
            let _ = running.stop();
        }
    }
}

fn config(folder: &Path, exchange: &Exchange) -> String {
    let limits = include_str!("../../config/rehearsal-limits.yaml");
    let text = format!(
        "deployment: {{ name: watched, environment: development, instance: local }}
web: {{ debug_routes: true }}
drift: {{ enabled: false }}
supervision: {{ children: {{ infra/sentinel: {{ hang: {{ wait_ms: 120000 }} }} }} }}
{limits}venues:
  - {{ name: paper, kind: binance_spot, rest_url: 'http://{}', paper_account: demo, symbols: [BTCUSDT] }}
strategies:
  - {{ name: manual, kind: manual, on_unknown: adopt }}
sentinel:
  tick_ms: 100
  stale_after_ms: 1500
  containment:
    - {{ on: venue_quotes_stale, do: pause, budget: 1, per_seconds: 600 }}
alerts:
  channels: [{{ name: file, kind: file }}]
",
        exchange.address()
    );
    let path = folder.join("watched.yaml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn order(app: &TestApp, id: &str) -> (u16, Value) {
    let body = json!({
        "client_order_id": id, "symbol": "BTCUSDT", "side": "buy", "type": "limit", "quantity": "0.001",
        "price": "20000", "strategy": "manual",
    });
    let answer = app.send("POST", "/api/v1/orders", Some(&body.to_string()));
    (answer.status, answer.json())
}

fn ready(app: &TestApp) {
    app.until("ready", |app| app.get("/readyz").status == 200);
}

/// What the service manager would have heard until `good` likes it.
fn hear(manager: &UnixDatagram, within: Duration, good: impl Fn(&[String]) -> bool) -> Vec<String> {
    let (began, mut heard, mut buffer) = (Instant::now(), Vec::new(), [0; 4_096]);
    while !good(&heard) {
        let left = within.checked_sub(began.elapsed()).unwrap_or_else(|| panic!("never: {heard:?}"));
        manager.set_read_timeout(Some(left.max(Duration::from_millis(1)))).unwrap();
        if let Ok(size) = manager.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..size]).into_owned();
            heard.extend(text.lines().map(str::to_owned));
        }
    }
    heard
}

#[test]
fn a_wedged_sentinel_silences_the_watchdog_and_disarms_trading() {
    let (folder, exchange) = (tempfile::tempdir().unwrap(), Exchange::start());
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let settings = config(folder.path(), &exchange);
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "400000")];
    let app = TestApp::start_watched(&["run", "--config", &settings], &environment);
    let soon = Duration::from_secs(20);
    let heard = hear(&manager, soon, |heard| heard.iter().any(|word| word == "READY=1"));
    assert_eq!(heard.iter().filter(|word| *word == "READY=1").count(), 1, "{heard:?}");
    ready(&app);
    let pets = |heard: &[String]| heard.iter().filter(|word| *word == "WATCHDOG=1").count();
    let began = Instant::now();
    hear(&manager, soon, |heard| pets(heard) >= 5);
    assert!(began.elapsed() < Duration::from_secs(5), "twice in the interval that was asked for");
    let (status, placed) = order(&app, "before");
    assert_eq!(status, 202, "{placed}");
    app.until("it is at the exchange", |_| exchange.orders() == 1);

    let wedged = app.send("POST", "/debug/actors/plimsoll/infra/sentinel/wedge", None);
    assert_eq!(wedged.status, 202, "{}", wedged.text);
    let is_status = |word: &String| word.starts_with("STATUS=no sign of life: sentinel");
    hear(&manager, soon, |heard| heard.iter().any(is_status));
    // From then on it says nothing: the manager would start the process anew.
    manager.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut buffer = [0; 64];
    let more = manager.recv(&mut buffer).map(|size| String::from_utf8_lossy(&buffer[..size]).into_owned());
    assert!(more.is_err(), "{more:?}");

    let (status, refused) = order(&app, "after");
    assert_eq!((status, &refused["code"]), (503, &json!("truth_lease_expired")), "{refused}");
    assert_eq!(app.get("/readyz").status, 503);
    assert_eq!(exchange.orders(), 1, "nothing went out");
    app.until("it is said without it", |app| {
        app.get("/api/v1/alerts?status=open").text.contains("sentinel_stale")
    });
}

/// Acts by state, recommendations left out.
fn acts(app: &TestApp) -> Vec<(String, Value)> {
    let answer = app.get("/api/v1/containment").json();
    let items = answer["items"].as_array().cloned().unwrap_or_default();
    let acts = items.into_iter().map(|item| (item["state"].as_str().unwrap().to_owned(), item));
    acts.filter(|(state, _)| state != "recommended").collect()
}

#[test]
fn a_containment_is_written_down_and_a_crash_neither_forgets_nor_repeats_it() {
    let (folder, exchange) = (tempfile::tempdir().unwrap(), Exchange::start());
    let settings = config(folder.path(), &exchange);
    let data = Arc::new(tempfile::tempdir().unwrap());
    let app = TestApp::start_on(Arc::clone(&data), &["run", "--config", &settings], &[]);
    ready(&app);
    exchange.ask("POST", "/paper/v1/faults", Some(json!({"kind": "stale_but_pinging"})));
    app.until("paused by itself", |app| acts(app).iter().any(|(state, _)| state == "verified"));
    let (_, done) = acts(&app).remove(0);
    assert_eq!((done["action"].as_str(), done["target"].as_str()), (Some("pause"), Some("desk")), "{done}");
    assert_eq!(
        (&done["spent"], &done["budget"], &done["window_seconds"]),
        (&json!(1), &json!(1), &json!(600.0))
    );
    assert!(done["because"].as_str().unwrap().starts_with("venue_quotes_stale:paper"), "{done}");
    assert!(done["requested_at"].is_string() && done["ended_at"].is_string(), "{done}");
    let journal = app.get("/api/v1/journal?limit=1000").json();
    let rows = journal["items"].as_array().unwrap();
    let states: Vec<String> = rows
        .iter()
        .filter(|row| row["kind"] == "containment" && row["payload"]["number"] == done["number"])
        .map(|row| row["payload"]["state"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(states.first().map(String::as_str), Some("proposed"), "before it was done: {rows:?}");
    assert_eq!(states.last().map(String::as_str), Some("verified"));
    let place = |wanted: &dyn Fn(&Value) -> bool| rows.iter().position(wanted).unwrap();
    let proposed = place(&|row| row["kind"] == "containment" && row["payload"]["state"] == "proposed");
    assert!(proposed < place(&|row| row["kind"] == "steer"), "on disk before it was carried out");

    app.signal("-KILL");
    drop(app);
    let app = TestApp::start_on(data, &["run", "--config", &settings], &[]);
    app.until("it runs", |app| app.get("/livez").status == 200);
    app.until("it still stands", |app| {
        app.get("/api/v1/alerts?status=open").text.contains("venue_quotes_stale")
    });
    assert_eq!(acts(&app).iter().map(|(state, _)| state.as_str()).collect::<Vec<_>>(), ["verified"]);
    // Healed, armed by a person, and stale again: the budget of the window is spent, restart or not, and that is said.
    exchange.ask("DELETE", "/paper/v1/faults", None);
    app.until("a person resumes", |app| {
        let version = app.get("/api/v1/status").json()["state_version"].to_string();
        let body = json!({"reason": "armed by a test"}).to_string();
        let tag = format!("\"state-{version}\"");
        app.send_with("POST", "/api/v1/controls/resume", Some(&body), &[("if-match", &tag)]).status == 200
    });
    exchange.ask("POST", "/paper/v1/faults", Some(json!({"kind": "stale_but_pinging"})));
    app.until("it is only recommended", |app| {
        app.get("/api/v1/containment").text.contains("stopped after 1 times; a person must act")
    });
    assert_eq!(acts(&app).len(), 1, "nothing is done beyond the budget");
    assert_eq!(app.get("/api/v1/status").json()["state"], "running");
    let shown = crate::support::run(&["containment", "--url", &app.url], None);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("verified") && shown.contains("pause"), "{shown}");
    assert_eq!(app.get("/api/v1/containment?status=nonsense").status, 422);
    assert!(app.get("/api/v1/containment?status=open").json()["items"].as_array().unwrap().is_empty());
}
