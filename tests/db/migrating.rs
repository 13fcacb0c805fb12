//! Schemas: before or after a migration, never between; never an older program on a newer schema.

use crate::child::{Process, Task};
use crate::support::*;
use diesel::RunQueryDsl as _;
use diesel::dsl::sql as literal;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use plimsoll::db::{DATABASE, DbError, Writer};
use std::path::Path;
use std::time::Duration;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Tables of ours after each migration.
const TABLES: [i64; 10] = [0, 5, 9, 10, 12, 16, 17, 19, 20, 20];

fn applied(dir: &Path) -> usize {
    let mut connection = plain(dir);
    let exists: i64 =
        literal::<BigInt>("SELECT count(*) FROM sqlite_schema WHERE name = '__diesel_schema_migrations'")
            .get_result(&mut connection)
            .unwrap();
    let versions: Vec<String> = match exists {
        0 => Vec::new(),
        _ => literal::<Text>("SELECT version FROM __diesel_schema_migrations").load(&mut connection).unwrap(),
    };
    let tables: i64 = literal::<BigInt>(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_\\_%' ESCAPE '\\'",
    )
    .get_result(&mut connection)
    .unwrap();
    assert_eq!(tables, TABLES[versions.len()], "{} migrations", versions.len());
    versions.len()
}

#[test]
fn a_kill_in_the_middle_leaves_one_side_or_the_other() {
    let rounds = if std::env::var_os("PLIMSOLL_NIGHTLY").is_some() { 200 } else { 25 };
    let mut seen = std::collections::BTreeMap::<usize, u32>::new();
    for round in 0..rounds {
        let dir = tempfile::tempdir().unwrap();
        // Half of them begin with the schema of an earlier program.
        if round % 2 == 0 {
            let mut connection = plain(dir.path());
            execute(&mut connection, "PRAGMA journal_mode = WAL").unwrap();
            connection.run_next_migration(MIGRATIONS).unwrap();
        }
        let mut process = Process::start(Task::Open, dir.path());
        assert_eq!(process.fact().as_deref(), Some("ready"));
        std::thread::park_timeout(Duration::from_micros(fastrand::u64(0..12_000)));
        process.kill();
        if dir.path().join(DATABASE).exists() {
            *seen.entry(applied(dir.path())).or_default() += 1;
        }
        let mut writer = writer(dir.path());
        writer.append(&[rows(1, 3)]).unwrap();
        assert_eq!((writer.head().seq.0, applied(dir.path())), (4, TABLES.len() - 1));
        writer.verify_from_last().unwrap();
    }
    println!("migrations found applied after a kill: {seen:?}");
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(writer(dir.path()));
    sql(dir.path(), "INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')").unwrap();
    let before = std::fs::read(dir.path().join(DATABASE)).unwrap();
    let error = Writer::open(dir.path(), quick()).unwrap_err();
    assert!(matches!(&error, DbError::NewerSchema { version } if version == "20990101000000"), "{error}");
    assert_eq!(std::fs::read(dir.path().join(DATABASE)).unwrap(), before);
}
