//! The tables `equity_points` and `performance_state`: observations of performance, and the fold behind them.
//!
//! It promises that observations and the fold are written in one transaction, so that after a crash no fill is counted
//! twice and no observation is lost, and that their number is bounded: old ones are thinned to coarser clocks.

use super::error::{DbError, WriteError, sql};
use super::lines::{self, Binds, Line};
use super::read;
use super::schema::performance_state;
use super::writer::Writer;
use crate::domain::journal::{Batch, NewRow};
use crate::domain::kpi::{KEPT_MS, Point, Scope, THINNING, Totals, Tracker};
use crate::domain::time::WallMs;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};

/// Most observations that one question is answered with.
pub const POINTS_MAX: u32 = 20_000;
/// The name of all strategies, and of all venues.
const ALL: &str = "*";

/// An observation ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointRow {
    strategy: String,
    venue: String,
    at: WallMs,
    payload: String,
}

impl PointRow {
    /// What a scope had come to at a moment.
    ///
    /// # Errors
    /// Only where the totals cannot be written as JSON, which none are.
    pub fn new(scope: &Scope, at: WallMs, totals: &Totals) -> Result<Self, serde_json::Error> {
        let (strategy, venue) = names(scope);
        let (strategy, venue) = (strategy.to_owned(), venue.to_owned());
        Ok(Self { strategy, venue, at, payload: serde_json::to_string(totals)? })
    }
}

/// What is written at once.
#[derive(Debug, Clone, Default)]
pub struct PerformanceWrite {
    /// Observations of one moment.
    pub points: Vec<PointRow>,
    /// The last row of the journal that the fold has taken.
    pub seq: u64,
    /// The fold, JSON.
    pub state: String,
    /// A row for the journal: the day's figures, for the audit.
    pub daily: Option<NewRow>,
    /// Thin what is old at this moment.
    pub thin: Option<WallMs>,
}

impl Writer {
    /// Writes observations, the fold behind them and the day's row, all or nothing.
    ///
    /// # Errors
    /// [`WriteError`]: nothing of it was written.
    pub fn append_performance(&mut self, new: &PerformanceWrite) -> Result<(), WriteError> {
        let daily = Batch { rows: new.daily.iter().cloned().collect(), ..Batch::default() };
        self.append_with(&[daily], |connection| write(connection, new)).map(|_| ())
    }
}

fn names(scope: &Scope) -> (&str, &str) {
    let strategy = scope.strategy.as_ref().map_or(ALL, |strategy| strategy.as_str());
    (strategy, scope.venue.as_ref().map_or(ALL, |venue| venue.as_str()))
}

/// Names the statements of this table.
pub(super) struct Table;

impl Line for PointRow {
    type Table = Table;
    const HEAD: &'static str = "INSERT INTO equity_points (strategy,venue,at_ms,payload) VALUES ";
    // A clock that was set back comes to the same moment twice; what was observed first stays.
    const TAIL: &'static str = " ON CONFLICT (strategy,venue,at_ms) DO NOTHING";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        to.text(&self.strategy)?;
        to.text(&self.venue)?;
        to.int(&self.at.0)?;
        to.text(&self.payload)
    }
}

/// Writes observations and the fold; the caller's transaction holds them together.
fn write(connection: &mut SqliteConnection, new: &PerformanceWrite) -> QueryResult<()> {
    lines::insert(connection, &new.points)?;
    diesel::replace_into(performance_state::table)
        .values((
            performance_state::only_one.eq(1),
            performance_state::seq.eq(i64::try_from(new.seq).unwrap_or(i64::MAX)),
            performance_state::payload.eq(&new.state),
        ))
        .execute(connection)?;
    match new.thin {
        Some(now) => thin(connection, now),
        None => Ok(()),
    }
}

fn thin(connection: &mut SqliteConnection, now: WallMs) -> QueryResult<()> {
    for (older_than, step) in THINNING {
        sql_query("DELETE FROM equity_points WHERE at_ms < ? AND at_ms % ? <> 0")
            .bind::<BigInt, _>(now.0.saturating_sub(older_than))
            .bind::<BigInt, _>(step)
            .execute(connection)?;
    }
    sql_query("DELETE FROM equity_points WHERE at_ms < ?")
        .bind::<BigInt, _>(now.0.saturating_sub(KEPT_MS))
        .execute(connection)
        .map(|_| ())
}

/// The stored fold; `None` before the first.
pub(super) fn state(connection: &mut SqliteConnection) -> Result<Option<Tracker>, DbError> {
    let stored: Option<String> = performance_state::table
        .select(performance_state::payload)
        .first(connection)
        .optional()
        .map_err(sql("reading performance_state"))?;
    let at = read::Place { table: "performance_state", key: "1".to_owned() };
    stored.map(|text| at.checked(serde_json::from_str(&text))).transpose()
}

#[derive(QueryableByName)]
struct StoredPoint {
    #[diesel(sql_type = BigInt)]
    at_ms: i64,
    #[diesel(sql_type = Text)]
    payload: String,
}

/// Observations of a scope from a moment on: those at multiples of a clock, the first and the last; oldest first.
pub(super) fn points(
    connection: &mut SqliteConnection,
    scope: &Scope,
    from: WallMs,
    clock_ms: i64,
) -> Result<Vec<Point>, DbError> {
    let (strategy, venue) = names(scope);
    let stored: Vec<StoredPoint> = sql_query(
        "WITH own AS (SELECT at_ms, payload FROM equity_points WHERE strategy = ? AND venue = ? AND at_ms >= ?) \
         SELECT at_ms, payload FROM own WHERE at_ms % ? = 0 \
         OR at_ms = (SELECT min(at_ms) FROM own) OR at_ms = (SELECT max(at_ms) FROM own) \
         ORDER BY at_ms DESC LIMIT ?",
    )
    .bind::<Text, _>(strategy)
    .bind::<Text, _>(venue)
    .bind::<BigInt, _>(from.0)
    .bind::<BigInt, _>(clock_ms)
    .bind::<BigInt, _>(i64::from(POINTS_MAX))
    .load(connection)
    .map_err(sql("reading equity_points"))?;
    let point = |stored: StoredPoint| {
        let key = format!("{strategy} {venue} {}", stored.at_ms);
        let at = read::Place { table: "equity_points", key };
        let totals = at.checked(serde_json::from_str(&stored.payload))?;
        Ok(Point { at: WallMs(stored.at_ms), totals })
    };
    stored.into_iter().rev().map(point).collect()
}

/// When a scope was first observed.
pub(super) fn since(connection: &mut SqliteConnection, scope: &Scope) -> Result<Option<WallMs>, DbError> {
    #[derive(QueryableByName)]
    struct First {
        #[diesel(sql_type = diesel::sql_types::Nullable<BigInt>)]
        at_ms: Option<i64>,
    }
    let (strategy, venue) = names(scope);
    let first: First =
        sql_query("SELECT min(at_ms) AS at_ms FROM equity_points WHERE strategy = ? AND venue = ?")
            .bind::<Text, _>(strategy)
            .bind::<Text, _>(venue)
            .get_result(connection)
            .map_err(sql("reading equity_points"))?;
    Ok(first.at_ms.map(WallMs))
}
