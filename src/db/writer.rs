//! The one connection that writes.
//!
//! It promises: an append is in the journal as a whole, durable, and linked to the chain when it returns, or nothing
//! of it is; row numbers are contiguous; a journal that was begun is never begun anew; a schema newer than the
//! program is refused; a second process is refused. It does not retry and does not repair.

use super::archive::{self, Archived, Keep};
use super::chain::Link;
use super::connect::{self, BUSY_TIMEOUT, Purpose};
use super::data_dir::{DataDir, Lock, Witness};
use super::error::{Corruption, DbError, WriteError};
use super::projections::Projections;
use super::snapshots::{self, StoredSnapshot};
use super::telemetry::{self, TelemetryRow};
use super::transaction::{Failed, immediate};
use super::{controls, journal_rows, lines, meta, migrate, verify};
use crate::clock;
use crate::domain::control::ControlRow;
use crate::domain::ids::Correlation;
use crate::domain::journal::{Batch, NewRow, Row, Seq};
use crate::domain::time::WallMs;
use diesel::{QueryResult, RunQueryDsl as _, SqliteConnection, sql_query};
use std::borrow::Borrow;
use std::path::Path;
use std::time::Duration;

/// Random characters in a journal's tag.
const TAG_RANDOM: usize = 6;

/// How a writer is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long a write waits for another writer.
    pub busy_timeout: Duration,
    /// Largest size of the database, in pages of 4 KiB; `None` for SQLite's own limit.
    pub pages_max: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self { busy_timeout: BUSY_TIMEOUT, pages_max: None }
    }
}

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its first row. One more than `last` when there were none.
    pub first: Seq,
    /// The journal's last row now.
    pub last: Seq,
    /// Fills that were on record already, as they are.
    pub fills_known: usize,
    /// Snapshot written.
    pub snapshot: bool,
}

/// See the module's head.
pub struct Writer {
    dir: DataDir,
    options: Options,
    connection: SqliteConnection,
    witness: Witness,
    head: Link,
    archived_to: Link,
    tag: String,
    // Last, so that the directory is released after the connection was closed.
    _lock: Lock,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({} at row {})", self.dir.root().display(), self.head.seq.0)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // After an orderly end the database is one file. When it cannot be, the log beside it holds the rest.
        if let Err(error) = sql_query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.connection) {
            tracing::debug!(error = %error, "the write-ahead log was not folded in");
        }
    }
}

impl Writer {
    /// Opens the journal in a directory, and begins one where there never was any.
    ///
    /// # Errors
    /// [`DbError::Locked`] while another process holds the directory; [`DbError::Missing`] and
    /// [`DbError::Corrupt`] when what was begun here is gone, cut or changed (nothing is touched then);
    /// [`DbError::NewerSchema`]; [`DbError::Pragma`]; [`DbError::Io`]; [`DbError::Sql`].
    pub fn open(data_dir: &Path, options: Options) -> Result<Self, DbError> {
        let dir = DataDir::at(data_dir);
        dir.make()?;
        let lock = dir.lock()?;
        let path = dir.database();
        let present = path.try_exists().map_err(super::error::io(&path))?;
        match dir.evidence()? {
            Some(evidence) if !present => return Err(DbError::Missing { path, evidence }),
            Some(_) => {
                dir.refuse_empty()?;
                let mut look = connect::open(&path, Purpose::Read, options.busy_timeout)?;
                verify::before_writing(&mut look, &dir)?;
            }
            None => {}
        }
        let mut connection = connect::open(&path, Purpose::Create, options.busy_timeout)?;
        migrate::refuse_newer(&migrate::applied(&mut connection)?)?;
        migrate::run(&mut connection)?;
        begin(&mut connection)?;
        limit(&mut connection, options.pages_max)?;
        let head = verify::head(&mut connection)?;
        let archived_to = meta::get_point(&mut connection, meta::ARCHIVED_TO)?.unwrap_or_default();
        let tag = meta::get(&mut connection, meta::TAG)?.ok_or(Corruption::Emptied)?;
        dir.remember()?;
        let witness = dir.witness()?;
        witness.note(head);
        Ok(Self { dir, options, connection, witness, head, archived_to, tag, _lock: lock })
    }

    /// Writes batches in one transaction; when it returns `Ok`, they are on the disk.
    ///
    /// # Errors
    /// [`WriteError`]: nothing of it was written.
    pub fn append<B: Borrow<Batch>>(&mut self, batches: &[B]) -> Result<Appended, WriteError> {
        self.append_with(batches, |_| Ok(()))
    }

