//! [`KillSwitch`]: engages, resets and shows the latch, from any thread, with no actor and no database.
//!
//! It promises: when `engage` is called, the tripwire is pulled before anything else happens, so no placement begins
//! after that; the call returns within its bound whatever the disk does; what the disk does not hold yet is said so
//! and tried again. A reset takes effect only after both copies are on disk, and loses against whoever engages
//! meanwhile. Dropping the last clone ends its threads.

use super::core::{Core, State};
use super::{disk, watcher};
use crate::db::LatchFiles;
use crate::domain::ids::ClientOrderId;
use crate::domain::kill_switch::{Cause, LatchRecord, ResetAsk, ResetRefused, read};
use crate::domain::time::WallMs;
use crate::domain::tripwire::Tripwire;
use parking_lot::{Condvar, Mutex};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How long `engage` waits for the disk. The answer over HTTP has 100 ms in all.
const ENGAGE_WAIT: Duration = Duration::from_millis(50);
/// How long a reset waits for the disk.
const RESET_WAIT: Duration = Duration::from_secs(5);
/// How long opening waits for the disk and for the watcher.
const OPEN_WAIT: Duration = Duration::from_secs(5);

/// Why the disk may not hold the latch as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDurable {
    /// The write is under way.
    #[error("the latch is still being written")]
    Pending,
    /// The last try failed; it is repeated.
    #[error("{why}")]
    Failed {
        /// The system's answer.
        why: String,
    },
}

/// What engaging came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engaged {
    /// The latch as it stands: the first cause.
    pub record: LatchRecord,
    /// It was engaged before.
    pub already: bool,
    /// Would it survive a crash of the machine? Without, it holds while this process lives, and is tried again.
    pub durable: Result<(), NotDurable>,
}

/// The switch at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatchView {
    /// May nothing go out?
    pub engaged: bool,
    /// How it came to stand so.
    pub record: LatchRecord,
    /// What a reset must name.
    pub generation: u64,
    /// Does the disk hold it, in both copies?
    pub durable: Result<(), NotDurable>,
    /// Placements that began before and have no answer yet.
    pub in_flight: u64,
    /// How often it was engaged again since it is.
    pub repeats: u64,
    /// By what last.
    pub last_repeat: Option<Cause>,
}

/// Why there is no switch.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A thread could not be started.
    #[error("the kill switch cannot start its thread: {0}")]
    Thread(std::io::Error),
    /// The signal cannot be caught.
    #[error("the kill switch cannot catch SIGUSR1: {0}")]
    Signal(std::io::Error),
}

/// See the module's head. Clones are ends of the same switch.
#[derive(Clone)]
pub struct KillSwitch(Arc<Owner>);

struct Owner {
    core: Arc<Core>,
    /// Resets come one after another.
    resets: Mutex<()>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.core.close();
    }
}

impl fmt::Debug for KillSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KillSwitch").field(&self.view()).finish()
    }
}

impl KillSwitch {
    /// Reads the copies in a data directory and starts to watch. A latch that cannot be read or written is engaged,
    /// and so is one beside which the file `HALT` lies.
    ///
    /// # Errors
    /// [`OpenError`]; without its threads there is no switch, and nothing may trade.
    pub fn open(data_dir: &Path) -> Result<Self, OpenError> {
        let files = LatchFiles::at(data_dir);
        let copies = files.read();
        let reading = read(&copies.a, &copies.b, copies.used_before, WallMs(crate::clock::wall_millis()));
        let (tripwire, rearm) = Tripwire::new();
        if reading.record.is_engaged() {
            tripwire.trip();
        }
        let core = Arc::new(Core {
            files,
            tripwire,
            rearm,
            state: Mutex::new(State::new(reading.record, reading.intact)),
            work: Condvar::new(),
            written: Condvar::new(),
            end: Notify::new(),
            news: watch::Sender::new(0),
        });
        let switch = Self(Arc::new(Owner { core: Arc::clone(&core), resets: Mutex::new(()) }));
        disk::start(Arc::clone(&core)).map_err(OpenError::Thread)?;
        let (ready, caught) = std::sync::mpsc::sync_channel(1);
        watcher::start(Arc::clone(&core), ready).map_err(OpenError::Thread)?;
        match caught.recv_timeout(OPEN_WAIT) {
            Ok(caught) => caught.map_err(OpenError::Signal)?,
            Err(error) => return Err(OpenError::Signal(std::io::Error::other(error.to_string()))),
        }
        watcher::look(&core, false);
        if let Err(fault) = switch.settle(OPEN_WAIT) {
            // Not engaged, and nobody could write down that it was: fail closed.
            core.engage(Cause::Unreadable, "plimsoll", &fault.to_string(), Duration::ZERO);
        }
        Ok(switch)
    }

    /// Engages the latch. Idempotent: the first cause stays. Takes at most some tens of milliseconds, and nothing
    /// begins to go out from the first microsecond of it.
    pub fn engage(&self, cause: Cause, actor: &str, reason: &str) -> Engaged {
        self.0.core.engage(cause, actor, reason, ENGAGE_WAIT)
    }

