//! The `containment` table: the latest record of every intent.
//!
//! [`write`] belongs in the transaction of the journal's rows. Records are JSON of this version's types; one that cannot
//! be read is a typed error that names its row.

use super::Readers;
use super::error::{DbError, sql};
use super::lines::{self, Binds, Line};
use super::read::Place;
use super::readers::page;
use super::schema::containment;
use crate::domain::containment::{Intent, Restored};
use crate::domain::journal::IntentLine;
use crate::domain::time::WallMs;
use diesel::dsl::max;
use diesel::prelude::*;

/// Intents that a start goes on from, at most; those that had not ended come first.
const RESTORED_MAX: i64 = 10_000;

impl Line for &IntentLine {
    type Table = containment::table;
    const HEAD: &'static str = "INSERT INTO containment (number,at_ms,is_open,alert,action,record) VALUES ";
    const TAIL: &'static str =
        " ON CONFLICT (number) DO UPDATE SET is_open=excluded.is_open,record=excluded.record";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        to.int(&self.number)?;
        to.int(&self.at_ms)?;
        to.flag(&self.is_open)?;
        to.text(&self.alert)?;
        to.text(&self.action)?;
        to.text(&self.record)
    }
}

/// Writes what changed.
pub(super) fn write(connection: &mut SqliteConnection, changed: &[&IntentLine]) -> QueryResult<()> {
    lines::insert(connection, changed).map(|_| ())
}

fn intents(rows: Vec<(i64, String)>) -> Result<Vec<Intent>, DbError> {
    let read = |(number, text): (i64, String)| {
        Place { table: "containment", key: number.to_string() }.checked(serde_json::from_str(&text))
    };
    rows.into_iter().map(read).collect()
}

/// Which intents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IntentFilter {
    /// Only those under way.
    pub open_only: bool,
}

fn list(
    connection: &mut SqliteConnection,
    filter: IntentFilter,
    after: Option<u64>,
    limit: i64,
) -> Result<Vec<Intent>, DbError> {
    let after = i64::try_from(after.unwrap_or(0)).unwrap_or(i64::MAX);
    let mut query = containment::table
        .select((containment::number, containment::record))
        .filter(containment::number.gt(after))
        .order(containment::number)
        .limit(limit)
        .into_boxed();
    if filter.open_only {
        // Spelt as the index is.
        query = query.filter(diesel::dsl::sql::<diesel::sql_types::Bool>("is_open = 1"));
    }
    intents(query.load(connection).map_err(sql("reading containment"))?)
}

fn restore(connection: &mut SqliteConnection, since: WallMs) -> Result<Restored, DbError> {
    let last: Option<i64> = containment::table
        .select(max(containment::number))
        .first(connection)
        .map_err(sql("reading containment"))?;
    let rows: Vec<(i64, String)> = containment::table
        .select((containment::number, containment::record))
        .filter(containment::is_open.eq(true).or(containment::at_ms.ge(since.0)))
        .order((containment::is_open.desc(), containment::number.desc()))
        .limit(RESTORED_MAX)
        .load(connection)
        .map_err(sql("reading containment"))?;
    let mut intents = intents(rows)?;
    intents.sort_by_key(|intent| intent.number);
    Ok(Restored { last_number: last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0), intents })
}

impl Readers {
    /// Intents of containment after a number, oldest first; at most a page.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn containment(
        &self,
        filter: IntentFilter,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Intent>, DbError> {
        list(&mut *self.connection()?, filter, after, page(limit))
    }

    /// What containment goes on from: what had not ended, and what was decided since a time.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn containment_to_restore(&self, since: WallMs) -> Result<Restored, DbError> {
        restore(&mut *self.connection()?, since)
    }
}
