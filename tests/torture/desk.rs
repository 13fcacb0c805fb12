//! The two processes: an exchange that is never killed, and the runtime that is.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Longest wait for anything that should happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test, without settings from the environment.
pub fn plimsoll() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_plimsoll")))
}

fn clean(mut command: Command) -> Command {
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PLIMSOLL"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command
}

/// A process, what it says, and its end with the test's.
pub struct Process {
    child: Child,
    address: Option<oneshot::Receiver<String>>,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the process starts");
        let (tell, address) = oneshot::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            let mut lines = stdout.lines();
            if let Some(Ok(line)) = lines.next() {
                tell.send(line.rsplit(' ').next().unwrap_or_default().trim().to_owned()).ok();
            }
            // A full pipe would stop the process.
            lines.for_each(drop);
        });
        let log = Arc::new(Mutex::new(String::new()));
        let (stderr, sink) = (child.stderr.take().unwrap(), Arc::clone(&log));
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = sink.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { child, address: Some(address), log, reader: Some(reader) }
    }

    /// The address that it prints first; panics with its log when it ends without one.
    pub async fn address(&mut self) -> String {
        let waiting = self.address.take().expect("asked once");
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Ok(address)) if !address.is_empty() => address,
            other => panic!("no address: {other:?}\n{}", self.log()),
        }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        // The process may just have ended by itself.
        Command::new("kill").args([name, &pid]).stderr(Stdio::null()).status().unwrap();
    }

    /// SIGKILL, and the end awaited.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for the end; answers status, time and log.
    pub async fn end(mut self, within: Duration) -> (ExitStatus, Duration, String) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.has_ended() {
                let took = start.elapsed();
                self.reader.take().unwrap().join().unwrap();
                return (status, took, self.log());
            }
            assert!(start.elapsed() < within, "did not end within {within:?}:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone when the test waited for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client of both processes, with connections that are kept.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(8)).build().unwrap()
}

/// The exchange, the runtime's folder and configuration, and a client.
pub struct Desk {
    pub http: reqwest::Client,
    exchange: Process,
    exchange_url: String,
    folder: tempfile::TempDir,
}