    /// Engages the latch without waiting for the disk, for threads that must not wait.
    pub fn engage_now(&self, cause: Cause, actor: &str, reason: &str) -> Engaged {
        self.0.core.engage(cause, actor, reason, Duration::ZERO)
    }

    /// Resets the latch for somebody who saw `generation`. `standing` names what still stands against it. May take
    /// as long as the disk does, at most ten seconds: not for a thread that must not wait.
    ///
    /// # Errors
    /// [`ResetRefused`]; it stays engaged.
    pub fn reset(
        &self,
        generation: u64,
        actor: &str,
        reason: &str,
        standing: &[String],
    ) -> Result<LatchRecord, ResetRefused> {
        let _one_at_a_time = self.0.resets.lock();
        let core = &self.0.core;
        // Whoever trips it from here on wins.
        let seen = core.tripwire.seen();
        let halt_file = core.files.halted();
        let mut state = core.state.lock();
        core.settle(&mut state, RESET_WAIT);
        let durable = state.durable().is_ok();
        let now = WallMs(crate::clock::wall_millis());
        let ask = ResetAsk { generation, actor, reason, standing, halt_file, durable };
        let reset = state.latch.judge(now, ask)?;
        state.want(reset.clone());
        core.work.notify_one();
        core.settle(&mut state, RESET_WAIT);
        let refused = match state.durable() {
            Err(fault) => Some(ResetRefused::NotDurable { why: fault.to_string() }),
            Ok(()) if core.rearm.rearm(seen) => None,
            Ok(()) => Some(ResetRefused::EngagedAgain { generation }),
        };
        let Some(refused) = refused else {
            let taken = state.latch.accept(reset.clone());
            state.note(reset.clone());
            core.tell();
            debug_assert!(taken, "nothing else moves the latch while it is engaged");
            return Ok(reset);
        };
        // What the disk may hold of the reset is overruled.
        let again = state.latch.skip();
        state.want(again.clone());
        state.note(again.clone());
        core.work.notify_one();
        core.tell();
        Err(match refused {
            ResetRefused::EngagedAgain { .. } => ResetRefused::EngagedAgain { generation: again.generation },
            other => other,
        })
    }

    /// Lets one order out while the latch is engaged, once: for closing positions by reducing orders, where the
    /// configuration says so, and for nothing else. `false` when it is not engaged or too many are open. A reset
    /// voids what was not used.
    pub fn let_pass(&self, order: ClientOrderId) -> bool {
        let core = &self.0.core;
        // Under the lock, so that no reset comes between the two.
        let state = core.state.lock();
        state.latch.record().is_engaged() && core.rearm.let_pass(order)
    }

    /// How it stands.
    #[must_use]
    pub fn view(&self) -> LatchView {
        let core = &self.0.core;
        let state = core.state.lock();
        let record = state.latch.record().clone();
        let (repeats, last_repeat) = state.latch.repeats();
        LatchView {
            engaged: record.is_engaged() || core.tripwire.is_tripped(),
            generation: record.generation,
            record,
            durable: state.durable(),
            in_flight: core.tripwire.in_flight(),
            repeats,
            last_repeat,
        }
    }

    /// Waits until the disk was tried with the latch as it stands, at most `within`.
    ///
    /// # Errors
    /// [`NotDurable`] when it does not hold it.
    pub fn settle(&self, within: Duration) -> Result<(), NotDurable> {
        let mut state = self.0.core.state.lock();
        self.0.core.settle(&mut state, within);
        state.durable()
    }

    /// The wire that the last hop asks.
    #[must_use]
    pub fn tripwire(&self) -> Tripwire {
        self.0.core.tripwire.clone()
    }

    /// Wakes at every change of the latch, of its files, and of who was told.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.core.news.subscribe()
    }

    /// Changes after a generation, oldest first; bounded, the latest 64 are kept. A start is the first of them.
    #[must_use]
    pub fn changes_after(&self, generation: u64) -> Vec<LatchRecord> {
        self.0.core.state.lock().after(generation)
    }

    /// Changes that the log was not told of; from now on it was.
    pub(super) fn take_unlogged(&self) -> Vec<LatchRecord> {
        self.0.core.state.lock().take_unlogged()
    }

    /// A new incarnation of the order management has begun: it knows nothing and is told again.
    pub fn begin_anew(&self) {
        self.0.core.state.lock().acknowledge(None);
        self.0.core.tell();
    }

    /// The order management has taken note of the latch up to a generation.
    pub fn acknowledge(&self, generation: u64) {
        self.0.core.state.lock().acknowledge(Some(generation));
    }

    /// Up to which generation the order management knows; `None` when this incarnation of it knows nothing.
    #[must_use]
    pub fn acknowledged(&self) -> Option<u64> {
        self.0.core.state.lock().acknowledged()
    }
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
