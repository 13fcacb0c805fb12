//! The process's tracing subscriber: readable lines on a terminal, JSON lines elsewhere or by setting.
//! Diagnostics go to stderr; stdout belongs to a command's answer. Nobody who logs waits for a disk or a reader.

use super::json::JsonLines;
use super::outlet::Outlet;
use super::run_log::RunLog;
use serde_json::json;
use std::io::{IsTerminal, Write};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Who writes these logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The deployment's name.
    pub name: String,
    /// development, staging or production.
    pub environment: String,
    /// Which of several instances.
    pub instance: String,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

/// Installs the subscriber for the whole process. Lines go to stderr, and as JSON to the returned run log as
/// soon as a run has a folder.
///
/// # Errors
/// When `filter` is not a filter, a subscriber was installed before, or the system gives no threads to write with.
pub fn install(format: Format, filter: &str, deployment: &Deployment) -> anyhow::Result<RunLog> {
    let filter = EnvFilter::builder().parse(filter)?;
    let terminal = std::io::stderr().is_terminal();
    let json = match format {
        Format::Auto => !terminal,
        Format::Human => false,
        Format::Json => true,
    };
    let run_log = RunLog::default();
    let file = run_log.clone();
    let to_file = Outlet::start("log-file", move |line| file.append(line), lost_json)?.enlist();
    let lost = if json { lost_json } else { lost_human };
    // A stderr that is gone takes its lines with it; the run's file has them.
    let to_stderr =
        Outlet::start("log-stderr", |line| drop(std::io::stderr().write_all(line)), lost)?.enlist();
    let kept = layer().with_ansi(false).event_format(JsonLines::new(deployment)).with_writer(to_file);
    let stderr = layer().with_writer(to_stderr);
    let base = tracing_subscriber::registry().with(filter).with(kept);
    if json {
        base.with(stderr.with_ansi(false).event_format(JsonLines::new(deployment))).try_init()?;
    } else {
        base.with(stderr.with_ansi(terminal)).try_init()?;
    }
    Ok(run_log)
}

const LOST: &str = "log lines were dropped: they were not taken fast enough";

fn lost_json(lines: u64) -> String {
    let now = crate::clock::wall().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let line = json!({
        "timestamp": now, "level": "WARN", "target": module_path!(), "message": LOST, "event": "log_lines_lost",
        "lines": lines,
    });
    format!("{line}\n")
}

fn lost_human(lines: u64) -> String {
    format!(
        "{} WARN {}: {LOST} event=log_lines_lost lines={lines}\n",
        crate::clock::wall().to_rfc3339(),
        module_path!()
    )
}
