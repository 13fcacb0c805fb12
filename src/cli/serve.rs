//! `plimsoll demo` and `plimsoll run`: the runtime in the foreground until a signal, `--for`, or a halt.

use super::config::refuse;
use super::{Exit, duration};
use crate::app::{App, Outcome, StartError};
use crate::config::settings::{Environment, LogFormat};
use crate::config::{Flag, Inputs, Loaded, ProcessEnv, Settings, Source, load, load_source};
use crate::telemetry::{Deployment, Format, install};
use clap::Args;
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
    /// Stop by itself after this time, such as 60s.
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse)]
    run_for: Option<Duration>,
}

impl Common {
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
        Ok(loaded) => serve(loaded, args.common.run_for, out, err),
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
        Ok(loaded) => serve(loaded, args.common.run_for, out, err),
        Err(errors) => Ok(refuse(&errors, false, out, err)?),
    }
}

fn serve(
    loaded: Loaded<Settings>,
    run_for: Option<Duration>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let hash = loaded.hash()?;
    start_logs(&loaded.settings)?;
    let Loaded { settings, document } = loaded;
    let app = match App::build(settings, &document, hash) {
        Ok(app) => app,
        Err(StartError::Config(errors)) => return Ok(refuse(&errors, false, out, err)?),
        Err(error) => return Err(error.into()),
    };
    writeln!(out, "plimsoll listens on http://{}", app.address())?;
    out.flush()?;
    let outcome = actix_rt::System::new().block_on(async {
        let stop = stop_signal(run_for)?;
        anyhow::Ok(app.run(stop).await?)
    })?;
    Ok(match outcome {
        Outcome::Stopped { forced } => {
            if forced {
                writeln!(err, "plimsoll: stopped, but not everything ended within the grace; see the log")?;
            }
            Exit::Ok
        }
        Outcome::StartFailed(why) => {
            writeln!(err, "plimsoll: could not start: {why}")?;
            Exit::Failure
        }
        Outcome::Halted(why) => {
            writeln!(err, "plimsoll: halted: {why}")?;
            Exit::Halted
        }
    })
}

fn start_logs(settings: &Settings) -> anyhow::Result<()> {
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
            std::process::exit(i32::from(Exit::Failure.code()));
        });
    })
}
