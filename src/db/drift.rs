//! The `drift_streams` table: the drift sentry's streams as last saved, one row each. They are no part of the journal.

use super::error::{DbError, WriteError, sql};
use super::lines::{self, Binds, Line};
use super::schema::drift_streams;
use super::{Readers, Writer};
use crate::domain::time::WallMs;
use diesel::QueryResult;
use diesel::prelude::*;

/// Rows that are read at most: more streams than this there never are.
const ROWS_MAX: i64 = 16_384;

/// A stream as it is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftRow {
    /// Its name.
    pub name: String,
    /// When it was saved (wall clock).
    pub at: WallMs,
    /// JSON.
    pub state: String,
}

impl Line for DriftRow {
    type Table = drift_streams::table;
    const HEAD: &'static str = "INSERT INTO drift_streams (name,at_ms,state) VALUES ";
    const TAIL: &'static str =
        " ON CONFLICT (name) DO UPDATE SET at_ms = excluded.at_ms, state = excluded.state";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        to.text(&self.name)?;
        to.int(&self.at.0)?;
        to.text(&self.state)
    }
}

impl Writer {
    /// Saves streams in a transaction of their own.
    ///
    /// # Errors
    /// [`WriteError`]: nothing of it was written.
    pub fn save_drift(&mut self, rows: &[DriftRow]) -> Result<(), WriteError> {
        self.small(|connection| lines::insert(connection, rows).map(|_| ()))
    }
}

impl Readers {
    /// Every stream as last saved, by name.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn drift(&self) -> Result<Vec<DriftRow>, DbError> {
        load(&mut *self.connection()?)
    }
}

fn load(connection: &mut SqliteConnection) -> Result<Vec<DriftRow>, DbError> {
    let query = drift_streams::table.order(drift_streams::name).limit(ROWS_MAX);
    let rows: Vec<(String, i64, String)> = query.load(connection).map_err(sql("reading drift streams"))?;
    Ok(rows.into_iter().map(|(name, at, state)| DriftRow { name, at: WallMs(at), state }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::migrate;

    #[test]
    fn the_last_saved_state_of_each_stream_is_read() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        migrate::run(&mut connection).unwrap();
        let row = |name: &str, at: i64, state: &str| DriftRow {
            name: name.to_owned(),
            at: WallMs(at),
            state: state.to_owned(),
        };
        lines::insert(&mut connection, &[row("b", 1, "{}"), row("a", 1, "{}")]).unwrap();
        lines::insert(&mut connection, &[row("b", 2, "{\"n\":2}")]).unwrap();
        assert_eq!(load(&mut connection).unwrap(), [row("a", 1, "{}"), row("b", 2, "{\"n\":2}")]);
    }
}
