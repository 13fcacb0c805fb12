//! What can go wrong with the journal, told so that the operator knows what is true and which page to open.
//!
//! SQLite's result codes do not pass through diesel, its messages do; they are fixed texts of SQLite's own
//! (`sqlite3ErrStr`), and the library is compiled in, so they are compared here and nowhere else.

use crate::domain::journal::Seq;
use diesel::result::{DatabaseErrorKind, Error as Diesel};
use std::path::PathBuf;

/// The page for everything that says that rows are not what they were.
pub const RUNBOOK_CORRUPT: &str = "journal_corrupt";

/// The database cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Another process holds the directory.
    #[error("{}: another process{} uses this data directory; stop it first, or give this one its own", path.display(), holder(*pid))]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, when that can be read.
        pid: Option<u32>,
    },
    /// The directory once held a journal and holds none now.
    #[error("{}: {evidence} says that a journal was here, but the database is gone; nothing was created in its place (runbook journal_corrupt)", path.display())]
    Missing {
        /// Where the database should be.
        path: PathBuf,
        /// The file that remembers it.
        evidence: &'static str,
    },
    /// There is no journal, and the caller may not make one.
    #[error("{}: no journal here", path.display())]
    NoJournal {
        /// Where it should be.
        path: PathBuf,
    },
    /// A setting that durability or consistency rests on did not take.
    #[error(
        "PRAGMA {name} reads back {found:?} where {wanted:?} was set; the file system may not support it"
    )]
    Pragma {
        /// Which.
        name: &'static str,
        /// What was set.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// The schema knows migrations that this program does not.
    #[error(
        "the database has the migration {version:?}, which this program does not know; use the newer program, or restore a copy from before the upgrade"
    )]
    NewerSchema {
        /// The unknown migration.
        version: String,
    },
    /// Rows are not what was written.
    #[error("{0} (runbook journal_corrupt)")]
    Corrupt(#[from] Corruption),
    /// A row of a projection cannot be read as what it should be.
    #[error("{table} {key}: {why} (runbook journal_corrupt)")]
    Unreadable {
        /// Which table.
        table: &'static str,
        /// Which row.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file operation failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database refused a statement.
    #[error("{doing}: {fault}")]
    Sql {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        fault: WriteError,
    },
    /// No connection became free or could be opened in time.
    #[error("no connection for reading: {why}")]
    NoConnection {
        /// What the pool said.
        why: String,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

impl DbError {
    /// Does it mean that rows are lost or changed, so that trading must not begin?
    #[must_use]
    pub const fn is_corruption(&self) -> bool {
        matches!(
            self,
            Self::Corrupt(_)
                | Self::Missing { .. }
                | Self::Unreadable { .. }
                | Self::Sql { fault: WriteError::Corrupt { .. }, .. }
        )
    }
}

/// How the journal is not what was written. Nothing is repaired and nothing is deleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Corruption {
    /// A row is missing, or stands where another belongs.
    #[error("row {expected} of the journal is missing: the next is {found}")]
    Gap {
        /// Which should have come.
        expected: u64,
        /// Which came.
        found: u64,
    },
    /// A row does not fit its checksum and the row before it.
    #[error("row {seq} of the journal does not match its checksum: it, or what precedes it, was changed")]
    Checksum {
        /// The first row that does not match.
        seq: u64,
    },
    /// The journal ends before a row that was acknowledged as durable.
    #[error(
        "the journal ends at row {head}, but row {acknowledged} was acknowledged: the newest rows are lost"
    )]
    Short {
        /// Last row there is.
        head: u64,
        /// Last row that is known to have been written.
        acknowledged: u64,
    },
    /// A row that was acknowledged is there with other contents.
    #[error("row {seq} of the journal is not the row that was acknowledged")]
    Replaced {
        /// Which.
        seq: u64,
    },
    /// The database is there and holds no journal.
    #[error("the database holds no journal rows, though a journal was begun here")]
    Emptied,
    /// A snapshot does not fit its own checksum or its row.
    #[error("the snapshot at row {seq} does not match its checksum")]
    Snapshot {
        /// Its row.
        seq: u64,
    },
    /// An archive file is gone.
    #[error("the archive {file} with the rows {first} to {last} is missing")]
    ArchiveMissing {
        /// Its name in the `archive` folder.
        file: String,
        /// First row in it.
        first: u64,
        /// Last row in it.
        last: u64,
    },
    /// An archive file does not match what was recorded of it.
    #[error("the archive {file} is damaged at row {seq}: {why}")]
    Archive {
        /// Its name in the `archive` folder.
        file: String,
        /// First row that cannot be trusted.
        seq: u64,
        /// What is wrong.
        why: String,
    },
    /// SQLite's own check of the file found damage.
    #[error("the database file is damaged: {says}")]
    File {
        /// In SQLite's words.
        says: String,
    },
}

