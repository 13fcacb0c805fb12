//! Reading without the lock: a pool of connections that cannot write, for the web and the command line.
//!
//! Every call blocks; the web makes them on a thread for blocking work.

use super::archive;
use super::chain::Link;
use super::connect::{self, BUSY_TIMEOUT, Purpose};
use super::controls;
use super::data_dir::DataDir;
use super::error::DbError;
use super::fills::{self, FillFilter, NumberedFill};
use super::orders::{self, OrderFilter};
use super::performance;
use super::snapshots::{self, SnapshotAge};
use super::verify::{self, Verified};
use super::{holdings, journal_rows, meta};
use crate::domain::control::{AuditRow, IdempotencyKey, Pinned};
use crate::domain::ids::{ClientOrderId, Symbol, TradeId, VenueId};
use crate::domain::journal::{BalanceRow, Row, Seq};
use crate::domain::kpi::{Point, Scope, Tracker};
use crate::domain::ledger::Position;
use crate::domain::order::{Order, OrderNumber};
use crate::domain::time::WallMs;
use diesel::SqliteConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error as PoolError, Pool, PooledConnection};
use std::path::Path;
use std::time::Duration;

/// Connections of one pool.
const CONNECTIONS_MAX: u32 = 4;
/// Longest wait for one.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// Most items of one page.
pub const PAGE_MAX: u32 = 1_000;

pub(super) type Connections = ConnectionManager<SqliteConnection>;

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Orders ever made or adopted.
    pub orders: u64,
    /// Those that may still execute.
    pub open_orders: u64,
    /// Fills booked.
    pub fills: u64,
    /// Rows of the journal, archived ones included.
    pub journal_rows: u64,
    /// Rows that were moved to archives.
    pub archived_rows: u64,
}

/// See the module's head. Clones share their connections.
#[derive(Clone)]
pub struct Readers {
    dir: DataDir,
    pool: Pool<Connections>,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Readers({})", self.dir.root().display())
    }
}

#[derive(Debug)]
struct Settle;

impl CustomizeConnection<SqliteConnection, PoolError> for Settle {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), PoolError> {
        connect::settle(connection, Purpose::Read, BUSY_TIMEOUT).map_err(|error| {
            PoolError::ConnectionError(diesel::ConnectionError::BadConnection(error.to_string()))
        })
    }
}

impl Readers {
    /// A pool for the journal of a directory. The journal need not be there yet: connections are made when used.
    #[must_use]
    pub fn lazy(data_dir: &Path) -> Self {
        let dir = DataDir::at(data_dir);
        let manager = Connections::new(connect::uri(&dir.database(), Purpose::Read));
        let pool = Pool::builder()
            .max_size(CONNECTIONS_MAX)
            .min_idle(Some(0))
            .connection_timeout(WAIT_MAX)
            // Asking "are you there?" before each read would double the work; a file does not go away.
            .test_on_check_out(false)
            .connection_customizer(Box::new(Settle))
            .build_unchecked(manager);
        Self { dir, pool }
    }

    /// A pool for a journal that is there.
    ///
    /// # Errors
    /// [`DbError::NoJournal`], [`DbError::NoConnection`].
    pub fn open(data_dir: &Path) -> Result<Self, DbError> {
        let readers = Self::lazy(data_dir);
        readers.connection()?;
        Ok(readers)
    }

    pub(super) fn connection(&self) -> Result<PooledConnection<Connections>, DbError> {
        // Waiting for a file that is not there helps nobody.
        if self.pool.state().connections == 0 {
            present(&self.dir)?;
        }
        self.pool.get().map_err(|error| DbError::NoConnection { why: error.to_string() })
    }

    /// Orders after a number, in the order they were made; at most [`PAGE_MAX`].
    ///
    /// # Errors
    /// [`DbError`].
    pub fn orders(
        &self,
        filter: &OrderFilter,
        after: Option<OrderNumber>,
        limit: u32,
    ) -> Result<Vec<Order>, DbError> {
        orders::page(&mut *self.connection()?, filter, after, page(limit))
    }

