//! The `snapshots` table: the newest three states of the order management, each bound to its row of the journal.

use super::chain::{Checksum, Link};
use super::error::{Corruption, DbError, sql};
use super::journal_rows::{checksum_at, number, seq};
use super::schema::snapshots;
use crate::domain::journal::Seq;
use crate::domain::time::WallMs;
use diesel::prelude::*;

/// How many are kept. Rows of the journal leave the database only behind the second newest.
pub const KEPT: i64 = 3;

/// A snapshot as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The row after which this was the state.
    pub at: Link,
    /// When it was written (wall clock).
    pub taken_at: WallMs,
    /// JSON.
    pub state: String,
}

/// When the newest snapshot was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotAge {
    /// Its row.
    pub seq: Seq,
    /// When (wall clock).
    pub taken_at: WallMs,
}

type Stored = (i64, Vec<u8>, i64, String, Vec<u8>);

/// Writes a snapshot and drops those beyond the newest [`KEPT`].
pub(super) fn write(
    connection: &mut SqliteConnection,
    at: Link,
    taken_at: WallMs,
    state: &str,
) -> QueryResult<()> {
    diesel::replace_into(snapshots::table)
        .values((
            snapshots::seq.eq(number(at.seq)),
            snapshots::checksum.eq(at.checksum.0.as_slice()),
            snapshots::at_ms.eq(taken_at.0),
            snapshots::payload.eq(state),
            snapshots::payload_sha256.eq(Checksum::of(state.as_bytes()).0.as_slice()),
        ))
        .execute(connection)?;
    let newest: Vec<i64> =
        snapshots::table.select(snapshots::seq).order(snapshots::seq.desc()).limit(KEPT).load(connection)?;
    if let Some(oldest_kept) = newest.last() {
        diesel::delete(snapshots::table.filter(snapshots::seq.lt(oldest_kept))).execute(connection)?;
    }
    Ok(())
}

fn check(connection: &mut SqliteConnection, stored: Stored) -> Result<StoredSnapshot, DbError> {
    let (at, checksum, at_ms, state, sha256) = stored;
    let bad = || DbError::from(Corruption::Snapshot { seq: seq(at).0 });
    if Checksum::read(&sha256) != Some(Checksum::of(state.as_bytes())) {
        return Err(bad());
    }
    let checksum = Checksum::read(&checksum).ok_or_else(bad)?;
    // The row is there: rows leave the database only behind the second newest snapshot. Row 0 never was.
    match checksum_at(connection, seq(at))? {
        Some(of_row) if of_row != checksum => return Err(bad()),
        Some(_) | None => {}
    }
    Ok(StoredSnapshot { at: Link { seq: seq(at), checksum }, taken_at: WallMs(at_ms), state })
}

/// The newest snapshot, checked against its own checksum and its row's.
pub(super) fn latest(connection: &mut SqliteConnection) -> Result<Option<StoredSnapshot>, DbError> {
    let found: Option<Stored> = snapshots::table
        .order(snapshots::seq.desc())
        .first(connection)
        .optional()
        .map_err(sql("reading the snapshot"))?;
    found.map(|stored| check(connection, stored)).transpose()
}

/// Checks all snapshots; answers how many there are.
pub(super) fn check_all(connection: &mut SqliteConnection) -> Result<u64, DbError> {
    let all: Vec<Stored> = snapshots::table
        .order(snapshots::seq)
        .limit(KEPT)
        .load(connection)
        .map_err(sql("reading the snapshots"))?;
    let mut checked = 0_u64;
    for stored in all {
        check(connection, stored)?;
        checked = checked.saturating_add(1);
    }
    Ok(checked)
}

/// The row of the second newest snapshot; `None` when there are fewer than two.
pub(super) fn second_newest(connection: &mut SqliteConnection) -> Result<Option<Seq>, DbError> {
    let newest: Vec<i64> = snapshots::table
        .select(snapshots::seq)
        .order(snapshots::seq.desc())
        .limit(2)
        .load(connection)
        .map_err(sql("reading the snapshots"))?;
    Ok(newest.get(1).map(|at| seq(*at)))
}

/// When the newest snapshot was taken.
pub(super) fn age(connection: &mut SqliteConnection) -> Result<Option<SnapshotAge>, DbError> {
    let found: Option<(i64, i64)> = snapshots::table
        .select((snapshots::seq, snapshots::at_ms))
        .order(snapshots::seq.desc())
        .first(connection)
        .optional()
        .map_err(sql("reading the snapshot"))?;
    Ok(found.map(|(at, at_ms)| SnapshotAge { seq: seq(at), taken_at: WallMs(at_ms) }))
}