impl Corruption {
    /// The first row that cannot be trusted, where one is known.
    #[must_use]
    pub const fn first_bad(&self) -> Option<Seq> {
        match self {
            Self::Gap { expected, .. } => Some(Seq(*expected)),
            Self::Checksum { seq }
            | Self::Replaced { seq }
            | Self::Snapshot { seq }
            | Self::Archive { seq, .. } => Some(Seq(*seq)),
            Self::Short { head, .. } => Some(Seq(head.saturating_add(1))),
            Self::Emptied => Some(Seq(1)),
            Self::ArchiveMissing { first, .. } => Some(Seq(*first)),
            Self::File { .. } => None,
        }
    }
}

/// Why a transaction was not written. Nothing of it is in the database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// No room on the disk, or the database reached its size limit.
    #[error("the disk is full ({says})")]
    Full {
        /// In SQLite's words.
        says: String,
    },
    /// The file or the file system is read-only.
    #[error("the database is read-only ({says})")]
    ReadOnly {
        /// In SQLite's words.
        says: String,
    },
    /// Somebody else held the write lock for longer than the busy timeout.
    #[error("the database is locked by another writer ({says})")]
    Busy {
        /// In SQLite's words.
        says: String,
    },
    /// The device failed.
    #[error("the disk reported an error ({says})")]
    Io {
        /// In SQLite's words.
        says: String,
    },
    /// The file is damaged.
    #[error("the database is damaged ({says}); runbook journal_corrupt")]
    Corrupt {
        /// In SQLite's words.
        says: String,
    },
    /// It contradicts what is there; trying again changes nothing.
    #[error("it contradicts what is on record ({says})")]
    Constraint {
        /// In SQLite's words.
        says: String,
    },
    /// Anything else.
    #[error("{says}")]
    Other {
        /// What was said.
        says: String,
    },
}

impl WriteError {
    /// Sorts an error of diesel's by what it means for the caller.
    pub(super) fn of(error: &Diesel) -> Self {
        let says = error.to_string();
        let Diesel::DatabaseError(kind, _) = error else { return Self::Other { says } };
        match kind {
            DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation => Self::Constraint { says },
            _ => Self::of_text(says),
        }
    }

    fn of_text(says: String) -> Self {
        let has = |text: &str| says.contains(text);
        if has("disk is full") {
            Self::Full { says }
        } else if has("readonly") {
            Self::ReadOnly { says }
        } else if has("is locked") {
            Self::Busy { says }
        } else if has("disk I/O error") || has("unable to open database file") {
            Self::Io { says }
        } else if has("malformed") || has("not a database") {
            Self::Corrupt { says }
        } else if has("rows of the journal") || has("datatype mismatch") || has("cannot store") {
            Self::Constraint { says }
        } else {
            Self::Other { says }
        }
    }

    /// May the same transaction succeed later?
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        !matches!(self, Self::Constraint { .. } | Self::Corrupt { .. })
    }
}

/// Attaches what was being done to an error of diesel's.
pub(super) fn sql(doing: &'static str) -> impl Fn(Diesel) -> DbError {
    move |error| DbError::Sql { doing, fault: WriteError::of(&error) }
}

/// Attaches the file to an error of the system's.
pub(super) fn io(path: &std::path::Path) -> impl Fn(std::io::Error) -> DbError + use<> {
    let path = path.to_owned();
    move |source| DbError::Io { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_texts_are_sorted() {
        let sort = |text: &str| WriteError::of_text(text.to_owned());
        assert!(matches!(sort("database or disk is full"), WriteError::Full { .. }));
        assert!(matches!(sort("attempt to write a readonly database"), WriteError::ReadOnly { .. }));
        assert!(matches!(sort("database is locked"), WriteError::Busy { .. }));
        assert!(matches!(sort("disk I/O error"), WriteError::Io { .. }));
        assert!(matches!(sort("database disk image is malformed"), WriteError::Corrupt { .. }));
        assert!(matches!(sort("file is not a database"), WriteError::Corrupt { .. }));
        assert!(!sort("rows of the journal never change").may_pass());
        assert!(sort("no such table: x").may_pass());
    }
}