    /// The order of a caller's id.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn order(&self, id: &ClientOrderId) -> Result<Option<Order>, DbError> {
        orders::find(&mut *self.connection()?, id)
    }

    /// Fills after a number, in the order they were booked; at most [`PAGE_MAX`].
    ///
    /// # Errors
    /// [`DbError`].
    pub fn fills(
        &self,
        filter: &FillFilter,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<NumberedFill>, DbError> {
        fills::page(&mut *self.connection()?, filter, after, page(limit))
    }

    /// Is this trade on record?
    ///
    /// # Errors
    /// [`DbError`].
    pub fn fill_is_booked(&self, venue: &VenueId, symbol: &Symbol, trade: &TradeId) -> Result<bool, DbError> {
        fills::is_booked(&mut *self.connection()?, venue, symbol, trade)
    }

    /// All positions, flat ones included.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn positions(&self) -> Result<Vec<Position>, DbError> {
        holdings::positions(&mut *self.connection()?)
    }

    /// All balances.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn balances(&self) -> Result<Vec<BalanceRow>, DbError> {
        holdings::balances(&mut *self.connection()?)
    }

    /// Rows of the journal after a position; at most [`PAGE_MAX`]. Archived rows are not among them.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn journal(&self, after: Seq, limit: u32) -> Result<Vec<Row>, DbError> {
        journal_rows::rows_after(&mut *self.connection()?, after, page(limit))
    }

    /// Lines of the audit after a place; at most [`PAGE_MAX`].
    ///
    /// # Errors
    /// [`DbError`].
    pub fn audit(&self, after: Option<u64>, limit: u32) -> Result<Vec<AuditRow>, DbError> {
        controls::page(&mut *self.connection()?, after, page(limit))
    }

    /// The youngest lines of the audit, youngest first; at most [`PAGE_MAX`].
    ///
    /// # Errors
    /// [`DbError`].
    pub fn latest_audit(&self, limit: u32) -> Result<Vec<AuditRow>, DbError> {
        controls::latest(&mut *self.connection()?, page(limit))
    }

    /// The youngest fills, youngest first; at most [`PAGE_MAX`].
    ///
    /// # Errors
    /// [`DbError`].
    pub fn latest_fills(&self, limit: u32) -> Result<Vec<NumberedFill>, DbError> {
        fills::latest(&mut *self.connection()?, page(limit))
    }

    /// The answer that a caller's key is pinned to, if it is.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn pinned(&self, principal: &str, key: &IdempotencyKey) -> Result<Option<Pinned>, DbError> {
        controls::pinned(&mut *self.connection()?, principal, key)
    }

    /// The end of the journal.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn head(&self) -> Result<Link, DbError> {
        verify::head(&mut *self.connection()?)
    }

    /// The journal's tag.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn tag(&self) -> Result<Option<String>, DbError> {
        meta::get(&mut *self.connection()?, meta::TAG)
    }

    /// The stored fold of performance; `None` before the first.
    ///
    /// # Errors
    /// [`DbError`]; [`DbError::Unreadable`] when another version wrote it.
    pub fn performance_state(&self) -> Result<Option<Tracker>, DbError> {
        performance::state(&mut *self.connection()?)
    }

    /// Observations of performance from a moment on, oldest first: those at multiples of a clock (milliseconds), the
    /// first and the last; the newest [`super::POINTS_MAX`].
    ///
    /// # Errors
    /// [`DbError`].
    pub fn equity_points(&self, scope: &Scope, from: WallMs, clock_ms: i64) -> Result<Vec<Point>, DbError> {
        performance::points(&mut *self.connection()?, scope, from, clock_ms)
    }

    /// When a scope's performance was first observed.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn observed_since(&self, scope: &Scope) -> Result<Option<WallMs>, DbError> {
        performance::since(&mut *self.connection()?, scope)
    }

    /// The journal's folder, for a look of its own.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn inspector(&self) -> Result<Inspector, DbError> {
        Inspector::open(self.dir.root())
    }

    /// When the newest snapshot was taken; `None` before the first.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn snapshot_age(&self) -> Result<Option<SnapshotAge>, DbError> {
        snapshots::age(&mut *self.connection()?)
    }

    /// How much there is.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn counts(&self) -> Result<Counts, DbError> {
        let connection = &mut *self.connection()?;
        let (orders, open_orders) = orders::counts(connection)?;
        let archived = meta::get_point(connection, meta::ARCHIVED_TO)?.unwrap_or_default();
        Ok(Counts {
            orders,
            open_orders,
            fills: fills::count(connection)?,
            journal_rows: verify::head(connection)?.seq.0,
            archived_rows: archived.seq.0,
        })
    }

    /// Every setting of one connection, as read back now.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn settings(&self) -> Result<Vec<(&'static str, String)>, DbError> {
        connect::settings(&mut *self.connection()?)
    }
}

