//! `plimsoll bench alerts`: from a condition to the message at its receiver, everything on disk before it is said; the
//! intake of ten thousand alerts; the list with ten thousand that stand.
//!
//! Runtime, receiver and reader share this process and its processors; the exchange stands still in another one.

use super::super::exchange::{Exchange, cpu_of, resident_mib};
use super::super::floor::Floor;
use super::super::report::{Figure, Machine, Report, Target, millis, percentile};
use super::sink::Sink;
use crate::actors::alert_board::AlertBoard;
use crate::actors::alert_router::AlertReadings;
use crate::app::{App, Launch};
use crate::clock;
use crate::config::{ProcessEnv, Settings, Source, load_source};
use crate::domain::alert::{AlertKey, Condition};
use anyhow::{Context as _, bail};
use clap::Args;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// Wide limits: nothing is traded here.
const LIMITS: &str = include_str!("../../../../config/rehearsal-limits.yaml");
/// Alerts of the latency figure, and the pause between them.
const SINGLE: u32 = 600;
const PAUSE: Duration = Duration::from_millis(10);
/// Alerts of the intake figure.
const MANY: u32 = 10_000;
/// Pages that are read.
const PAGES: usize = 300;
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Options of `plimsoll bench alerts`.
#[derive(Debug, Args)]
pub struct AlertsArgs {
    /// A directory on the disk to be measured; what is written there is removed afterwards.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data_dir: PathBuf,
}

/// The runtime in this process.
struct Runtime {
    address: SocketAddr,
    board: AlertBoard,
    readings: AlertReadings,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
}

