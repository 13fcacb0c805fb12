//! SIGKILL at random instants while alerts are raised, taken on and ended: no transition lost, no delivery lost, at most
//! one message per channel repeated by a kill and that under the same key; silences, acknowledgements and escalation
//! clocks intact. Real process, real receivers.

use super::blows::{nightly, seed};
use super::desk::{PATIENCE, Process, Runtime, client, plimsoll};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Conditions that come and go.
const SCOPES: usize = 24;
/// Room for what still stood when it was told a second time.
const ESCALATES_MS: u64 = 1_000;

/// A receiver that remembers each message's key, in the order they came.
#[derive(Clone)]
struct Receiver {
    url: String,
    keys: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    fn start(slow: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let own = Self { url, keys: Arc::default() };
        let receiver = own.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let receiver = receiver.clone();
                std::thread::spawn(move || receiver.serve(socket, slow));
            }
        });
        own
    }

    fn serve(&self, socket: TcpStream, slow: Duration) -> Option<()> {
        let mut writer = socket.try_clone().ok()?;
        let mut reader = BufReader::new(socket);
        loop {
            let (mut key, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                let Some((name, value)) = line.split_once(':') else {
                    if line == "\r\n" {
                        break;
                    }
                    continue;
                };
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().ok()?,
                    "idempotency-key" => key = value.trim().to_owned(),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            self.keys.lock().unwrap().push(key);
            // So that a kill may fall between the message and its answer.
            std::thread::sleep(slow);
            writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").ok()?;
        }
    }

    fn keys(&self) -> Vec<String> {
        self.keys.lock().unwrap().clone()
    }
}

fn configuration(first: &Receiver, second: &Receiver) -> String {
    format!(
        "web: {{ debug_routes: true, listen: 127.0.0.1:0 }}
venues:
  - {{ name: paper, kind: binance_spot, rest_url: embedded, paper_account: demo, symbols: [BTCUSDT] }}
alerts:
  grace_seconds: 600
  channels:
    - {{ name: first, kind: webhook, reach: loopback, webhook: {{ url: '{}' }} }}
    - {{ name: second, kind: webhook, reach: loopback, webhook: {{ url: '{}' }} }}
  policies:
    - name: all
      severities: [info, warning, critical]
      steps: [{{ after_seconds: 0, notify: [first] }}, {{ after_seconds: 1, notify: [second] }}]
",
        first.url, second.url
    )
}

async fn start(folder: &Path, http: &reqwest::Client) -> Runtime {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (config, data) = (folder.join("alerts.yaml"), folder.join("data"));
    let mut command = plimsoll();
    command.args(["run", "--config", &text(&config), "--data-dir", &text(&data)]);
    let mut process = Process::start(command);
    let url = process.address().await;
    let runtime = Runtime { process, url };
    runtime
        .until(http, "/api/v1/channels", |_, body| body["items"].as_array().is_some_and(|all| all.len() == 2))
        .await;
    runtime
}

/// Says that a condition holds, or no longer does. A process that was just killed does not hear it.
async fn say(runtime: &Runtime, http: &reqwest::Client, scope: usize, holds: bool) {
    let body = json!({"code": "drift_detected", "scope": format!("s{scope}"), "ends": !holds});
    runtime.post(http, "/debug/alerts", &body).await;
}

/// Every alert on record, by id.
async fn on_record(runtime: &Runtime, http: &reqwest::Client) -> Option<BTreeMap<String, Value>> {
    let (mut found, mut after) = (BTreeMap::new(), String::new());
    loop {
        let (status, page) =
            runtime.get(http, &format!("/api/v1/alerts?status=all&limit=1000{after}")).await?;
        if status != 200 {
            return None;
        }
        for item in page["items"].as_array()? {
            // Without an incident it is a condition that is not on disk yet.
            if item["incident"].is_string() {
                found.insert(item["id"].as_str()?.to_owned(), item.clone());
            }
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Some(found),
        }
    }
}

