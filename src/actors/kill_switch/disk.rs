//! The thread that writes the latch's copies, so that nobody else waits for a disk without a bound.
//!
//! It writes the last wish, and again every quarter of a second while that fails. It ends with the handle, after one
//! try at what is still to be written.

use super::core::{Core, State};
use parking_lot::MutexGuard;
use std::sync::Arc;
use std::time::Duration;

/// Pause before a failed write is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// Starts it.
pub(super) fn start(core: Arc<Core>) -> std::io::Result<()> {
    std::thread::Builder::new().name("kill-disk".to_owned()).spawn(move || run(&core)).map(drop)
}

fn run(core: &Core) {
    let mut state = core.state.lock();
    loop {
        if state.tried.0 < state.wanted.0 {
            write(core, &mut state);
        } else if state.closing {
            return;
        } else if state.tried.1.is_err() {
            if core.work.wait_for(&mut state, RETRY).timed_out() && !state.closing {
                write(core, &mut state);
            }
        } else {
            core.work.wait(&mut state);
        }
    }
}

fn write(core: &Core, state: &mut MutexGuard<'_, State>) {
    let (wish, record) = state.wanted.clone();
    let written = MutexGuard::unlocked(state, || core.files.write(&record));
    state.tried = (wish, written.map_err(|fault| fault.to_string()));
    core.written.notify_all();
    core.tell();
}