    /// Writes batches, and in the same transaction what stands beside them.
    pub(super) fn append_with<B: Borrow<Batch>>(
        &mut self,
        batches: &[B],
        beside: impl FnOnce(&mut SqliteConnection) -> QueryResult<()>,
    ) -> Result<Appended, WriteError> {
        let before = self.head;
        let mut rows = Vec::new();
        let (mut head, mut snapshot) = (before, None);
        for batch in batches.iter().map(Borrow::borrow) {
            head = journal_rows::link(head, &batch.rows, &mut rows);
            if let Some(taken) = &batch.snapshot {
                snapshot = Some((head, taken));
            }
        }
        let merged = Projections::merge(batches);
        let now = WallMs(clock::wall_millis());
        let done = immediate(&mut self.connection, |connection| {
            lines::insert(connection, &rows)?;
            let fills_known = merged.write(connection)?;
            beside(connection)?;
            if let Some((at, taken)) = snapshot {
                snapshots::write(connection, at, now, &taken.state)?;
            }
            Ok(fills_known)
        });
        let appended = |fills_known| Appended {
            first: Seq(before.seq.0.saturating_add(1)),
            last: head.seq,
            fills_known,
            snapshot: snapshot.is_some(),
        };
        match done {
            Ok(fills_known) => {
                self.head = head;
                self.witness.note(head);
                Ok(appended(fills_known))
            }
            Err(failed) => {
                // A commit may fail after its last byte was written: what the file says now is what holds.
                let found = self.after(failed)?;
                if found == head && head != before {
                    self.head = head;
                    self.witness.note(head);
                    return Ok(appended(0));
                }
                Err(WriteError::Corrupt {
                    says: format!("the journal ends at row {} after a failed write", found.seq.0),
                })
            }
        }
    }

    /// After a failed transaction: answers the fault when nothing of it is there, else where the journal ends.
    fn after(&mut self, failed: Failed) -> Result<Link, WriteError> {
        if failed.stuck {
            self.reopen().map_err(|error| WriteError::Other { says: error.to_string() })?;
        }
        match verify::head(&mut self.connection) {
            Ok(found) if found != self.head => Ok(found),
            // Unreadable now: the transaction was rolled back as far as anybody can tell.
            Ok(_) | Err(_) => Err(failed.fault),
        }
    }

    fn reopen(&mut self) -> Result<(), DbError> {
        let mut fresh = connect::open(&self.dir.database(), Purpose::Write, self.options.busy_timeout)?;
        limit(&mut fresh, self.options.pages_max)?;
        self.connection = fresh;
        Ok(())
    }

    /// Writes measurements in a transaction of their own; the oldest beyond the bound make room.
    ///
    /// # Errors
    /// [`WriteError`]: nothing of it was written.
    pub fn append_telemetry(&mut self, rows: &[TelemetryRow]) -> Result<(), WriteError> {
        self.small(|connection| {
            lines::insert(connection, rows)?;
            let prune = "DELETE FROM telemetry WHERE id <= (SELECT max(id) FROM telemetry) - ?";
            diesel::sql_query(prune)
                .bind::<diesel::sql_types::BigInt, _>(telemetry::KEPT_ROWS)
                .execute(connection)
                .map(|_| ())
        })
    }

    /// Writes rows of requests that steered nothing else, in a transaction of their own; old ones make room.
    ///
    /// # Errors
    /// [`WriteError`]: nothing of it was written.
    pub fn append_controls(&mut self, rows: &[ControlRow]) -> Result<(), WriteError> {
        let now = WallMs(clock::wall_millis());
        self.small(|connection| {
            controls::insert(connection, rows)?;
            controls::prune(connection, now)
        })
    }