#[tokio::test]
async fn killed_under_alert_load_nothing_is_lost_and_at_most_one_message_per_channel_is_repeated() {
    let mut rng = fastrand::Rng::with_seed(seed());
    let folder = tempfile::tempdir().unwrap();
    let http = client();
    let (first, second) =
        (Receiver::start(Duration::from_millis(4)), Receiver::start(Duration::from_millis(2)));
    std::fs::write(folder.path().join("alerts.yaml"), configuration(&first, &second)).unwrap();
    let rounds: usize = if nightly() { 100 } else { 10 };
    let mut holds: BTreeSet<usize> = BTreeSet::new();
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    let mut acked: BTreeSet<String> = BTreeSet::new();

    let mut runtime = start(folder.path(), &http).await;
    let silence = json!({"code": "clock_*", "scope": "*", "reason": "torture", "for_seconds": 86_400});
    assert_eq!(runtime.post(&http, "/api/v1/silences", &silence).await.unwrap().0, 200);
    for round in 1..=rounds {
        let until = Instant::now() + Duration::from_millis(rng.u64(300..1_800));
        while Instant::now() < until {
            let scope = rng.usize(..SCOPES);
            let now_holds = if holds.remove(&scope) { false } else { holds.insert(scope) };
            say(&runtime, &http, scope, now_holds).await;
            if rng.u8(..8) == 0
                && let Some(record) = on_record(&runtime, &http).await
            {
                // Whatever was read is on disk: it may never be unknown again.
                let open: Vec<&String> = record
                    .iter()
                    .filter(|(_, alert)| alert["cleared_at"].is_null())
                    .map(|(id, _)| id)
                    .collect();
                if let Some(id) = open.get(rng.usize(..open.len().max(1))) {
                    let path = format!("/api/v1/alerts/{id}/ack");
                    let answer = runtime.post(&http, &path, &json!({"reason": "torture"})).await;
                    if answer.is_some_and(|(status, _)| status == 200) {
                        acked.insert((*id).clone());
                    }
                }
                seen.extend(record);
            }
            tokio::time::sleep(Duration::from_millis(rng.u64(..12))).await;
        }
        runtime.process.kill();
        runtime = start(folder.path(), &http).await;
        // Components assert anew what they find; the rest has ended meanwhile.
        for scope in 0..SCOPES {
            say(&runtime, &http, scope, holds.contains(&scope)).await;
            if !holds.contains(&scope) {
                // It stood before the kill and is over now: asserted and retracted, it ends.
                say(&runtime, &http, scope, true).await;
                say(&runtime, &http, scope, false).await;
            }
        }
        println!("round {round}: {} hold, {} seen, {} messages", holds.len(), seen.len(), first.keys().len());
    }
    for scope in std::mem::take(&mut holds) {
        say(&runtime, &http, scope, false).await;
    }
    let quiet = |body: &Value| {
        body["items"].as_array().is_some_and(|all| all.iter().all(|channel| channel["waiting"] == 0))
    };
    let start = Instant::now();
    let record = loop {
        assert!(start.elapsed() < PATIENCE, "never settled\n{}", runtime.process.log());
        runtime.until(&http, "/api/v1/channels", |_, body| quiet(body)).await;
        let record = on_record(&runtime, &http).await.unwrap();
        let settled = record.values().all(|alert| {
            let own = alert["code"] == "drift_detected";
            let final_ones = alert["deliveries"].as_array().unwrap().iter();
            (!own || alert["cleared_at"].is_string())
                && final_ones
                    .clone()
                    .all(|one| !matches!(one["status"].as_str(), Some("pending" | "claimed")))
        });
        if settled {
            break record;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    check(&record, &seen, &acked);
    for (receiver, channel) in [(&first, "first"), (&second, "second")] {
        check_channel(&record, &receiver.keys(), channel, rounds);
    }
    let (_, silences) = runtime.get(&http, "/api/v1/silences").await.unwrap();
    assert_eq!(silences["items"].as_array().unwrap().len(), 1, "the silence was lost");
}

/// What was ever read is still there, and no word was taken back.
fn check(record: &BTreeMap<String, Value>, seen: &BTreeMap<String, Value>, acked: &BTreeSet<String>) {
    assert!(
        seen.len() > 5 && !acked.is_empty(),
        "too little happened: {} seen, {} acked",
        seen.len(),
        acked.len()
    );
    for (id, before) in seen {
        let now = record.get(id).unwrap_or_else(|| panic!("{id} was lost"));
        assert_eq!(now["raised_at"], before["raised_at"], "{id}");
        if before["cleared_at"].is_string() {
            assert_eq!(now["cleared_at"], before["cleared_at"], "{id} was over");
        }
    }
    for id in acked {
        assert!(record[id]["acked_by"].is_string(), "the acknowledgement of {id} was lost");
    }
}

/// Every delivery that counts as delivered arrived, and repetitions are few and under the same key.
fn check_channel(record: &BTreeMap<String, Value>, keys: &[String], channel: &str, kills: usize) {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for key in keys {
        *times.entry(key.as_str()).or_default() += 1;
    }
    let repeated: usize = times.values().map(|count| count - 1).sum();
    assert!(repeated <= kills, "{channel}: {repeated} repeated by {kills} kills");
    let mut delivered = 0;
    for alert in record.values() {
        let mut escalated = 0;
        for delivery in alert["deliveries"].as_array().unwrap() {
            if delivery["channel"] != channel {
                continue;
            }
            let name = delivery["within"].as_str().or(delivery["key"].as_str()).unwrap();
            escalated += usize::from(delivery["transition"] == "escalated");
            if delivery["status"] == "delivered" {
                delivered += 1;
                assert!(times.contains_key(name), "{channel}: {name} counts as delivered and never came");
            } else {
                assert_eq!(delivery["status"], "superseded", "{delivery}");
            }
        }
        assert!(escalated <= 1, "{channel}: a step was taken twice: {alert}");
        let told = alert["deliveries"].as_array().unwrap().iter().any(|one| one["channel"] == channel);
        assert!(
            channel != "first" || alert["code"] != "drift_detected" || told,
            "nobody was told of {alert}"
        );
    }
    println!(
        "{channel}: {delivered} delivered, {} keys, {repeated} repeated, steps after {ESCALATES_MS} ms",
        times.len()
    );
}
