//! Opening a session: is the journal what was written? Checked on threads of their own, over connections that
//! cannot write, so that a long look holds up nobody.

use super::mail::JournalFailure;
use crate::db::{DbError, Inspector, Link};
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;

/// How far the chain holds.
pub(super) type Checked = Result<Link, JournalFailure>;

impl From<DbError> for JournalFailure {
    fn from(error: DbError) -> Self {
        let why = error.to_string();
        if error.is_corruption() { Self::Corrupt { why } } else { Self::Unreadable { why } }
    }
}

/// Begins a check; its result arrives at the receiver. `whole_file` adds SQLite's own look at the file.
pub(super) fn check(dir: PathBuf, whole_file: bool) -> Result<oneshot::Receiver<Checked>, JournalFailure> {
    let (done, result) = oneshot::channel();
    let thread = std::thread::Builder::new().name("journal-check".to_owned());
    thread
        .spawn(move || {
            // Whoever asked may be gone.
            let _ = done.send(look(&dir, whole_file));
        })
        .map_err(|error| JournalFailure::Unreadable { why: error.to_string() })?;
    Ok(result)
}

fn look(dir: &Path, whole_file: bool) -> Checked {
    std::thread::scope(|scope| {
        let file = scope.spawn(|| match whole_file {
            true => Inspector::open(dir)?.quick_check(),
            false => Ok(()),
        });
        let chain = Inspector::open(dir).and_then(|mut inspector| inspector.verify_tail());
        let file = file.join().unwrap_or_else(|_| {
            Err(DbError::NoConnection { why: "the check of the file panicked".to_owned() })
        });
        let end = chain?;
        file?;
        Ok(end)
    })
}
