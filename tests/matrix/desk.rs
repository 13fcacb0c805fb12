//! One row's world: an exchange in this process, the real binary as a child, and a webhook receiver.

use crate::rows::{Break, Receiver, Row};
use crate::support::certs::tls;
use crate::support::http_sink::{HttpSink, Reply};
use crate::support::smtp_sink::{Setup, SmtpSink};
use plimsoll::paper_exchange::config::MarketConfig;
use plimsoll::paper_exchange::{PaperConfig, PaperExchange, Running};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub const PATIENCE: Duration = Duration::from_secs(60);

/// Answers like this once told to misbehave, and well before and after.
#[derive(Clone, Default)]
pub struct Mood(Arc<AtomicBool>);

impl Mood {
    pub fn set(&self, bad: bool) {
        self.0.store(bad, Ordering::SeqCst);
    }

    fn is_bad(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A mail server that is not there yet: its port, and its end of TLS.
struct Mail {
    port: u16,
    setup: Setup,
    sink: Option<SmtpSink>,
}

pub struct Desk {
    mail: Option<Mail>,
    exchange: Option<Running>,
    child: Child,
    url: String,
    client: reqwest::Client,
    pub hook: HttpSink,
    pub mood: Mood,
    pub log: Arc<Mutex<String>>,
    pub data: tempfile::TempDir,
}

impl Desk {
    pub async fn start(row: &Row) -> Self {
        let mood = Mood::default();
        let hook = receiver(row, mood.clone()).await;
        let market = MarketConfig { seed: 7, ..MarketConfig::default() };
        let exchange = PaperExchange::start(PaperConfig { market, ..PaperConfig::default() }).unwrap();
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("matrix.yaml");
        let mail = (row.breaks == Break::Receiver(Receiver::NoMail)).then(|| {
            // Free a moment ago, and nobody listens there until the healing.
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let setup = Setup {
                is_implicit: true,
                login: None,
                ..Setup::new(tls(data.path(), &["localhost"]).acceptor)
            };
            Mail { port, setup, sink: None }
        });
        let port = mail.as_ref().map(|mail| mail.port);
        let text = settings(row, &exchange.addr().to_string(), &hook.url("/hook"), port, data.path());
        std::fs::write(&file, text).unwrap();
        let mut child = command()
            .args(["run", "--listen", "127.0.0.1:0", "--config"])
            .arg(&file)
            .arg("--data-dir")
            .arg(data.path().join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (stderr, sink) = (child.stderr.take().unwrap(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = sink.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        if !url.starts_with("http://127.0.0.1:") {
            std::thread::sleep(Duration::from_millis(300));
            panic!("{}: no address in {line:?}: {}", row.name, log.lock().unwrap());
        }
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        Self { mail, exchange: Some(exchange), child, url, client, hook, mood, log, data }
    }

    /// The mail server begins to listen.
    pub async fn mend_mail(&mut self) {
        if let Some(mail) = &mut self.mail {
            mail.sink = Some(SmtpSink::start_on(mail.setup.clone(), mail.port).await);
        }
    }

    /// The texts of the mails that arrived about a scope.
    pub fn mails(&self, scope: &str) -> Vec<String> {
        let sink = self.mail.as_ref().and_then(|mail| mail.sink.as_ref());
        let mails = sink.map(SmtpSink::mails).unwrap_or_default();
        mails.into_iter().map(|mail| mail.data).filter(|text| text.contains(scope)).collect()
    }

    /// A condition that holds, or holds no longer.
    pub async fn condition(&self, scope: &str, ends: bool) {
        let body = json!({"code": "drift_detected", "scope": scope, "reason": "a test", "ends": ends});
        let (status, answer) = self.ask("POST", "/debug/alerts", Some(body)).await.unwrap();
        assert_eq!(status, 202, "{answer}");
    }

    /// Status and body; `None` when nobody answered.
    pub async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Option<(u16, Value)> {
        self.send(method, &format!("{}{path}", self.url), body).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, None).await.map(|(_, body)| body).unwrap_or_default()
    }

    async fn send(&self, method: &str, url: &str, body: Option<Value>) -> Option<(u16, Value)> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let text = answer.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Plants a fault, or several in their order; heals all of them without one.
    pub async fn fault(&self, fault: Option<&str>) {
        let url = format!("http://{}/paper/v1/faults", self.exchange.as_ref().unwrap().addr());
        let said: Option<serde_json::Value> = fault.map(|text| serde_json::from_str(text).unwrap());
        let bodies = match said {
            None => vec![None],
            Some(serde_json::Value::Array(all)) => all.into_iter().map(Some).collect(),
            Some(one) => vec![Some(one)],
        };
        for body in bodies {
            let method = if body.is_some() { "POST" } else { "DELETE" };
            let (status, answer) = self.send(method, &url, body).await.unwrap();
            assert!(status < 300, "{status} {answer}");
        }
    }

    /// Waits until it trades, its channels have nothing to do, and nothing stands.
    pub async fn until_calm(&self, row: &str) {
        let began = Instant::now();
        loop {
            let ready = self.ask("GET", "/readyz", None).await;
            if let Some((200, _)) = &ready
                && self.codes().await.is_empty()
            {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{row}: never ready: {ready:?}\n{}",
                self.log.lock().unwrap()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The codes of all alerts that stand.
    pub async fn codes(&self) -> Vec<String> {
        let alerts = self.get("/api/v1/alerts?status=open").await;
        let items = alerts["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|alert| alert["code"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// An order of a person: small, far from the market, and gone again.
    pub async fn order(&self) {
        let order = json!({
            "symbol": "BTCUSDT", "side": "buy", "type": "limit", "quantity": "0.001", "price": "20000",
            "strategy": "manual",
        });
        let placed = self.ask("POST", "/api/v1/orders", Some(order)).await;
        let Some((202, placed)) = placed else { return };
        let id = placed["client_order_id"].as_str().unwrap_or_default().to_owned();
        self.ask("DELETE", &format!("/api/v1/orders/{id}"), None).await;
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // Already gone when it ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(exchange) = self.exchange.take() {
            let _ = exchange.stop();
        }
    }
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PLIMSOLL"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command
}

async fn receiver(row: &Row, mood: Mood) -> HttpSink {
    let Break::Receiver(kind) = row.breaks else { return HttpSink::always(Reply::status(200)).await };
    HttpSink::start(move |_| match kind {
        _ if !mood.is_bad() => Reply::status(200),
        Receiver::Fails => Reply::status(500),
        Receiver::Slow => Reply::After(Duration::from_secs(3), Box::new(Reply::status(200))),
        Receiver::Redirects => Reply::Answer {
            status: 302,
            headers: vec![("location", "http://169.254.169.254/latest/meta-data/".to_owned())],
            body: Vec::new(),
        },
        Receiver::NoMail => Reply::status(200),
    })
    .await
}

fn settings(row: &Row, exchange: &str, hook: &str, mail: Option<u16>, folder: &std::path::Path) -> String {
    let limits = include_str!("../../config/rehearsal-limits.yaml");
    let mail = mail.map_or_else(String::new, |port| {
        let authority = folder.join("ca.pem");
        format!(
            "    - {{ name: mail, kind: email, reach: loopback, timeout_ms: 1000, ca_file: \"{}\", email: {{ host: localhost, port: {port}, tls: implicit, from: a@example.org, to: [b@example.org] }} }}\n",
            authority.display()
        )
    });
    format!(
        "deployment: {{ name: matrix, environment: development, instance: local }}
telemetry: {{ log_level: info }}
web: {{ debug_routes: true }}
{limits}venues:
  - name: paper
    kind: binance_spot
    rest_url: http://{exchange}
    paper_account: demo
    symbols: [BTCUSDT]
    recv_window_ms: 500
    visibility_window_ms: 1500
    order_timeout_ms: 1000
strategies:
  - name: quoter
    kind: two_sided_quoter
    venue: paper
    symbol: BTCUSDT
    on_unknown: requeue
    parameters: {{ spread: 0.00005, size: 0.0005, requote_threshold: 0.000025, inventory_limit: 0.02, inventory_skew: 0.00005, requote_interval_ms: 200 }}
  - {{ name: manual, kind: manual, on_unknown: adopt }}
heartbeat: {{ interval_ms: 1000 }}
sentinel:
  tick_ms: 100
  stale_after_ms: 2000
  disconnected_after_ms: 2000
  containment:
    - {{ on: venue_quotes_stale, do: pause, budget: 3, per_seconds: 600 }}
alerts:
  channels:
    - {{ name: hook, kind: webhook, reach: loopback, timeout_ms: 1000, webhook: {{ url: \"{hook}\" }} }}
{mail}{extra}",
        extra = row.config
    )
}
