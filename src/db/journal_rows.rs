//! The `journal` table: rows in and out.

use super::chain::{Checksum, Link, Parts};
use super::error::{Corruption, DbError, sql};
use super::lines::{Binds, Line};
use super::schema::journal;
use crate::domain::ids::Correlation;
use crate::domain::journal::{NewRow, Row, Seq};
use crate::domain::time::WallMs;
use diesel::prelude::*;

/// A row as stored: seq, kind, correlation, time, payload, checksum.
pub(super) type Stored = (i64, String, String, i64, String, Vec<u8>);

/// A row ready to be written.
pub(super) struct RowLine<'a> {
    seq: i64,
    row: &'a NewRow,
    checksum: Checksum,
}

impl Line for RowLine<'_> {
    type Table = journal::table;
    const HEAD: &'static str = "INSERT INTO journal (seq,kind,correlation,at_ms,payload,checksum) VALUES ";
    const TAIL: &'static str = "";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        to.int(&self.seq)?;
        to.text(self.row.kind)?;
        to.text(self.row.correlation.as_str())?;
        to.int(&self.row.at.0)?;
        to.text(&self.row.payload)?;
        to.bytes(&self.checksum.0)
    }
}

/// Numbers rows and links them to the chain; answers the new end.
pub(super) fn link<'a>(
    from: Link,
    rows: impl IntoIterator<Item = &'a NewRow>,
    lines: &mut Vec<RowLine<'a>>,
) -> Link {
    rows.into_iter().fold(from, |end, row| {
        let next = end.next(Parts {
            at_ms: row.at.0,
            kind: row.kind,
            correlation: row.correlation.as_str(),
            payload: &row.payload,
        });
        lines.push(RowLine { seq: number(next.seq), row, checksum: next.checksum });
        next
    })
}

/// A position as SQLite counts; positions beyond 2^63 do not occur.
pub(super) fn number(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

/// A position from SQLite's count.
pub(super) fn seq(number: i64) -> Seq {
    Seq(u64::try_from(number).unwrap_or(0))
}

/// The parts of a stored row that its checksum covers.
pub(super) fn parts(stored: &Stored) -> Parts<'_> {
    Parts { at_ms: stored.3, kind: &stored.1, correlation: &stored.2, payload: &stored.4 }
}

/// The last row; `None` when the table is empty.
pub(super) fn last(connection: &mut SqliteConnection) -> Result<Option<Link>, DbError> {
    let found: Option<(i64, Vec<u8>)> = journal::table
        .select((journal::seq, journal::checksum))
        .order(journal::seq.desc())
        .first(connection)
        .optional()
        .map_err(sql("reading the journal's end"))?;
    found.map(|(number, bytes)| link_of(number, &bytes)).transpose()
}

/// The checksum of one row; `None` when it is not in the table.
pub(super) fn checksum_at(connection: &mut SqliteConnection, at: Seq) -> Result<Option<Checksum>, DbError> {
    let found: Option<Vec<u8>> = journal::table
        .select(journal::checksum)
        .find(number(at))
        .first(connection)
        .optional()
        .map_err(sql("reading a checksum"))?;
    found.map(|bytes| link_of(number(at), &bytes).map(|link| link.checksum)).transpose()
}

fn link_of(number: i64, bytes: &[u8]) -> Result<Link, DbError> {
    let checksum = Checksum::read(bytes).ok_or(Corruption::Checksum { seq: seq(number).0 })?;
    Ok(Link { seq: seq(number), checksum })
}

/// Stored rows after a position, in order.
pub(super) fn stored_after(
    connection: &mut SqliteConnection,
    after: Seq,
    limit: i64,
) -> Result<Vec<Stored>, DbError> {
    journal::table
        .filter(journal::seq.gt(number(after)))
        .order(journal::seq)
        .limit(limit)
        .load(connection)
        .map_err(sql("reading the journal"))
}

/// Rows after a position, in order.
pub(super) fn rows_after(
    connection: &mut SqliteConnection,
    after: Seq,
    limit: i64,
) -> Result<Vec<Row>, DbError> {
    stored_after(connection, after, limit)?.into_iter().map(row).collect()
}

/// The last rows, in order.
pub(super) fn last_rows(connection: &mut SqliteConnection, limit: i64) -> Result<Vec<Row>, DbError> {
    let mut stored: Vec<Stored> = journal::table
        .order(journal::seq.desc())
        .limit(limit)
        .load(connection)
        .map_err(sql("reading the journal"))?;
    stored.reverse();
    stored.into_iter().map(row).collect()
}

/// A stored row in the domain's words.
pub(super) fn row(stored: Stored) -> Result<Row, DbError> {
    let (at, kind, correlation, at_ms, payload, _) = stored;
    let correlation = Correlation::new(&correlation).map_err(|error| DbError::Unreadable {
        table: "journal",
        key: at.to_string(),
        why: error.to_string(),
    })?;
    Ok(Row { seq: seq(at), kind, correlation, at: WallMs(at_ms), payload })
}
