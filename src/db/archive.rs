//! Rows that left the database: compressed files that continue to be links of the chain.
//!
//! A file `archive/<first>-<last>.jsonl.gz` holds one JSON object per row, checksum included. It is complete and on
//! the disk before the transaction that deletes its rows begins; a crash in between leaves both, and the next attempt
//! writes the file anew. Nothing ever deletes such a file.

use super::chain::{Checksum, Link, Parts};
use super::data_dir::{DataDir, sync_folder};
use super::error::{Corruption, DbError, io, sql};
use super::journal_rows::{number, parts, seq, stored_after};
use super::schema::{archives, journal};
use super::{meta, transaction};
use crate::domain::ids::Correlation;
use crate::domain::journal::{Row, Seq};
use crate::domain::time::WallMs;
use diesel::prelude::*;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::DirBuilderExt as _;

/// What stays in the database, and how much leaves it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Rows that stay, counted from the newest. Rows behind the second newest snapshot stay in any case.
    pub rows: u64,
    /// Rows in one file. Fewer are left where they are.
    pub slice: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Self { rows: 500_000, slice: 5_000 }
    }
}

/// One archive file, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// First row in it.
    pub first: Seq,
    /// Last row in it.
    pub last: Link,
    /// Its name in the `archive` folder.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: Checksum,
}

#[derive(Serialize, Deserialize)]
struct ArchivedRow<'a> {
    seq: i64,
    kind: std::borrow::Cow<'a, str>,
    correlation: std::borrow::Cow<'a, str>,
    at_ms: i64,
    payload: std::borrow::Cow<'a, str>,
    checksum: std::borrow::Cow<'a, str>,
}

/// Writes the `count` rows after `from` to a file, checking each link on the way; the database is not changed.
pub(super) fn write(
    connection: &mut SqliteConnection,
    dir: &DataDir,
    from: Link,
    count: u64,
) -> Result<Archived, DbError> {
    let folder = dir.archive();
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(io(&folder))?;
    sync_folder(dir.root())?;
    let rows = stored_after(connection, from.seq, i64::try_from(count).unwrap_or(i64::MAX))?;
    let mut last = from;
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    for row in &rows {
        last = last.follow(row.0, parts(row), &row.5)?;
        let line = ArchivedRow {
            seq: row.0,
            kind: row.1.as_str().into(),
            correlation: row.2.as_str().into(),
            at_ms: row.3,
            payload: row.4.as_str().into(),
            checksum: hex::encode(&row.5).into(),
        };
        serde_json::to_writer(&mut packer, &line).map_err(|error| io(&folder)(error.into()))?;
        packer.write_all(b"\n").map_err(io(&folder))?;
    }
    let bytes = packer.finish().map_err(io(&folder))?;
    let first = Seq(from.seq.0.saturating_add(1));
    let file = format!("{:020}-{:020}.jsonl.gz", first.0, last.seq.0);
    let (aside, target) = (folder.join(format!("{file}.part")), folder.join(&file));
    let mut out = File::create(&aside).map_err(io(&aside))?;
    out.write_all(&bytes).and_then(|()| out.sync_all()).map_err(io(&aside))?;
    std::fs::rename(&aside, &target).map_err(io(&target))?;
    sync_folder(&folder)?;
    Ok(Archived { first, last, file, sha256: Checksum::of(&bytes) })
}

/// Records a written file and deletes its rows, in one transaction.
pub(super) fn record(
    connection: &mut SqliteConnection,
    archived: &Archived,
    at: WallMs,
) -> Result<(), transaction::Failed> {
    let last = number(archived.last.seq);
    transaction::immediate(connection, |connection| {
        diesel::insert_into(archives::table)
            .values((
                archives::first_seq.eq(number(archived.first)),
                archives::last_seq.eq(last),
                archives::last_checksum.eq(archived.last.checksum.0.as_slice()),
                archives::file.eq(&archived.file),
                archives::sha256.eq(archived.sha256.0.as_slice()),
                archives::at_ms.eq(at.0),
            ))
            .execute(connection)?;
        diesel::sql_query("UPDATE journal_guard SET up_to = ?")
            .bind::<diesel::sql_types::BigInt, _>(last)
            .execute(connection)?;
        diesel::delete(journal::table.filter(journal::seq.le(last))).execute(connection)?;
        diesel::sql_query("UPDATE journal_guard SET up_to = 0").execute(connection)?;
        meta::put(connection, meta::ARCHIVED_TO, &meta::point(archived.last))
    })
}

type StoredArchive = (i64, i64, Vec<u8>, String, Vec<u8>, i64);

/// All recorded files, oldest first.
pub(super) fn list(connection: &mut SqliteConnection) -> Result<Vec<Archived>, DbError> {
    let stored: Vec<StoredArchive> =
        archives::table.order(archives::first_seq).load(connection).map_err(sql("reading the archives"))?;
    let archived = |(first, last, checksum, file, sha256, _): StoredArchive| {
        let damaged =
            || DbError::Unreadable { table: "archives", key: file.clone(), why: "not a SHA-256".to_owned() };
        let checksum = Checksum::read(&checksum).ok_or_else(damaged)?;
        let sha256 = Checksum::read(&sha256).ok_or_else(damaged)?;
        Ok(Archived { first: seq(first), last: Link { seq: seq(last), checksum }, sha256, file })
    };
    stored.into_iter().map(archived).collect()
}

/// Checks one file against its record and the chain, handing each row on; answers its last link.
pub(super) fn check(
    dir: &DataDir,
    from: Link,
    archived: &Archived,
    mut each: impl FnMut(Row) -> Result<(), DbError>,
) -> Result<Link, DbError> {
    let expected = from.seq.0.saturating_add(1);
    if archived.first.0 != expected {
        return Err(Corruption::Gap { expected, found: archived.first.0 }.into());
    }
    let path = dir.archive().join(&archived.file);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Corruption::ArchiveMissing {
                file: archived.file.clone(),
                first: archived.first.0,
                last: archived.last.seq.0,
            }
            .into());
        }
        Err(error) => return Err(io(&path)(error)),
    };
    let damaged = |seq: u64, why: String| Corruption::Archive { file: archived.file.clone(), seq, why };
    let mut end = from;
    for line in BufReader::new(GzDecoder::new(bytes.as_slice())).lines() {
        let at = end.seq.0.saturating_add(1);
        let line = line.map_err(|error| damaged(at, error.to_string()))?;
        let row: ArchivedRow<'_> =
            serde_json::from_str(&line).map_err(|error| damaged(at, error.to_string()))?;
        let checksum = hex::decode(row.checksum.as_bytes()).unwrap_or_default();
        let parts =
            Parts { at_ms: row.at_ms, kind: &row.kind, correlation: &row.correlation, payload: &row.payload };
        end = end.follow(row.seq, parts, &checksum).map_err(|error| damaged(at, error.to_string()))?;
        let correlation =
            Correlation::new(&row.correlation).map_err(|error| damaged(at, error.to_string()))?;
        let (kind, payload) = (row.kind.into_owned(), row.payload.into_owned());
        each(Row { seq: end.seq, kind, correlation, at: WallMs(row.at_ms), payload })?;
    }
    if end != archived.last {
        return Err(damaged(end.seq.0.saturating_add(1), "it ends early".to_owned()).into());
    }
    if Checksum::of(&bytes) != archived.sha256 {
        return Err(damaged(archived.first.0, "the file is not the one that was recorded".to_owned()).into());
    }
    Ok(end)
}
