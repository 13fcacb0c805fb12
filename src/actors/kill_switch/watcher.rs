//! The thread that watches for what engages the latch from outside: the file `HALT` and `SIGUSR1`.
//!
//! It needs nothing else of the process to be alive. It ends with the handle.

use super::core::Core;
use crate::domain::kill_switch::Cause;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::MissedTickBehavior;

/// How often the file is looked for.
const INTERVAL: Duration = Duration::from_millis(20);

/// Starts it; `ready` is told once the signal is caught.
pub(super) fn start(core: Arc<Core>, ready: SyncSender<std::io::Result<()>>) -> std::io::Result<()> {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return drop(ready.send(Err(error))),
        };
        runtime.block_on(async {
            match signal(SignalKind::user_defined1()) {
                Ok(signal) => {
                    // Whoever opens the switch waits for this word.
                    let _ = ready.send(Ok(()));
                    watch(&core, signal).await;
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        });
    };
    std::thread::Builder::new().name("kill-watch".to_owned()).spawn(run).map(drop)
}

async fn watch(core: &Core, mut signal: Signal) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = false;
    loop {
        tokio::select! {
            biased;
            () = core.end.notified() => return,
            // No more signals can come only while the process ends.
            Some(()) = signal.recv() => {
                core.engage(Cause::Signal, "signal", "SIGUSR1", Duration::ZERO);
            }
            _ = ticks.tick() => seen = look(core, seen),
        }
    }
}

/// Looks for the file: one that has appeared, or is there while nothing is engaged, engages. Is it there?
pub(super) fn look(core: &Core, seen: bool) -> bool {
    let there = core.files.halted();
    if there && !(seen && core.tripwire.is_tripped()) {
        // Before the file is opened, which may take its time.
        core.tripwire.trip();
        core.engage(Cause::HaltFile, "halt-file", &core.files.halt_reason(), Duration::ZERO);
    }
    there
}
