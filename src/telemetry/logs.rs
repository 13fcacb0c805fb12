//! The process's tracing subscriber: readable lines on a terminal, JSON lines elsewhere or by setting.
//! Diagnostics go to stderr; stdout belongs to a command's answer.

use super::json::JsonLines;
use super::run_log::RunLog;
use std::io::IsTerminal;
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
/// When `filter` is not a filter, or a subscriber was installed before.
pub fn install(format: Format, filter: &str, deployment: &Deployment) -> anyhow::Result<RunLog> {
    let filter = EnvFilter::builder().parse(filter)?;
    let terminal = std::io::stderr().is_terminal();
    let json = match format {
        Format::Auto => !terminal,
        Format::Human => false,
        Format::Json => true,
    };
    let run_log = RunLog::default();
    let kept = layer().with_ansi(false).event_format(JsonLines::new(deployment)).with_writer(run_log.clone());
    let stderr = layer().with_writer(std::io::stderr);
    let base = tracing_subscriber::registry().with(filter).with(kept);
    if json {
        base.with(stderr.with_ansi(false).event_format(JsonLines::new(deployment))).try_init()?;
    } else {
        base.with(stderr.with_ansi(terminal)).try_init()?;
    }
    Ok(run_log)
}
