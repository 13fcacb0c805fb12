//! What a drill is run on: an exchange, a runtime with its own folder, and a client that asks like any other.

use super::sinks::Inbox;
use crate::app::{App, Launch};
use crate::config::{ProcessEnv, Settings, Source, load_source};
use crate::paper_exchange::config::MarketConfig;
use crate::paper_exchange::{PaperConfig, PaperExchange, Running};
use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Limits wide enough for what a drill trades.
const LIMITS: &str = include_str!("../../../config/rehearsal-limits.yaml");
/// Longest wait for anything to come up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the drill looks.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// Where the receivers are.
pub(super) struct Receivers {
    pub(super) web: (SocketAddr, Inbox),
    pub(super) mail: (SocketAddr, PathBuf, Inbox),
}

/// A folder that goes with the drill.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn make(below: &Path) -> anyhow::Result<Self> {
        let folder = below.join(format!("plimsoll-drill-{}-{:x}", std::process::id(), fastrand::u32(..)));
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left has a name that says what it was.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// See the module's head.
pub(super) struct Desk {
    exchange: Option<Running>,
    url: String,
    client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Desk {
    pub(super) fn start(folder: &Path, stale_ms: u64, receivers: &Receivers) -> anyhow::Result<Self> {
        let market = MarketConfig { seed: 1, ..MarketConfig::default() };
        let exchange = PaperExchange::start(PaperConfig { market, ..PaperConfig::default() })?;
        let yaml = settings(folder, exchange.addr(), stale_ms, receivers);
        let source = Source::new("drill.yaml (built in)", &yaml)?;
        let loaded = load_source::<Settings>(Some(source), &ProcessEnv, &[]);
        let loaded = loaded.map_err(|errors| anyhow::anyhow!("the drill's own settings: {errors}"))?;
        let hash = loaded.hash()?;
        let app = App::build(loaded.settings, &loaded.document, hash, Launch::warm())?;
        let url = format!("http://{}", app.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("runtime".to_owned()).spawn(move || {
            let run = app.run(async {
                // Dropped means that the drill has failed: the runtime ends all the same.
                let _ = stopped.await;
            });
            actix_rt::System::new().block_on(run).map(drop).map_err(anyhow::Error::from)
        })?;
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        Ok(Self { exchange: Some(exchange), url, client, stop: Some(stop), thread: Some(thread) })
    }

    /// Status and body of an answer of the runtime.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<(u16, Value)> {
        self.send(method, &format!("{}{path}", self.url), body).await
    }

    /// The body of `GET path` of the runtime.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.ask(Method::GET, path, None).await?.1)
    }

    /// Plants a fault at the exchange, or heals all of them.
    pub(super) async fn fault(&self, fault: Option<Value>) -> anyhow::Result<()> {
        let exchange = self.exchange.as_ref().context("the exchange has ended")?;
        let url = format!("http://{}/paper/v1/faults", exchange.addr());
        let method = if fault.is_some() { Method::POST } else { Method::DELETE };
        let (status, answer) = self.send(method, &url, fault).await?;
        if status >= 300 {
            bail!("the exchange took no fault: {status} {answer}");
        }
        Ok(())
    }

    async fn send(&self, method: Method, url: &str, body: Option<Value>) -> anyhow::Result<(u16, Value)> {
        let mut request = self.client.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// Waits until the runtime is ready to trade.
    pub(super) async fn until_ready(&self) -> anyhow::Result<()> {
        let began = crate::clock::monotonic();
        loop {
            let answer = self.ask(Method::GET, "/readyz", None).await;
            if let Ok((200, _)) = &answer {
                return Ok(());
            }
            if since(began) > PATIENCE {
                let failing = answer.map(|(_, body)| body.get("failing").cloned()).ok().flatten();
                bail!("the runtime is not ready after {PATIENCE:?}: {failing:?}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Ends the runtime, then the exchange.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.end()?;
        if let Some(exchange) = self.exchange.take() {
            exchange.stop()?;
        }
        Ok(())
    }

    fn end(&mut self) -> anyhow::Result<()> {
        drop(self.stop.take());
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => bail!("the runtime's thread panicked"),
            None => Ok(()),
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // After a failure there is nobody left to tell.
        let _ = self.end();
    }
}

/// How long ago.
pub(super) fn since(at: Instant) -> Duration {
    crate::clock::monotonic().saturating_duration_since(at)
}

fn settings(folder: &Path, exchange: SocketAddr, stale_ms: u64, receivers: &Receivers) -> String {
    let (web, mail, ca) = (receivers.web.0, receivers.mail.0, receivers.mail.1.display());
    format!(
        "deployment: {{ name: drill, environment: development, instance: local }}
telemetry: {{ log_level: warn }}
web: {{ listen: 127.0.0.1:0 }}
data_dir: {data}
venues:
  - {{ name: paper, kind: binance_spot, rest_url: \"http://{exchange}\", paper_account: demo, symbols: [BTCUSDT] }}
strategies:
  - name: quoter
    kind: two_sided_quoter
    venue: paper
    symbol: BTCUSDT
    on_unknown: cancel
    parameters: {{ spread: 0.00005, size: 0.0005, requote_threshold: 0.00002, inventory_limit: 0.01, inventory_skew: 0.0001, requote_interval_ms: 500 }}
  - {{ name: manual, kind: manual, on_unknown: hold }}
orders: {{ at_shutdown: cancel, position_check_interval_ms: 5000 }}
sentinel:
  tick_ms: 100
  expected_interval_ms: {expected}
  stale_after_ms: {stale_ms}
  containment:
    - {{ on: venue_quotes_stale, do: pause, budget: 3, per_seconds: 600 }}
alerts:
  channels:
    - {{ name: hook, kind: webhook, reach: loopback, timeout_ms: 5000, webhook: {{ url: \"http://{web}/alerts\" }} }}
    - name: mail
      kind: email
      reach: loopback
      timeout_ms: 5000
      ca_file: \"{ca}\"
      email: {{ host: localhost, port: {port}, tls: implicit, from: plimsoll@example.org, to: [ops@example.org] }}
{LIMITS}",
        data = folder.join("data").display(),
        expected = stale_ms.div_euclid(2).max(100),
        port = mail.port(),
    )
}
