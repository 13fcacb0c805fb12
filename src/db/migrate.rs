//! Migrations: embedded, each in a transaction, and none run on a schema that is newer than this program.

use super::error::{DbError, WriteError, sql};
use diesel::dsl::sql as literal;
use diesel::migration::Migration as _;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;
use diesel::{RunQueryDsl as _, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use std::error::Error;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

fn failed(error: Box<dyn Error + Send + Sync>) -> DbError {
    let fault = error
        .downcast_ref::<diesel::result::Error>()
        .map_or_else(|| WriteError::Other { says: error.to_string() }, WriteError::of);
    DbError::Sql { doing: "migrating the schema", fault }
}

/// Versions of all migrations of this program, oldest first.
pub(super) fn known() -> Result<Vec<String>, DbError> {
    let all = <EmbeddedMigrations as diesel::migration::MigrationSource<Sqlite>>::migrations(&MIGRATIONS);
    let mut versions: Vec<String> =
        all.map_err(failed)?.iter().map(|m| m.name().version().to_string()).collect();
    versions.sort();
    Ok(versions)
}

/// Versions that were run on a database, oldest first. Writes nothing; a database without any has run none.
pub(super) fn applied(connection: &mut SqliteConnection) -> Result<Vec<String>, DbError> {
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = '__diesel_schema_migrations'";
    let tables: i64 = literal::<BigInt>(tables).get_result(connection).map_err(sql("reading the schema"))?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    literal::<Text>("SELECT version FROM __diesel_schema_migrations ORDER BY version")
        .load(connection)
        .map_err(sql("reading the schema"))
}

/// Refuses a schema with a migration that this program does not know.
pub(super) fn refuse_newer(applied: &[String]) -> Result<(), DbError> {
    let known = known()?;
    match applied.iter().find(|version| !known.contains(version)) {
        Some(version) => Err(DbError::NewerSchema { version: version.clone() }),
        None => Ok(()),
    }
}

/// Runs what is missing.
pub(super) fn run(connection: &mut SqliteConnection) -> Result<(), DbError> {
    connection.run_pending_migrations(MIGRATIONS).map_err(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::Connection as _;

    #[test]
    fn up_and_down_and_up_again() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        run(&mut connection).unwrap();
        assert_eq!(applied(&mut connection).unwrap(), known().unwrap());
        connection.revert_all_migrations(MIGRATIONS).unwrap();
        assert_eq!(applied(&mut connection).unwrap(), Vec::<String>::new());
        run(&mut connection).unwrap();
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut versions = known().unwrap();
        assert!(refuse_newer(&versions).is_ok());
        versions.push("20990101000000".to_owned());
        let error = refuse_newer(&versions).unwrap_err();
        assert!(
            matches!(error, DbError::NewerSchema { ref version } if version == "20990101000000"),
            "{error}"
        );
    }
}