impl Desk {
    /// Starts the exchange and writes a configuration.
    pub async fn open(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = plimsoll();
        command.args(["venue", "--listen", "127.0.0.1:0", "--speed", "4", "--seed", &seed.to_string()]);
        // A start a second spends the venue's minute of request weight; waiting for the next one is not the test.
        command.args(["--weight-per-minute", "100000000"]);
        command.arg("--data-dir").arg(folder.path().join("exchange"));
        let mut exchange = Process::start(command);
        let address = exchange.address().await;
        let desk = Self { http: client(), exchange, exchange_url: format!("http://{address}"), folder };
        std::fs::write(desk.config(), configuration(&desk.exchange_url)).unwrap();
        desk
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("torture.yaml")
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The command that runs the runtime on this desk.
    pub fn command(&self) -> Command {
        let mut command = plimsoll();
        command.args(self.arguments());
        command
    }

    pub fn arguments(&self) -> Vec<String> {
        let (config, data) = (self.config(), self.data());
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let all = ["run", "--listen", "127.0.0.1:0", "--config", &text(&config), "--data-dir", &text(&data)];
        all.map(str::to_owned).to_vec()
    }

    /// Starts the runtime without waiting for anything.
    pub fn spawn(&self) -> Process {
        Process::start(self.command())
    }

    pub fn spawn_as(&self, command: Command) -> Process {
        Process::start(clean(command))
    }

    /// Starts the runtime and waits until it takes orders.
    pub async fn start(&self) -> Runtime {
        let runtime = self.listening(self.spawn()).await;
        runtime.until_ready(&self.http).await;
        runtime
    }

    /// Waits until a spawned runtime answers on its address.
    pub async fn listening(&self, mut process: Process) -> Runtime {
        let url = process.address().await;
        Runtime { process, url }
    }

    pub async fn truth(&self) -> Value {
        let answer = self.http.get(format!("{}/paper/v1/truth", self.exchange_url)).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Holds the market still or lets it go.
    pub async fn hold_market(&self, hold: bool) {
        self.exchange_says("POST", "/paper/v1/market", &json!({ "hold": hold })).await;
    }

    pub async fn plant(&self, fault: &Value) {
        self.exchange_says("POST", "/paper/v1/faults", fault).await;
    }

    pub async fn heal(&self) {
        self.exchange_says("DELETE", "/paper/v1/faults", &json!({})).await;
    }

    async fn exchange_says(&self, verb: &str, path: &str, body: &Value) {
        let verb = reqwest::Method::from_bytes(verb.as_bytes()).unwrap();
        let url = format!("{}{path}", self.exchange_url);
        let answer = self.http.request(verb, url).json(body).send().await.unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{path} {body}: {status} {:?}", answer.text().await);
    }

    /// Best bid and ask at the exchange, as it shows them to anybody.
    pub async fn top(&self, symbol: &str) -> (f64, f64) {
        let url = format!("{}/api/v3/ticker/bookTicker?symbol={symbol}", self.exchange_url);
        let answer: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        let figure = |name: &str| answer[name].as_str().unwrap_or("0").parse().unwrap();
        (figure("bidPrice"), figure("askPrice"))
    }

    pub fn exchange_log(&self) -> String {
        self.exchange.log()
    }
}

/// A running runtime.
pub struct Runtime {
    pub process: Process,
    pub url: String,
}

impl Runtime {
    pub async fn get(&self, http: &reqwest::Client, path: &str) -> Option<(u16, Value)> {
        answer(http.get(format!("{}{path}", self.url)).send().await).await
    }

    pub async fn post(&self, http: &reqwest::Client, path: &str, body: &Value) -> Option<(u16, Value)> {
        let key = format!("t-{:x}", fastrand::u64(..));
        let request = http.post(format!("{}{path}", self.url)).header("Idempotency-Key", key);
        answer(request.json(body).send().await).await
    }

    /// One of the words that need the state that was seen.
    pub async fn control(&self, http: &reqwest::Client, verb: &str, seen: &str) -> Option<(u16, Value)> {
        let request = http
            .post(format!("{}/api/v1/controls/{verb}", self.url))
            .header("Idempotency-Key", format!("{verb}-{:x}", fastrand::u64(..)))
            .header("If-Match", seen)
            .json(&json!({"reason": "torture"}));
        answer(request.send().await).await
    }

    pub async fn until_ready(&self, http: &reqwest::Client) {
        self.until(http, "/readyz", |status, _| status == 200).await;
    }

    /// Asks until the answer is good; panics with the log when it never is.
    pub async fn until(&self, http: &reqwest::Client, path: &str, good: impl Fn(u16, &Value) -> bool) {
        let start = Instant::now();
        let mut last = None;
        while start.elapsed() < PATIENCE {
            last = self.get(http, path).await;
            if last.as_ref().is_some_and(|(status, body)| good(*status, body)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{path} is still {last:?}\n{}", self.process.log());
    }
}

async fn answer(sent: reqwest::Result<reqwest::Response>) -> Option<(u16, Value)> {
    let response = sent.ok()?;
    let status = response.status().as_u16();
    let text = response.text().await.ok()?;
    Some((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

/// Both demo strategies and `manual`, in short windows, so that doubt is settled within a second or two.
fn configuration(exchange: &str) -> String {
    let limits = include_str!("../../config/rehearsal-limits.yaml");
    format!(
        "deployment: {{ name: torture, environment: development, instance: local }}
web: {{ debug_routes: true }}
# A wedged order management is given up sooner than an operator's would be: a round must not take a minute.
supervision: {{ children: {{ order_path/oms: {{ hang: {{ wait_ms: 8000 }} }} }} }}
{limits}venues:
  - name: paper
    kind: binance_spot
    rest_url: {exchange}
    paper_account: demo
    symbols: [BTCUSDT, ETHUSDT]
    recv_window_ms: 500
    visibility_window_ms: 1500
    order_timeout_ms: 1000
strategies:
  - name: quoter
    kind: two_sided_quoter
    venue: paper
    symbol: BTCUSDT
    on_unknown: requeue
    parameters:
      spread: 0.00005
      size: 0.0005
      levels: 2
      level_step: 0.00003
      requote_threshold: 0.000025
      inventory_limit: 0.02
      inventory_skew: 0.00005
      requote_interval_ms: 50
  - name: reversion
    kind: mean_reversion_taker
    venue: paper
    symbol: ETHUSDT
    on_unknown: cancel
    parameters:
      window: 20
      sample_ms: 50
      entry: 1.2
      exit: 0.3
      size: 0.01
      max_position: 0.2
      allow_short: true
      price_cap: 0.001
      cooldown_ms: 100
  - name: manual
    kind: manual
    on_unknown: adopt
orders:
  inflight_check_interval_ms: 250
  inflight_check_threshold_ms: 1000
  open_check_interval_ms: 1000
  open_check_threshold_ms: 1000
  open_check_missing_retries: 2
  position_check_interval_ms: 1000
"
    )
}
