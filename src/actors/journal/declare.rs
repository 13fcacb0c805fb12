//! Declaring the journal's cell.

use super::alerts::AlertLane;
use super::cell::{Journal, RETRY_MIN};
use super::mail::JournalFailure;
use super::queue::Queue;
use super::readings::{JournalReadings, JournalSettings};
use super::retention::Pruning;
use crate::clock;
use crate::db::{DbError, Options, Writer};
use crate::supervision::{
    Cell, ChildSpec, Ctx, Handle, HangLimits, MailboxPolicy, OnHang, OnRestart, Placement, Shutdown,
    StartFailure, cell,
};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// Longest single piece of work: a busy timeout and a slow disk, with room.
const HANG: Duration = Duration::from_secs(60);
/// Messages that may wait; each holds what one wake-up of the order management decided.
const MAILBOX: usize = 8_192;

/// Declares the cell for a data directory.
#[must_use]
pub fn declare(data_dir: PathBuf, readings: JournalReadings) -> (Handle<Journal>, Cell<Journal>) {
    declare_with(data_dir, readings, JournalSettings::default())
}

/// Declares the cell with settings other than the default ones.
#[must_use]
pub fn declare_with(
    data_dir: PathBuf,
    readings: JournalReadings,
    settings: JournalSettings,
) -> (Handle<Journal>, Cell<Journal>) {
    let sessions = Arc::new(AtomicU64::new(0));
    cell("journal", spec(), move |ctx: &mut Ctx<Journal>| {
        let now = clock::monotonic();
        Ok(Journal {
            writer: usable(&data_dir, settings)?,
            settings,
            readings: readings.clone(),
            fence: ctx.fence(),
            queue: Queue::default(),
            port: None,
            flushing: false,
            answering: false,
            retry_after: RETRY_MIN,
            file_checked: false,
            sessions: Arc::clone(&sessions),
            telemetry: VecDeque::new(),
            controls: VecDeque::new(),
            performance: VecDeque::new(),
            drift: BTreeMap::new(),
            last_append: now,
            last_write: None,
            archive_again: now,
            pruning: Pruning::from(now),
            lane: AlertLane::default(),
        })
    })
}

/// A journal that cannot be trusted is a state to be shown; one that is not ours is no start.
fn usable(dir: &Path, settings: JournalSettings) -> Result<Result<Writer, JournalFailure>, StartFailure> {
    let options = Options { busy_timeout: settings.busy_timeout, pages_max: settings.pages_max };
    match Writer::open(dir, options) {
        Ok(writer) => Ok(Ok(writer)),
        Err(error @ (DbError::Locked { .. } | DbError::NewerSchema { .. })) => {
            Err(StartFailure::Failed(error.to_string()))
        }
        Err(error) => Ok(Err(error.into())),
    }
}

fn spec() -> ChildSpec {
    ChildSpec {
        placement: Placement::OwnThread,
        start_timeout: HANG,
        shutdown: Shutdown::Graceful(Duration::from_secs(10)),
        hang: HangLimits { handler: HANG, wait: HANG, action: OnHang::Abort },
        mailbox: MailboxPolicy { capacity: MAILBOX, on_restart: OnRestart::Keep },
        metadata: vec![("workload".to_owned(), "order path: disk writes in groups".to_owned())],
        ..ChildSpec::default()
    }
}
