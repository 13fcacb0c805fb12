//! Opening connections: each with its settings, every one of them read back and compared.
//!
//! A setting that silently does not take (WAL on a network file system, a library built otherwise) would turn
//! "acknowledged" into "probably". So nothing is handed out before all of it was seen.

use super::error::{DbError, WriteError, sql};
use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql as literal;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
use std::path::Path;
use std::time::Duration;

/// Milliseconds that a connection waits for a lock unless told otherwise.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages in the write-ahead log after which they are moved to the database.
const WAL_AUTOCHECKPOINT_PAGES: i64 = 4_000;
/// Bytes of log that stay on the disk after that.
const JOURNAL_SIZE_LIMIT_BYTES: i64 = 64 * 1024 * 1024;
/// Pages that the writer keeps in memory, as SQLite counts it: negative means KiB.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reads. The file is opened read-only, so that not even closing it changes anything.
    Read,
    /// Writes, to a database that is there.
    Write,
    /// Writes, to a database that may be made.
    Create,
}

/// Opens one connection.
///
/// # Errors
/// [`DbError::Pragma`] when a setting does not take, [`DbError::Sql`] when the file cannot be opened.
pub(super) fn open(path: &Path, purpose: Purpose, busy: Duration) -> Result<SqliteConnection, DbError> {
    let mut connection = SqliteConnection::establish(&uri(path, purpose)).map_err(|error| DbError::Sql {
        doing: "opening the database",
        fault: WriteError::Io { says: error.to_string() },
    })?;
    settle(&mut connection, purpose, busy)?;
    Ok(connection)
}

/// The address of a file for SQLite, with everything that has a meaning in an address escaped.
pub(super) fn uri(path: &Path, purpose: Purpose) -> String {
    let mode = match purpose {
        Purpose::Read => "ro",
        Purpose::Write => "rw",
        Purpose::Create => "rwc",
    };
    let mut escaped = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~');
        if plain {
            escaped.push(char::from(*byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("file:{escaped}?mode={mode}")
}

/// Makes every setting and reads it back.
pub(super) fn settle(
    connection: &mut SqliteConnection,
    purpose: Purpose,
    busy: Duration,
) -> Result<(), DbError> {
    let busy_ms = i64::try_from(busy.as_millis()).unwrap_or(i64::MAX);
    // First, so that what follows waits for locks as everything else does.
    set(connection, "busy_timeout", busy_ms)?;
    if purpose != Purpose::Read {
        run(connection, "PRAGMA journal_mode = WAL")?;
        set(connection, "cache_size", -WRITER_CACHE_KIB)?;
    }
    expect_text(connection, "journal_mode", "wal")?;
    set(connection, "synchronous", 2)?;
    set(connection, "foreign_keys", 1)?;
    set(connection, "wal_autocheckpoint", WAL_AUTOCHECKPOINT_PAGES)?;
    set(connection, "journal_size_limit", JOURNAL_SIZE_LIMIT_BYTES)?;
    set(connection, "trusted_schema", 0)?;
    set(connection, "query_only", i64::from(purpose == Purpose::Read))
}

/// Makes one numeric setting and reads it back.
pub(super) fn set(connection: &mut SqliteConnection, name: &'static str, wanted: i64) -> Result<(), DbError> {
    run(connection, &format!("PRAGMA {name} = {wanted}"))?;
    let found = number(connection, name)?;
    if found == wanted {
        return Ok(());
    }
    Err(DbError::Pragma { name, wanted: wanted.to_string(), found: found.to_string() })
}

/// Reads one numeric setting.
pub(super) fn number(connection: &mut SqliteConnection, name: &'static str) -> Result<i64, DbError> {
    literal::<BigInt>(&format!("PRAGMA {name}")).get_result(connection).map_err(sql("reading a setting"))
}

fn expect_text(connection: &mut SqliteConnection, name: &'static str, wanted: &str) -> Result<(), DbError> {
    let query = literal::<Text>(&format!("PRAGMA {name}"));
    let found: String = query.get_result(connection).map_err(sql("reading a setting"))?;
    if found == wanted {
        return Ok(());
    }
    Err(DbError::Pragma { name, wanted: wanted.to_owned(), found })
}

fn run(connection: &mut SqliteConnection, statement: &str) -> Result<(), DbError> {
    connection.batch_execute(statement).map_err(sql("making a setting"))
}

/// Every setting of a connection, for those who show or test them.
///
/// # Errors
/// [`DbError::Sql`].
pub(super) fn settings(connection: &mut SqliteConnection) -> Result<Vec<(&'static str, String)>, DbError> {
    let mode: String =
        literal::<Text>("PRAGMA journal_mode").get_result(connection).map_err(sql("reading a setting"))?;
    let mut all = vec![("journal_mode", mode)];
    for name in [
        "synchronous",
        "foreign_keys",
        "busy_timeout",
        "wal_autocheckpoint",
        "journal_size_limit",
        "trusted_schema",
        "query_only",
    ] {
        all.push((name, number(connection, name)?.to_string()));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_escaped() {
        let path = Path::new("/a b/100%?x#y/plimsoll.db");
        assert_eq!(uri(path, Purpose::Read), "file:/a%20b/100%25%3Fx%23y/plimsoll.db?mode=ro");
    }

    #[test]
    fn a_setting_that_does_not_take_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let mut connection = open(&path, Purpose::Create, BUSY_TIMEOUT).unwrap();
        // The page size cannot change once the database is there.
        let error = set(&mut connection, "page_size", 512).unwrap_err();
        assert!(matches!(error, DbError::Pragma { name: "page_size", .. }), "{error}");
        // A database in memory has no write-ahead log, whatever is asked.
        let mut memory = SqliteConnection::establish(":memory:").unwrap();
        let error = settle(&mut memory, Purpose::Write, BUSY_TIMEOUT).unwrap_err();
        assert!(matches!(error, DbError::Pragma { name: "journal_mode", .. }), "{error}");
    }

    #[test]
    fn a_reader_neither_makes_nor_changes_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        assert!(open(&path, Purpose::Read, BUSY_TIMEOUT).is_err());
        assert!(!path.exists());
    }
}