    /// Proves that a write can be made durable now.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn heartbeat(&mut self) -> Result<(), WriteError> {
        let now = clock::wall_millis().to_string();
        self.small(|connection| meta::put(connection, meta::HEARTBEAT, &now))
    }

    pub(super) fn small<T>(
        &mut self,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
    ) -> Result<T, WriteError> {
        immediate(&mut self.connection, work).map_err(|failed| match self.after(failed) {
            Err(fault) => fault,
            Ok(found) => WriteError::Corrupt { says: format!("the journal ends at row {}", found.seq.0) },
        })
    }

    /// The journal's tag: `pl` and random characters, made with the journal.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The journal's last row.
    #[must_use]
    pub const fn head(&self) -> Link {
        self.head
    }

    /// The data directory.
    #[must_use]
    pub const fn dir(&self) -> &DataDir {
        &self.dir
    }

    /// The newest snapshot, checked against its own checksum and its row's.
    ///
    /// # Errors
    /// [`Corruption::Snapshot`], [`DbError::Sql`].
    pub fn latest_snapshot(&mut self) -> Result<Option<StoredSnapshot>, DbError> {
        snapshots::latest(&mut self.connection)
    }

    /// Up to `limit` rows after a position, in order.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn rows_after(&mut self, after: Seq, limit: u32) -> Result<Vec<Row>, DbError> {
        journal_rows::rows_after(&mut self.connection, after, i64::from(limit))
    }

    /// Follows the chain from the newest snapshot's row to the end, and notes how far it holds.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] with the first row that cannot be trusted.
    pub fn verify_from_last(&mut self) -> Result<Link, DbError> {
        let end = verify::tail(&mut self.connection)?;
        if end != self.head {
            let (head, acknowledged) = (end.seq.0, self.head.seq.0);
            return Err(Corruption::Short { head, acknowledged }.into());
        }
        self.verified(end)?;
        Ok(end)
    }

    /// Notes how far the chain was verified, here or on another connection.
    ///
    /// # Errors
    /// [`DbError::Sql`].
    pub fn verified(&mut self, end: Link) -> Result<(), DbError> {
        self.small(|connection| meta::put(connection, meta::VERIFIED_TO, &meta::point(end)))
            .map_err(|fault| DbError::Sql { doing: "writing meta", fault })
    }

    /// Moves one slice of old rows to a file, if there is a whole one that may leave.
    ///
    /// # Errors
    /// [`DbError`]; the rows are still in the database then.
    pub fn archive(&mut self, keep: Keep) -> Result<Option<Archived>, DbError> {
        let Some(bound) = snapshots::second_newest(&mut self.connection)? else { return Ok(None) };
        let beyond_limit = self.head.seq.0.saturating_sub(keep.rows);
        // The snapshot's own row stays, so that the snapshot can be checked against it.
        let may_leave = bound.0.saturating_sub(1).min(beyond_limit);
        if keep.slice == 0 || may_leave.saturating_sub(self.archived_to.seq.0) < keep.slice {
            return Ok(None);
        }
        let archived = archive::write(&mut self.connection, &self.dir, self.archived_to, keep.slice)?;
        archive::record(&mut self.connection, &archived, WallMs(clock::wall_millis())).map_err(|failed| {
            let fault = failed.fault.clone();
            // Where the journal ends has not changed; only a connection that is stuck matters here.
            let _ = self.after(failed);
            DbError::Sql { doing: "recording an archive", fault }
        })?;
        self.archived_to = archived.last;
        Ok(Some(archived))
    }

    /// Sets the largest size of the database, in pages.
    ///
    /// # Errors
    /// [`DbError::Pragma`] when it is larger already.
    pub fn set_pages_max(&mut self, pages: Option<u32>) -> Result<(), DbError> {
        self.options.pages_max = pages;
        limit(&mut self.connection, pages)
    }

    /// Pages of the database now.
    ///
    /// # Errors
    /// [`DbError::Sql`].
    pub fn pages(&mut self) -> Result<u32, DbError> {
        connect::number(&mut self.connection, "page_count")
            .map(|pages| u32::try_from(pages).unwrap_or(u32::MAX))
    }

    /// Every setting of the connection, as read back now.
    ///
    /// # Errors
    /// [`DbError::Sql`].
    pub fn settings(&mut self) -> Result<Vec<(&'static str, String)>, DbError> {
        connect::settings(&mut self.connection)
    }
}

fn limit(connection: &mut SqliteConnection, pages: Option<u32>) -> Result<(), DbError> {
    const SQLITE_MAX: i64 = 0xFFFF_FFFE;
    connect::set(connection, "max_page_count", pages.map_or(SQLITE_MAX, i64::from))
}

/// Writes the first row of a journal that has none.
fn begin(connection: &mut SqliteConnection) -> Result<(), DbError> {
    if verify::head(connection)?.seq.0 > 0 {
        return Ok(());
    }
    let random = std::iter::repeat_with(|| fastrand::digit(36)).take(TAG_RANDOM);
    let tag: String = "pl".chars().chain(random).collect();
    let correlation = Correlation::new(&tag).map_err(|error| DbError::Unreadable {
        table: "meta",
        key: meta::TAG.to_owned(),
        why: error.to_string(),
    })?;
    let genesis = NewRow {
        kind: "genesis",
        correlation,
        at: WallMs(clock::wall_millis()),
        payload: format!(r#"{{"tag":"{tag}","version":"{}"}}"#, env!("CARGO_PKG_VERSION")),
    };
    let mut rows = Vec::new();
    journal_rows::link(Link::default(), [&genesis], &mut rows);
    immediate(connection, |connection| {
        lines::insert(connection, &rows)?;
        meta::put(connection, meta::TAG, &tag)
    })
    .map_err(|failed| DbError::Sql { doing: "beginning the journal", fault: failed.fault })
}
