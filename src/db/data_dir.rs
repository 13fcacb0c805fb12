//! The data directory: who holds it, and what it remembers besides the database.
//!
//! ```text
//! lock             held by the one process that may write; its pid
//! plimsoll.db      the database (with -wal and -shm beside it)
//! journal-created  made once, after the first row: from then on a missing database is a loss, not a beginning
//! journal-head     the last acknowledged row and its checksum: a journal that ends earlier has lost rows
//! archive/         rows that were moved out of the database
//! latch-*, HALT    the kill switch; see `latch`
//! ```
//!
//! `journal-head` is written after every commit and not forced to the disk each time: it lags behind the journal
//! after a power loss, which is harmless, and never runs ahead of it.

use super::chain::{Checksum, Link};
use super::error::{Corruption, DbError, io};
use crate::domain::journal::Seq;
use rustix::fs::{FlockOperation, Mode, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Name of the database file.
pub const DATABASE: &str = "plimsoll.db";
/// Name of the folder with archived rows.
pub const ARCHIVE: &str = "archive";
const LOCK: &str = "lock";
const CREATED: &str = "journal-created";
const HEAD: &str = "journal-head";
/// `<20 digits> <64 hexadecimal digits>\n`.
const HEAD_BYTES: usize = 86;

/// Paths in a data directory; holds nothing open.
#[derive(Debug, Clone)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// Names the directory; nothing is touched.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join(DATABASE)
    }

    /// The folder with archived rows.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.root.join(ARCHIVE)
    }

    /// Makes the directory, readable by its owner alone, unless it is there.
    pub(super) fn make(&self) -> Result<(), DbError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.root).map_err(io(&self.root))
    }

    /// Takes the directory for this process until the lock is dropped.
    pub(super) fn lock(&self) -> Result<Lock, DbError> {
        let path = self.root.join(LOCK);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(io(&path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                // Without the pid the refusal still stands.
                let _ = file.read_to_string(&mut text);
                return Err(DbError::Locked { path, pid: text.trim().parse().ok() });
            }
            Err(error) => return Err(io(&path)(error.into())),
        }
        // The pid is a courtesy to whoever is refused; on a full disk the lock holds without it.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Lock { file })
    }

    /// What says that a journal was begun here, if anything does.
    pub(super) fn evidence(&self) -> Result<Option<&'static str>, DbError> {
        for name in [CREATED, HEAD] {
            if self.root.join(name).try_exists().map_err(io(&self.root))? {
                return Ok(Some(name));
            }
        }
        let archive = self.archive();
        match std::fs::read_dir(&archive) {
            Ok(mut entries) => Ok(entries.next().map(|_| ARCHIVE)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io(&archive)(error)),
        }
    }

    /// Refuses a database file without contents where a journal was begun. SQLite would take it for a new one.
    pub(super) fn refuse_empty(&self) -> Result<(), DbError> {
        let path = self.database();
        let bytes = std::fs::metadata(&path).map_err(io(&path))?.len();
        if bytes == 0 && self.evidence()?.is_some() {
            // What the file lost may still stand in the log beside it: that is for people to find out.
            return Err(Corruption::Emptied.into());
        }
        Ok(())
    }

    /// Remembers for good that a journal was begun.
    pub(super) fn remember(&self) -> Result<(), DbError> {
        let path = self.root.join(CREATED);
        if path.try_exists().map_err(io(&path))? {
            return Ok(());
        }
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).open(&path).map_err(io(&path))?;
        file.sync_all().map_err(io(&path))?;
        sync_folder(&self.root)
    }

    /// The last row that is known to have been acknowledged; `None` when nothing was noted, or a note was cut.
    pub(super) fn acknowledged(&self) -> Result<Option<Link>, DbError> {
        let path = self.root.join(HEAD);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(parse_head(&bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io(&path)(error)),
        }
    }

    /// Opens the note of the last acknowledged row.
    pub(super) fn witness(&self) -> Result<Witness, DbError> {
        let path = self.root.join(HEAD);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io(&path))?;
        Ok(Witness { file })
    }
}

/// Holds the directory; released when dropped, or by the system when the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would not do: a child that is being spawned holds a copy of the file until it runs its
        // program. Failing leaves just that.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// The note of the last acknowledged row.
#[derive(Debug)]
pub(super) struct Witness {
    file: File,
}

impl Witness {
    /// Notes a row. A note that cannot be written (a full disk) leaves an older one, which is as true.
    pub(super) fn note(&self, head: Link) {
        let _ = self.file.write_all_at(head_text(head).as_bytes(), 0);
    }
}

fn head_text(head: Link) -> String {
    format!("{:020} {}\n", head.seq.0, head.checksum)
}

fn parse_head(bytes: &[u8]) -> Option<Link> {
    let text = std::str::from_utf8(bytes.get(..HEAD_BYTES)?).ok()?;
    let (seq, checksum) = text.trim_end().split_once(' ')?;
    Some(Link { seq: Seq(seq.parse().ok()?), checksum: Checksum::parse(checksum)? })
}

/// Forces a folder's entries to the disk.
pub(super) fn sync_folder(path: &Path) -> Result<(), DbError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(io(path))
}

/// Free bytes for this user on the file system that holds `path`.
///
/// # Errors
/// [`DbError::Io`] when the system does not tell.
pub fn free_bytes(path: &Path) -> Result<u64, DbError> {
    let stat = rustix::fs::statvfs(path).map_err(|error| io(path)(error.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Reads the permission bits of a folder.
///
/// # Errors
/// [`DbError::Io`].
pub fn folder_mode(path: &Path) -> Result<u32, DbError> {
    let stat = rustix::fs::stat(path).map_err(|error| io(path)(error.into()))?;
    Ok(Mode::from_raw_mode(stat.st_mode).bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(seq: u64) -> Link {
        Link { seq: Seq(seq), checksum: Checksum::of(&seq.to_be_bytes()) }
    }

    #[test]
    fn one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir::at(folder.path());
        let held = dir.lock().unwrap();
        let error = dir.lock().unwrap_err();
        assert!(
            matches!(error, DbError::Locked { pid: Some(pid), .. } if pid == std::process::id()),
            "{error}"
        );
        drop(held);
        assert!(dir.lock().is_ok());
    }

    #[test]
    fn the_folder_is_private() {
        let parent = tempfile::tempdir().unwrap();
        let dir = DataDir::at(&parent.path().join("a/b"));
        dir.make().unwrap();
        assert_eq!(folder_mode(dir.root()).unwrap(), 0o700);
        assert!(free_bytes(dir.root()).unwrap() > 0);
    }

    #[test]
    fn a_note_is_read_back_and_compared() {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir::at(folder.path());
        assert_eq!(dir.evidence().unwrap(), None);
        let witness = dir.witness().unwrap();
        assert_eq!(dir.acknowledged().unwrap(), None, "an empty note says nothing");
        witness.note(head(7));
        assert_eq!(dir.acknowledged().unwrap(), Some(head(7)));
        assert_eq!(dir.evidence().unwrap(), Some(HEAD));
        std::fs::write(folder.path().join(HEAD), "0000000").unwrap();
        assert_eq!(dir.acknowledged().unwrap(), None, "a cut note says nothing");
    }
}
