//! Write transactions that hold the write lock from their first statement.
//!
//! `BEGIN IMMEDIATE` waits for the lock as long as the busy timeout says. A deferred transaction that reads first and
//! writes later fails at once when somebody committed in between, whatever the timeout.
//!
//! The statements are sent as text rather than through diesel's transaction manager: SQLite rolls back by itself on
//! a full disk or an I/O error, after which the manager takes the connection for broken and refuses it for good.

use super::error::WriteError;
use diesel::connection::SimpleConnection as _;
use diesel::{QueryResult, SqliteConnection};

/// A transaction that was not committed, as far as the connection knows.
#[derive(Debug)]
pub(super) struct Failed {
    /// Why.
    pub(super) fault: WriteError,
    /// The connection may still be inside the transaction and must be replaced.
    pub(super) stuck: bool,
}

/// Runs `work` in a transaction; any error undoes all of it.
pub(super) fn immediate<T>(
    connection: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
) -> Result<T, Failed> {
    if let Err(error) = connection.batch_execute("BEGIN IMMEDIATE") {
        // "Cannot start a transaction within a transaction": an earlier one was never ended.
        let stuck = error.to_string().contains("within a transaction");
        return Err(Failed { fault: WriteError::of(&error), stuck });
    }
    let done = work(connection).and_then(|value| connection.batch_execute("COMMIT").map(|()| value));
    done.map_err(|error| {
        let fault = WriteError::of(&error);
        let stuck = match connection.batch_execute("ROLLBACK") {
            Ok(()) => false,
            // SQLite has rolled back by itself.
            Err(error) => !error.to_string().contains("no transaction is active"),
        };
        Failed { fault, stuck }
    })
}
