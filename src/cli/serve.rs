//! `plimsoll demo` and `plimsoll run`: the runtime in the foreground until a signal, `--for`, or a halt.

use super::config::refuse;
use super::{Exit, duration};
use crate::app::{App, Launch, Outcome, StartError};
use crate::config::settings::{Environment, LogFormat};
use crate::config::{Flag, Inputs, Loaded, ProcessEnv, Settings, Source, load, load_source};
use crate::domain::oms::{Actor, OpenOrdersAtColdStart, StartHow};
use crate::telemetry::{Deployment, Format, RunLog, install};
use clap::{Args, ValueEnum};
use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// The demo's settings, as `config/demo.yaml` ships them.
const DEMO: &str = include_str!("../../config/demo.yaml");

/// Options of `plimsoll demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Recorded market data to replay, plain or gzip; several files are joined. Without any, a synthetic
    /// market runs.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    market: Vec<PathBuf>,
    /// Seed of the synthetic market.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    common: Common,
}

/// Options of `plimsoll run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Address to listen on, over the configured one; port 0 takes a free port.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Where everything durable lives, over the configured folder.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Go on where the journal ends (warm), or close the books and begin anew (cold).
    #[arg(long, value_enum, default_value_t = Start::Warm)]
    start: Start,
    /// What a cold start does with orders that are still open, here or at the venue.
    #[arg(long, value_enum, default_value_t = OpenOrders::Refuse)]
    open_orders: OpenOrders,
    /// Stop by itself after this time, such as 60s.
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse)]
    run_for: Option<Duration>,
}

/// How to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Start {
    /// Go on where the journal ends.
    Warm,
    /// Close the books; the venue's balances are the new beginning.
    Cold,
}

/// What a cold start does with open orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OpenOrders {
    /// Start nothing while there are any.
    Refuse,
    /// Cancel them.
    Cancel,
    /// Keep them under watch.
    Adopt,
}

impl Common {
    fn how(&self) -> StartHow {
        match (self.start, self.open_orders) {
            (Start::Warm, _) => StartHow::Warm,
            (Start::Cold, OpenOrders::Refuse) => StartHow::Cold(OpenOrdersAtColdStart::Refuse),
            (Start::Cold, OpenOrders::Cancel) => StartHow::Cold(OpenOrdersAtColdStart::Cancel),
            (Start::Cold, OpenOrders::Adopt) => StartHow::Cold(OpenOrdersAtColdStart::Adopt),
        }
    }

    fn flags(&self) -> Vec<Flag> {
        let listen = self.listen.iter().map(|value| Flag::new("--listen", "web.listen", value));
        let data = self.data_dir.iter().map(|value| Flag::new("--data-dir", "data_dir", value));
        listen.chain(data).collect()
    }
}

/// Runs the demo.
///
/// # Errors
/// When the output cannot be written or the process cannot be set up.
pub fn demo(args: DemoArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let source = Source::new("demo.yaml (built in)", DEMO)?;
    match load_source::<Settings>(Some(source), &ProcessEnv, &args.common.flags()) {
        Ok(mut loaded) => {
            let paper = &mut loaded.settings.paper_exchange;
            if !args.market.is_empty() {
                paper.market = args.market;
            }
            paper.seed = args.seed.unwrap_or(paper.seed);
            serve(loaded, &args.common, out, err)
        }
        Err(errors) => Ok(refuse(&errors, false, out, err)?),
    }
}

/// Runs with a file.
///
/// # Errors
/// When the output cannot be written or the process cannot be set up.
pub fn run(args: RunArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let flags = args.common.flags();
    match load::<Settings>(Inputs { file: Some(&args.config), env: &ProcessEnv, flags: &flags }) {
        Ok(loaded) => serve(loaded, &args.common, out, err),
        Err(errors) => Ok(refuse(&errors, false, out, err)?),
    }
}

fn serve(
    loaded: Loaded<Settings>,
    common: &Common,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let hash = loaded.hash()?;
    let run_log = start_logs(&loaded.settings)?;
    let Loaded { settings, document } = loaded;
    let reason =
        format!("plimsoll was started {}", if common.start == Start::Warm { "warm" } else { "cold" });
    let mut launch = Launch {
        how: common.how(),
        by: Actor { name: operator(), reason },
        listener: None,
        kill: None,
        run_log,
    };
    let mut announced = false;
    let outcome = actix_rt::System::new().block_on(async {
        let mut stop = std::pin::pin!(stop_signal(common.run_for)?);
        loop {
            let app = match App::build(settings.clone(), &document, hash.clone(), launch.try_clone()?) {
                Ok(app) => app,
                Err(StartError::Config(errors)) => return Ok(Err(errors)),
                Err(error) => return Err(error.into()),
            };
            if !announced {
                writeln!(out, "plimsoll listens on http://{}", app.address())?;
                out.flush()?;
                announced = true;
            }
            launch.listener = Some(app.listener()?);
            launch.kill = app.kill_switch();
            match app.run(stop.as_mut()).await? {
                Outcome::Restart(by) => {
                    launch.how = StartHow::Warm;
                    launch.by = by;
                }
                outcome => return anyhow::Ok(Ok(outcome)),
            }
        }
    });
    crate::telemetry::flush_logs();
    Ok(match outcome? {
        Err(errors) => refuse(&errors, false, out, err)?,
        Ok(Outcome::Stopped { forced }) => {
            if forced {
                writeln!(err, "plimsoll: stopped, but not everything ended within the grace; see the log")?;
            }
            Exit::Ok
        }
        Ok(Outcome::Restart(_)) => Exit::Ok,
        Ok(Outcome::Refused(why)) => {
            writeln!(err, "plimsoll: the start was refused: {why}")?;
            Exit::Refused
        }
        Ok(Outcome::StartFailed(why)) => {
            writeln!(err, "plimsoll: could not start: {why}")?;
            Exit::Failure
        }
        Ok(Outcome::Halted(why)) => {
            writeln!(err, "plimsoll: halted: {why}")?;
            Exit::Halted
        }
    })
}

/// Who started the process, as the system knows it.
fn operator() -> String {
    let named = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    named.ok().filter(|name| !name.is_empty()).map_or_else(
        || format!("uid {}", rustix::process::getuid().as_raw()),
        |name| name.chars().filter(|c| !c.is_control()).take(64).collect(),
    )
}

fn start_logs(settings: &Settings) -> anyhow::Result<RunLog> {
    let format = match settings.telemetry.log_format {
        LogFormat::Auto => Format::Auto,
        LogFormat::Human => Format::Human,
        LogFormat::Json => Format::Json,
    };
    let environment = match settings.deployment.environment {
        Environment::Development => "development",
        Environment::Staging => "staging",
        Environment::Production => "production",
    };
    let deployment = Deployment {
        name: settings.deployment.name.clone(),
        environment: environment.to_owned(),
        instance: settings.deployment.instance.clone(),
    };
    install(format, &settings.telemetry.log_level, &deployment)
}

/// Resolves at the first SIGTERM or SIGINT, or when the time is over. A second signal ends the process
/// at once.
fn stop_signal(run_for: Option<Duration>) -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let timer = async {
            match run_for {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => tracing::info!(event = "signal", signal = "SIGTERM"),
            _ = interrupt.recv() => tracing::info!(event = "signal", signal = "SIGINT"),
            () = timer => tracing::info!(event = "time_over", "ran for the time asked"),
        }
        actix_rt::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!(event = "second_signal", "ending at once");
            crate::telemetry::flush_logs();
            std::process::exit(i32::from(Exit::Failure.code()));
        });
    })
}
