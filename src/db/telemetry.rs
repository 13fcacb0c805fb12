//! The `telemetry` table: measurements that may be lost. They are no part of the journal.

use super::lines::{Binds, Line};
use crate::domain::time::WallMs;
use diesel::QueryResult;

/// Rows that are kept; older ones make room.
pub(super) const KEPT_ROWS: i64 = 200_000;

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetryRow {
    /// When (wall clock).
    pub at: WallMs,
    /// What kind.
    pub kind: &'static str,
    /// JSON.
    pub payload: String,
}

/// Names the statements of this table.
pub(super) struct Table;

impl Line for TelemetryRow {
    type Table = Table;
    const HEAD: &'static str = "INSERT INTO telemetry (at_ms,kind,payload) VALUES ";
    const TAIL: &'static str = "";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        to.int(&self.at.0)?;
        to.text(self.kind)?;
        to.text(&self.payload)
    }
}
