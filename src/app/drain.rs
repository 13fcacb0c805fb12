//! The end of a run: the order intake closes, working orders come to their end, and the run's traces are kept.

use crate::actors::oms::{DrainNow, OmsHandle};
use crate::actors::run_control::Word;
use crate::config::orders::AtShutdown;
use crate::domain::oms::{Actor, DrainHow};
use crate::telemetry::{RunFolder, RunLog};
use std::time::Duration;
use tokio::sync::mpsc;

/// A restart in place goes on with the orders that work.
pub(super) const FOR_RESTART: DrainHow = DrainHow::Keep;

/// As the settings say.
pub(super) const fn how(setting: AtShutdown) -> DrainHow {
    match setting {
        AtShutdown::Cancel => DrainHow::Cancel,
        AtShutdown::Keep => DrainHow::Keep,
    }
}

/// Closes the intake and waits until the order management has drained, at most `within`.
pub(super) async fn orders(
    oms: Option<&OmsHandle>,
    words: Option<&mut mpsc::Receiver<Word>>,
    how: DrainHow,
    by: Actor,
    within: Duration,
) {
    let (Some(oms), Some(words)) = (oms, words) else { return };
    tracing::info!(event = "shutdown_begun", how = ?how, who = by.name, reason = by.reason);
    if let Err(error) = oms.drain(DrainNow { how, by }) {
        tracing::error!(error = %error, runbook = "live-trading", "the order management cannot drain");
        return;
    }
    let drained = async {
        while let Some(word) = words.recv().await {
            if let Word::Drained { left_over } = word {
                return Some(left_over);
            }
        }
        None
    };
    match tokio::time::timeout(within, drained).await {
        Ok(Some(left_over)) if left_over.is_empty() => {}
        Ok(Some(left_over)) => tracing::warn!(
            event = "left_over",
            orders = left_over.len(),
            runbook = "live-trading",
            "orders are still open or unknown; a warm start takes them up"
        ),
        Ok(None) | Err(_) => tracing::error!(
            event = "drain_cut_off",
            runbook = "live-trading",
            "the drain did not end within the grace; a warm start settles what is open"
        ),
    }
}

/// Keeps the run's last metrics and closes its log.
pub(super) fn archive(folder: &RunFolder, metrics: Result<String, String>, log: &RunLog) {
    // The last lines belong to the run.
    crate::telemetry::flush_logs();
    let kept = metrics.map_err(std::io::Error::other);
    let kept = kept.and_then(|text| folder.keep("metrics.prom", text.as_bytes())).and_then(|()| log.close());
    if let Err(error) = kept {
        tracing::error!(error = %error, runbook = "disk_low", "the run's traces were not kept whole");
    }
}