fn start(folder: &Path, exchange: &str, hook: SocketAddr) -> anyhow::Result<Runtime> {
    let yaml = format!(
        "deployment: {{ name: bench, environment: development, instance: local }}
telemetry: {{ log_level: 'off' }}
web: {{ listen: 127.0.0.1:0 }}
data_dir: {}
venues:
  - {{ name: paper, kind: binance_spot, rest_url: http://{exchange}, paper_account: demo, symbols: [BTCUSDT] }}
strategies:
  - {{ name: bench, kind: manual, on_unknown: adopt }}
alerts:
  channels:
    - {{ name: hook, kind: webhook, reach: loopback, webhook: {{ url: 'http://{hook}/' }} }}
{LIMITS}",
        folder.join("data").display()
    );
    let source = Source::new("bench.yaml", &yaml)?;
    let loaded = load_source::<Settings>(Some(source), &ProcessEnv, &[]);
    let loaded = loaded.map_err(|errors| anyhow::anyhow!("the bench's own settings: {errors}"))?;
    let hash = loaded.hash()?;
    let app = App::build(loaded.settings, &loaded.document, hash, Launch::warm())?;
    let (address, (board, readings)) = (app.address(), app.alerts());
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name("runtime".to_owned()).spawn(move || {
        let run = app.run(async {
            // Dropped means that the bench has failed: the runtime ends all the same.
            let _ = stopped.await;
        });
        actix_rt::System::new().block_on(run).map(drop).map_err(anyhow::Error::from)
    })?;
    Ok(Runtime { address, board, readings, stop, thread })
}

fn until(what: &str, good: impl Fn() -> bool) -> anyhow::Result<()> {
    let began = clock::monotonic();
    while !good() {
        if clock::monotonic().saturating_duration_since(began) > PATIENCE {
            bail!("never: {what}");
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    Ok(())
}

/// Measures everything.
///
/// # Errors
/// When a process cannot be started or a message never arrives.
pub fn measure(args: &AlertsArgs) -> anyhow::Result<Report> {
    let machine = Machine::read();
    let exchange = Exchange::spawn(&[])?;
    let folder = args.data_dir.join(format!("bench-alerts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let figures = in_folder(&folder, &exchange.address);
    // What is left has a name that says what it was.
    let _ = std::fs::remove_dir_all(&folder);
    Ok(Report { machine, figures: figures? })
}

fn in_folder(folder: &Path, exchange: &str) -> anyhow::Result<Vec<Figure>> {
    let floor = Floor::measure(folder)?;
    let floor = millis(percentile(&floor.overwrite, 50));
    let mut figures = vec![Figure::plain("4 KiB overwritten + fdatasync, p50", floor, "ms", Duration::ZERO)];
    let sink = Sink::start()?;
    let runtime = start(folder, exchange, sink.address)?;
    until("the router works", || runtime.readings.latest().ready)?;
    figures.extend(singles(&runtime, &sink)?);
    figures.extend(flood(&runtime)?);
    figures.extend(lists(runtime.address)?);
    // Nobody waits for it any more when the runtime has ended by itself.
    let _ = runtime.stop.send(());
    match runtime.thread.join() {
        Ok(ended) => ended?,
        Err(_) => bail!("the runtime panicked"),
    }
    Ok(figures)
}

/// One alert after the other: from the condition to the message at its receiver.
fn singles(runtime: &Runtime, sink: &Sink) -> anyhow::Result<Vec<Figure>> {
    let cpu = cpu_of("self");
    let mut took = Vec::new();
    // The first ones warm up caches, connections and the write-ahead log; not counted.
    for n in 0..SINGLE.saturating_add(SINGLE.div_euclid(10)) {
        let began = clock::monotonic();
        runtime.board.report(Condition::new("drift_detected", format!("single-{n}"), "a bench"));
        let arrived = sink.arrived.recv_timeout(PATIENCE).context("a message never arrived")?;
        if n >= SINGLE.div_euclid(10) {
            took.push(arrived.saturating_duration_since(began));
        }
        // The load is a person's, not a benchmark's: one alert at a time, its outcome on disk before the next.
        std::thread::park_timeout(PAUSE);
    }
    took.sort_unstable();
    let cpu = cpu_of("self").saturating_sub(cpu);
    let p = |percent| millis(percentile(&took, percent));
    let name = "raise to webhook, on disk before it is sent";
    Ok(vec![
        Figure::plain(format!("{name}, p50"), p(50), "ms", cpu).with_target(Target::AtMost(3.0)),
        Figure::plain(format!("{name}, p95"), p(95), "ms", cpu),
        Figure::plain(format!("{name}, p99"), p(99), "ms", cpu).with_target(Target::AtMost(25.0)),
    ])
}

/// Ten thousand at once, each on disk.
fn flood(runtime: &Runtime) -> anyhow::Result<Vec<Figure>> {
    let before = runtime.readings.open();
    let (cpu, at_rest) = (cpu_of("self"), resident_mib("self"));
    let began = clock::monotonic();
    for n in 0..MANY {
        runtime.board.report(Condition::new("drift_detected", format!("many-{n}"), "a bench"));
    }
    let wanted = before.saturating_add(usize::try_from(MANY).unwrap_or(usize::MAX));
    until("all of them are on disk", || runtime.readings.open() >= wanted)?;
    let took = clock::monotonic().saturating_duration_since(began);
    let cpu = cpu_of("self").saturating_sub(cpu);
    let rate = f64::from(MANY) / took.as_secs_f64();
    let last = AlertKey::new("drift_detected", &format!("many-{}", MANY.saturating_sub(1)));
    if !runtime.readings.stands(&last) {
        bail!("{last} does not stand");
    }
    let drained = || runtime.readings.latest().channels.iter().all(|channel| channel.reading.waiting == 0);
    until("every message was delivered", drained)?;
    let told = clock::monotonic().saturating_duration_since(began);
    let memory = resident_mib("self");
    Ok(vec![
        Figure::plain("10,000 alerts taken in, each on disk", rate, "/s", cpu)
            .with_target(Target::AtLeast(5_000.0)),
        Figure::plain("10,000 alerts told, bundled", told.as_secs_f64(), "s", cpu),
        Figure::plain("resident memory before them", at_rest, "MiB", Duration::ZERO),
        Figure::plain("resident memory with 10,000 open, receiver and reader too", memory, "MiB", cpu)
            .with_target(Target::AtMost(100.0)),
    ])
}

/// Pages of the list.
fn lists(address: SocketAddr) -> anyhow::Result<Vec<Figure>> {
    let cpu = cpu_of("self");
    let local = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut took: Vec<Duration> = local.block_on(async {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let (mut took, mut after) = (Vec::new(), String::new());
        for _ in 0..PAGES {
            let url = format!("http://{address}/api/v1/alerts?status=open&limit=100{after}");
            let began = clock::monotonic();
            let page: serde_json::Value = http.get(url).send().await?.error_for_status()?.json().await?;
            took.push(clock::monotonic().saturating_duration_since(began));
            after = match page.get("next").and_then(serde_json::Value::as_str) {
                Some(next) => format!("&after={next}"),
                None => String::new(),
            };
        }
        anyhow::Ok(took)
    })?;
    took.sort_unstable();
    let cpu = cpu_of("self").saturating_sub(cpu);
    let p = |percent| millis(percentile(&took, percent));
    Ok(vec![
        Figure::plain("list of 100 with 10,000 open, p50", p(50), "ms", cpu),
        Figure::plain("list of 100 with 10,000 open, p99", p(99), "ms", cpu)
            .with_target(Target::AtMost(50.0)),
    ])
}
