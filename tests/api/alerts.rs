//! Alerts from outside: raised, told to a real receiver, taken on, silenced, ended; over a crash; without a database.

use crate::support::{TestApp, run};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A receiver of webhooks: what came, and what is answered.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    came: Arc<Mutex<Vec<(String, Value)>>>,
    status: Arc<Mutex<u16>>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let own = Self { url, came: Arc::default(), status: Arc::new(Mutex::new(200)) };
        let receiver = own.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let receiver = receiver.clone();
                std::thread::spawn(move || receiver.serve(socket));
            }
        });
        own
    }

    fn serve(&self, socket: TcpStream) -> Option<()> {
        let mut writer = socket.try_clone().ok()?;
        let mut reader = BufReader::new(socket);
        loop {
            let (mut key, mut length, mut line) = (String::new(), 0, String::new());
            while {
                line.clear();
                reader.read_line(&mut line).ok()? > 0
            } && line != "\r\n"
            {
                let Some((name, value)) = line.split_once(':') else { continue };
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().ok()?,
                    "idempotency-key" => key = value.trim().to_owned(),
                    _ => {}
                }
            }
            if line.is_empty() {
                return None;
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let status = *self.status.lock().unwrap();
            if status == 200 {
                self.came.lock().unwrap().push((key, serde_json::from_slice(&body).unwrap_or(Value::Null)));
            }
            write!(writer, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").ok()?;
        }
    }

    pub fn answers(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    /// Keys and bodies as text, in the order they came.
    pub fn came(&self) -> Vec<(String, String)> {
        self.came.lock().unwrap().iter().map(|(key, body)| (key.clone(), body.to_string())).collect()
    }

    /// Messages about a scope.
    pub fn about(&self, scope: &str) -> Vec<(String, String)> {
        self.came().into_iter().filter(|(_, body)| body.contains(scope)).collect()
    }
}

/// A configuration with one webhook, and debug routes to assert conditions by.
pub fn config(folder: &std::path::Path, receiver: &Receiver, more: &str) -> String {
    let text = format!(
        "web: {{ debug_routes: true }}
drift: {{ enabled: false }}
venues:
  - {{ name: paper, kind: binance_spot, rest_url: embedded, paper_account: demo, symbols: [BTCUSDT] }}
alerts:
  grace_seconds: 2
  channels:
    - {{ name: hook, kind: webhook, reach: loopback, timeout_ms: 2000, webhook: {{ url: '{}' }} }}
{more}",
        receiver.url
    );
    let path = folder.join("plimsoll.yaml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn start(receiver: &Receiver, more: &str) -> (TestApp, tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), receiver, more);
    let app = TestApp::start_with(&["run", "--config", &path], &[]);
    app.until("the router works", |app| !items(app, "/api/v1/channels").is_empty());
    (app, folder, path)
}

fn items(app: &TestApp, path: &str) -> Vec<Value> {
    app.get(path).json()["items"].as_array().cloned().unwrap_or_default()
}

fn condition(app: &TestApp, scope: &str, ends: bool) {
    let body = json!({"code": "drift_detected", "scope": scope, "reason": "a test", "ends": ends});
    let answer = app.send("POST", "/debug/alerts", Some(&body.to_string()));
    assert_eq!(answer.status, 202, "{}", answer.text);
}

fn alert(app: &TestApp, scope: &str) -> Value {
    let path = format!("/api/v1/alerts/drift_detected:{scope}");
    app.until("it is on disk", |app| app.get(&path).status == 200);
    app.get(&path).json()
}

#[test]
fn raised_told_taken_on_ended_and_the_story_of_it() {
    let receiver = Receiver::start();
    let (app, _folder, _) = start(&receiver, "");
    let open = app.get("/api/v1/status").json()["counts"]["alerts_open"].as_u64().unwrap();
    condition(&app, "x-one", false);
    app.until("the message", |_| receiver.about("x-one").len() == 1);
    app.until("it is settled", |app| alert(app, "x-one")["deliveries"][0]["status"] == "delivered");
    let shown = alert(&app, "x-one");
    assert_eq!((&shown["severity"], &shown["runbook"]), (&json!("warning"), &json!("drift_detected")));
    assert!(app.get("/api/v1/status").json()["counts"]["alerts_open"].as_u64().unwrap() > open);
    let id = shown["id"].as_str().unwrap().to_owned();
    assert_eq!(receiver.about("x-one")[0].0, format!("{id}.1.hook"), "alert, transition and channel");
    assert!(items(&app, "/api/v1/alerts").iter().any(|item| item["id"] == id));

    let refused = app.send("POST", &format!("/api/v1/alerts/{id}/ack"), Some("{}"));
    assert_eq!(refused.status, 422, "a reason is asked for");
    let ack = json!({"reason": "on it", "for_seconds": 600}).to_string();
    let acked = app.send("POST", &format!("/api/v1/alerts/{id}/ack"), Some(&ack));
    assert_eq!((acked.status, acked.json()["acked_by"].clone()), (200, json!("loopback")), "{}", acked.text);
    let unknown = app.send("POST", "/api/v1/alerts/none-1/ack", Some(&ack));
    assert_eq!((unknown.status, unknown.json()["code"].clone()), (404, json!("no_such_alert")));
    app.until("its line of the audit", |app| {
        items(app, "/api/v1/audit?limit=1000")
            .iter()
            .any(|line| line["verb"] == "ack" && line["reason"] == "on it" && line["status"] == 200)
    });

    condition(&app, "x-one", true);
    app.until("the end", |_| receiver.about("x-one").len() == 2);
    app.until("over", |app| alert(app, "x-one")["cleared_by"] == "itself");
    let shown = alert(&app, "x-one");
    assert!(items(&app, "/api/v1/alerts").iter().all(|item| item["id"] != id));
    assert!(items(&app, "/api/v1/alerts?status=all").iter().any(|item| item["id"] == id));
    let words: Vec<&str> =
        shown["history"].as_array().unwrap().iter().map(|moment| moment["what"].as_str().unwrap()).collect();
    assert_eq!(words.first(), Some(&"raised"));
    assert!(words.contains(&"acknowledged") && words.contains(&"cleared"), "{words:?}");
    let story = run(&["alerts", "why", &id, "--url", &app.url], None);
    let story = String::from_utf8(story.stdout).unwrap();
    assert!(story.contains("raise on hook: delivered") && story.contains("it is over"), "{story}");
    app.until("the medians know of it", |app| {
        app.get("/api/v1/incidents").json()["medians"]["clear"]["n"].as_u64().unwrap() >= 1
    });
    let incidents = app.get("/api/v1/incidents").json();
    let of_it = incidents["items"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap().clone();
    assert!(of_it["notify_seconds"].is_number() && of_it["acknowledge_seconds"].is_number(), "{of_it}");
    let metrics = app.get("/metrics").text;
    assert!(metrics.contains("plimsoll_alert_deliveries_total{channel=\"hook\",outcome=\"delivered\"}"));
}

#[test]
fn a_receiver_that_was_down_hears_one_late_message_and_the_channel_is_reported() {
    let receiver = Receiver::start();
    receiver.answers(500);
    let (app, _folder, _) = start(&receiver, "");
    condition(&app, "x-late", false);
    app.until("it was tried", |app| alert(app, "x-late")["deliveries"][0]["attempts"].as_u64() >= Some(1));
    condition(&app, "x-late", true);
    app.until("over", |app| alert(app, "x-late")["cleared_at"].is_string());
    app.until("reported", |app| {
        items(app, "/api/v1/alerts").iter().any(|item| item["key"] == "alerting_degraded:hook")
    });
    receiver.answers(200);
    app.until("the late message", |_| !receiver.about("x-late").is_empty());
    app.until("well again", |app| {
        items(app, "/api/v1/alerts").iter().all(|item| item["key"] != "alerting_degraded:hook")
    });
    let settled: Vec<Value> = alert(&app, "x-late")["deliveries"].as_array().unwrap().clone();
    let word =
        |delivery: &Value| format!("{} {}", delivery["transition"], delivery["status"]).replace('"', "");
    assert_eq!(settled.iter().map(word).collect::<Vec<_>>(), ["raise superseded", "late delivered"]);
}

#[test]
fn silences_and_acks_outlive_a_crash_and_a_canary_arrives() {
    let receiver = Receiver::start();
    let (app, _folder, path) = start(&receiver, "");
    let hidden = json!({"code": "drift_*", "scope": "quiet*", "reason": "works", "for_seconds": 600});
    let silence = app.send("POST", "/api/v1/silences", Some(&hidden.to_string()));
    assert_eq!(silence.status, 200, "{}", silence.text);
    let never = json!({"code": "armed_on_stale_truth", "reason": "no", "for_seconds": 60}).to_string();
    assert_eq!(app.send("POST", "/api/v1/silences", Some(&never)).json()["code"], "never_hidden");
    condition(&app, "quiet-1", false);
    condition(&app, "x-loud", false);
    app.until("the loud one", |_| receiver.about("x-loud").len() == 1);
    assert_eq!(alert(&app, "quiet-1")["suppressed_by"]["by"], "silence");
    let id = alert(&app, "x-loud")["id"].as_str().unwrap().to_owned();
    assert!(run(&["ack", &id, "--reason", "mine", "--url", &app.url], None).status.success());
    let data = app.data();
    app.signal("-KILL");
    app.end(std::time::Duration::from_secs(10));

    let app = TestApp::start_on(data, &["run", "--config", &path], &[]);
    condition(&app, "quiet-1", false);
    condition(&app, "x-loud", false);
    app.until("the router works", |app| !items(app, "/api/v1/channels").is_empty());
    assert_eq!(alert(&app, "x-loud")["acked_by"], "loopback");
    assert_eq!(alert(&app, "x-loud")["id"], id, "the same alert, not a new one");
    assert_eq!(items(&app, "/api/v1/silences").len(), 1);
    let test = run(&["alerts", "test", "hook", "--url", &app.url], None);
    assert!(test.status.success(), "{}", String::from_utf8_lossy(&test.stderr));
    app.until("the canary", |_| receiver.about("canary").len() == 1);
    let keys: Vec<String> = receiver.about("x-loud").into_iter().map(|(key, _)| key).collect();
    assert!(keys.len() <= 2 && keys.iter().all(|key| *key == keys[0]), "{:?}", receiver.about("x-loud"));
    assert_eq!(receiver.about("quiet-1").len(), 0);
    let silence = items(&app, "/api/v1/silences")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(app.send("DELETE", &format!("/api/v1/silences/{silence}"), None).status, 200);
    app.until("what it hid is told", |_| receiver.about("quiet-1").len() == 1);
}

#[test]
fn the_list_has_pages_and_the_stream_tells_of_alerts() {
    let receiver = Receiver::start();
    let (app, _folder, _) = start(&receiver, "");
    for n in 0..7 {
        condition(&app, &format!("page-{n}"), false);
    }
    app.until("all are on disk", |app| {
        (0..7).all(|n| app.get(&format!("/api/v1/alerts/drift_detected:page-{n}")).status == 200)
    });
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/api/v1/alerts?limit=3{after}")).json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["key"].to_string()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let own = seen.iter().filter(|key| key.contains("page-")).count();
    assert_eq!(own, 7, "{seen:?}");
    for wrong in ["status=none", "limit=0", "after=x"] {
        assert_eq!(app.get(&format!("/api/v1/alerts?{wrong}")).status, 422, "{wrong}");
    }
    assert_eq!(app.get("/api/v1/alerts/none-1").status, 404);
}