pub(super) fn page(limit: u32) -> i64 {
    i64::from(limit.min(PAGE_MAX))
}

fn present(dir: &DataDir) -> Result<(), DbError> {
    let path = dir.database();
    if path.try_exists().map_err(super::error::io(&path))? {
        return dir.refuse_empty();
    }
    match dir.evidence()? {
        Some(evidence) => Err(DbError::Missing { path, evidence }),
        None => Err(DbError::NoJournal { path }),
    }
}

/// One reading connection for long looks: verification and export.
pub struct Inspector {
    dir: DataDir,
    connection: SqliteConnection,
}

impl std::fmt::Debug for Inspector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Inspector({})", self.dir.root().display())
    }
}

impl Inspector {
    /// Opens the journal of a directory for reading; takes no lock and makes nothing.
    ///
    /// # Errors
    /// [`DbError::NoJournal`], [`DbError::Missing`], [`DbError::Pragma`], [`DbError::Sql`].
    pub fn open(data_dir: &Path) -> Result<Self, DbError> {
        let dir = DataDir::at(data_dir);
        present(&dir)?;
        let connection = connect::open(&dir.database(), Purpose::Read, BUSY_TIMEOUT)?;
        Ok(Self { dir, connection })
    }

    /// Follows the whole chain, archives included.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] with the first row that cannot be trusted.
    pub fn verify(&mut self) -> Result<Verified, DbError> {
        verify::whole(&mut self.connection, &self.dir, |_| Ok(()))
    }

    /// Hands every row on, archives included, verifying each before.
    ///
    /// # Errors
    /// As [`Self::verify`], and what `each` answers.
    pub fn export(&mut self, each: impl FnMut(Row) -> Result<(), DbError>) -> Result<Verified, DbError> {
        verify::whole(&mut self.connection, &self.dir, each)
    }

    /// Follows the chain from the newest snapshot's row.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] with the first row that cannot be trusted.
    pub fn verify_tail(&mut self) -> Result<Link, DbError> {
        verify::tail(&mut self.connection)
    }

    /// SQLite's own check of the file.
    ///
    /// # Errors
    /// [`super::Corruption::File`].
    pub fn quick_check(&mut self) -> Result<(), DbError> {
        verify::quick_check(&mut self.connection)
    }

    /// The last rows, in order.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn last_rows(&mut self, count: u32) -> Result<Vec<Row>, DbError> {
        journal_rows::last_rows(&mut self.connection, i64::from(count))
    }

    /// Rows after a position.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn rows_after(&mut self, after: Seq, limit: u32) -> Result<Vec<Row>, DbError> {
        journal_rows::rows_after(&mut self.connection, after, i64::from(limit))
    }

    /// The recorded archive files, oldest first.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn archives(&mut self) -> Result<Vec<super::Archived>, DbError> {
        archive::list(&mut self.connection)
    }
}
