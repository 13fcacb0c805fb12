//! Verification: does every row still say what was written, from the first archive to the last row?
//!
//! Reads only. It finds the first row that cannot be trusted; what to do about it is the operator's decision.

use super::archive;
use super::chain::Link;
use super::data_dir::DataDir;
use super::error::{Corruption, DbError, sql};
use super::journal_rows::{checksum_at, last, parts, row, stored_after};
use super::{meta, migrate, snapshots};
use crate::domain::journal::Row;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

/// Rows read at once.
const PAGE_ROWS: i64 = 4_096;

/// What a verification saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Rows in the database.
    pub rows: u64,
    /// Rows in archives.
    pub archived: u64,
    /// Archive files.
    pub files: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// The end of the chain.
    pub head: Link,
}

/// The end of the journal: its last row, or the last archived one when the table is empty.
pub(super) fn head(connection: &mut SqliteConnection) -> Result<Link, DbError> {
    if let Some(link) = last(connection)? {
        return Ok(link);
    }
    Ok(meta::get_point(connection, meta::ARCHIVED_TO)?.unwrap_or_default())
}

/// Follows the chain in the database from a point to its end, handing each row on.
pub(super) fn table(
    connection: &mut SqliteConnection,
    from: Link,
    mut each: impl FnMut(Row) -> Result<(), DbError>,
) -> Result<Link, DbError> {
    let mut end = from;
    loop {
        let page = stored_after(connection, end.seq, PAGE_ROWS)?;
        if page.is_empty() {
            return Ok(end);
        }
        for stored in page {
            end = end.follow(stored.0, parts(&stored), &stored.5)?;
            each(row(stored)?)?;
        }
    }
}

/// Follows the chain from the newest snapshot's row, or from the end of the archives when there is none.
pub(super) fn tail(connection: &mut SqliteConnection) -> Result<Link, DbError> {
    let from = match snapshots::latest(connection)? {
        Some(snapshot) => snapshot.at,
        None => meta::get_point(connection, meta::ARCHIVED_TO)?.unwrap_or_default(),
    };
    table(connection, from, |_| Ok(()))
}

/// Follows the whole chain, archives included, as of one moment.
pub(super) fn whole(
    connection: &mut SqliteConnection,
    dir: &DataDir,
    mut each: impl FnMut(Row) -> Result<(), DbError>,
) -> Result<Verified, DbError> {
    // Read before the moment is fixed: the journal only grows, so it must reach at least this far.
    let acknowledged = dir.acknowledged()?;
    connection.batch_execute("BEGIN").map_err(sql("beginning to read"))?;
    let done = (|| {
        let files = archive::list(connection)?;
        let mut end = Link::default();
        for file in &files {
            end = archive::check(dir, end, file, &mut each)?;
        }
        let archived = end.seq.0;
        if meta::get_point(connection, meta::ARCHIVED_TO)?.unwrap_or_default() != end {
            return Err(Corruption::Gap { expected: archived.saturating_add(1), found: 0 }.into());
        }
        let head = table(connection, end, &mut each)?;
        if head.seq.0 == 0 {
            return Err(Corruption::Emptied.into());
        }
        if let Some(acknowledged) = acknowledged {
            compare(connection, head, acknowledged)?;
        }
        Ok(Verified {
            rows: head.seq.0.saturating_sub(archived),
            archived,
            files: u64::try_from(files.len()).unwrap_or(u64::MAX),
            snapshots: snapshots::check_all(connection)?,
            head,
        })
    })();
    // Nothing was written; ending the reading cannot lose anything.
    let _ = connection.batch_execute("ROLLBACK");
    done
}

fn compare(connection: &mut SqliteConnection, head: Link, acknowledged: Link) -> Result<(), DbError> {
    if acknowledged.seq > head.seq {
        let (head, acknowledged) = (head.seq.0, acknowledged.seq.0);
        return Err(Corruption::Short { head, acknowledged }.into());
    }
    match checksum_at(connection, acknowledged.seq)? {
        Some(checksum) if checksum != acknowledged.checksum => {
            Err(Corruption::Replaced { seq: acknowledged.seq.0 }.into())
        }
        Some(_) | None => Ok(()),
    }
}

/// SQLite's own check of the file's structure. It cannot see a changed value; the chain can.
pub(super) fn quick_check(connection: &mut SqliteConnection) -> Result<(), DbError> {
    let says: Vec<String> = diesel::dsl::sql::<diesel::sql_types::Text>("PRAGMA quick_check(10)")
        .load(connection)
        .map_err(sql("checking the file"))?;
    if says.iter().all(|line| line == "ok") {
        return Ok(());
    }
    Err(Corruption::File { says: says.join("; ") }.into())
}

/// What must hold before anybody may write to a journal that was begun earlier. `connection` reads only, so that
/// evidence of damage is not changed by looking at it.
pub(super) fn before_writing(connection: &mut SqliteConnection, dir: &DataDir) -> Result<(), DbError> {
    let acknowledged = dir.acknowledged()?;
    let applied = migrate::applied(connection)?;
    migrate::refuse_newer(&applied)?;
    if applied.is_empty() {
        return Err(Corruption::Emptied.into());
    }
    let head = head(connection)?;
    if head.seq.0 == 0 {
        return Err(Corruption::Emptied.into());
    }
    match acknowledged {
        Some(acknowledged) => compare(connection, head, acknowledged),
        None => Ok(()),
    }
}
