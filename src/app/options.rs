//! From the settings to the tree's options; overrides that cannot be are refused with their line.

use super::StartError;
use crate::actors::kill_switch::KillSwitch;
use crate::config::supervision::Jitter as JitterSetting;
use crate::config::{
    ChildOverride as ChildSettings, ConfigErrors, Document, Settings, listen_without_tokens,
    refused_child_setting, unknown_child,
};
use crate::db::TokenFile;
use crate::domain::kill_switch::Cause;
use crate::emergency::Record;
use crate::supervision::{
    ChildOverride, Emergency, EmergencyHandler, Jitter, OverrideError, SupervisorDecl, TreeOptions, Watching,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a process that ends waits for the latch to be on disk.
const LATCH_WAIT: Duration = Duration::from_secs(2);

/// Finds overrides that name nothing or cannot be, each with its line, before anything runs.
pub(super) fn check_children(
    options: &TreeOptions,
    document: &Document,
    tree: &SupervisorDecl,
) -> Result<(), StartError> {
    let located = |error| match error {
        OverrideError::Unknown { path, known } => unknown_child(document, &path, &known),
        OverrideError::Refused { path, field, problem } => {
            refused_child_setting(document, &path, field, problem)
        }
    };
    let problems = tree.check_overrides(&options.overrides);
    ConfigErrors::check(problems.into_iter().map(located).collect()).map_err(StartError::Config)
}

/// Beyond loopback, nobody may enter without a token: a process without any refuses to listen there.
pub(super) fn check_tokens(settings: &Settings, document: &Document) -> Result<(), StartError> {
    let book = TokenFile::at(&settings.data_dir.0).read().map_err(StartError::Tokens)?;
    let listen = settings.web.listen;
    if listen.ip().is_loopback() || !book.is_empty() {
        return Ok(());
    }
    let refusal = listen_without_tokens(document, listen);
    ConfigErrors::check(vec![refusal]).map_err(StartError::Config)
}

pub(super) fn tree_options(settings: &Settings, kill: Option<KillSwitch>) -> TreeOptions {
    let set = &settings.supervision;
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let overrides: BTreeMap<String, ChildOverride> =
        set.children.iter().map(|(path, child)| (path.clone(), child_override(child))).collect();
    TreeOptions {
        watching: Watching::Thread { tick: Duration::from_millis(set.watchdog_tick_ms) },
        control_hang: Duration::from_millis(set.control_hang_ms),
        abandoned_threads_max: count(set.abandoned_threads_max),
        background_tasks_max: count(set.background_tasks_max),
        overrides,
        on_emergency: emergency_handler(settings.data_dir.0.clone(), kill),
        ..TreeOptions::default()
    }
}

/// Leaves a record for the next start before anything is stopped. The control loop cannot end the
/// process in order when it is what hangs; everything else comes back through [`App::run`].
fn emergency_handler(data_dir: PathBuf, kill: Option<KillSwitch>) -> EmergencyHandler {
    Arc::new(move |emergency: &Emergency| {
        // First of all: what is left of this process sends nothing more, and the next one begins halted.
        if let Some(kill) = &kill {
            kill.engage(Cause::Meltdown, "supervisor", &emergency.to_string());
            // The process may end below: the disk gets its time before.
            if let Err(error) = kill.settle(LATCH_WAIT) {
                tracing::error!(error = %error, runbook = "kill_switch_engaged", "the latch is not on disk");
            }
        }
        if let Err(error) = Record::now(emergency.to_string()).write(&data_dir) {
            tracing::error!(error = %error, data_dir = %data_dir.display(), "the emergency was not recorded");
        }
        if let Emergency::ControlHung(_) = emergency {
            crate::telemetry::flush_logs();
            std::process::exit(super::EXIT_HALTED);
        }
    })
}

/// Tells the operator what ended the last run.
pub(super) fn report_last_emergency(data_dir: &Path) {
    match Record::read(data_dir) {
        Ok(Some(last)) => tracing::warn!(
            event = "last_emergency", at = %last.at, reason = last.reason, version = last.version,
            runbook = "supervisor_meltdown", "an earlier run ended in an emergency"
        ),
        Ok(None) => {}
        Err(error) => tracing::error!(error = %error, "the record of the last emergency is unreadable"),
    }
}

fn child_override(child: &ChildSettings) -> ChildOverride {
    let millis = |n: u64| Duration::from_millis(n);
    let (intensity, backoff, hang) = (&child.intensity, &child.backoff, &child.hang);
    ChildOverride {
        max_restarts: intensity.as_ref().and_then(|i| i.max_restarts).and_then(|n| u32::try_from(n).ok()),
        period: intensity.as_ref().and_then(|i| i.period_ms).map(millis),
        backoff_base: backoff.as_ref().and_then(|b| b.base_ms).map(millis),
        backoff_cap: backoff.as_ref().and_then(|b| b.cap_ms).map(millis),
        backoff_reset_after: backoff.as_ref().and_then(|b| b.reset_after_ms).map(millis),
        jitter: backoff.as_ref().and_then(|b| b.jitter).map(|jitter| match jitter {
            JitterSetting::None => Jitter::None,
            JitterSetting::Full => Jitter::Full,
        }),
        hang_handler: hang.as_ref().and_then(|h| h.handler_ms).map(millis),
        hang_wait: hang.as_ref().and_then(|h| h.wait_ms).map(millis),
        start_timeout: child.start_timeout_ms.map(millis),
        shutdown: child.shutdown_ms.map(millis),
        mailbox_capacity: child.mailbox_capacity.and_then(|n| usize::try_from(n).ok()),
    }
}
