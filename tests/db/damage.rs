//! Damage is found and named, and what is there stays as it was found.

use crate::support::*;
use plimsoll::db::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A journal of 401 rows, closed.
fn journal() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    for ticket in 1..=4 {
        writer.append(&[rows(ticket, 100)]).unwrap();
    }
    dir
}

/// The directory as a killed process leaves it: a copy taken while the journal is open.
fn left_open() -> TempDir {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(writer(dir.path()));
    let mut writer = writer(dir.path());
    writer.append(&[rows(1, 100)]).unwrap();
    writer.append(&[rows(2, 100)]).unwrap();
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

/// Everything that is evidence. The lock and the index of the log say nothing about rows.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let name = |entry: &fs::DirEntry| entry.file_name().into_string().unwrap();
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| !matches!(name(entry).as_str(), "lock" | "plimsoll.db-shm" | "archive"))
        .filter(|entry| !(name(entry).ends_with("-wal") && entry.metadata().unwrap().len() == 0))
        .map(|entry| (name(&entry), fs::read(entry.path()).unwrap()))
        .collect()
}

/// The whole check by command and the check at a start both find it, and neither changes anything.
fn found(dir: &Path) -> Corruption {
    let before = contents(dir);
    let by_command = Inspector::open(dir).and_then(|mut inspector| inspector.verify()).unwrap_err();
    let at_start = Writer::open(dir, quick()).and_then(|mut writer| writer.verify_from_last());
    assert_eq!(contents(dir), before, "nothing was repaired or deleted");
    assert!(by_command.is_corruption() && by_command.to_string().contains(RUNBOOK_CORRUPT), "{by_command}");
    let at_start = at_start.unwrap_err();
    assert!(at_start.is_corruption(), "{at_start}");
    match by_command {
        DbError::Corrupt(corruption) => corruption,
        other => panic!("{other}"),
    }
}

fn damage(dir: &Path, statements: &str) {
    sql(dir, "DROP TRIGGER journal_rows_never_change; DROP TRIGGER journal_rows_stay").unwrap();
    sql(dir, statements).unwrap();
}

#[test]
fn a_byte_that_flips_inside_a_value() {
    let dir = journal();
    let path = dir.path().join(DATABASE);
    let mut bytes = fs::read(&path).unwrap();
    let place =
        bytes.windows(8).position(|window| window == b"\"n\":2007").expect("the value is in the file");
    bytes[place + 7] = b'8';
    fs::write(&path, bytes).unwrap();
    // SQLite itself sees nothing wrong.
    Inspector::open(dir.path()).unwrap().quick_check().unwrap();
    // Row 1 is the first, rows 2 to 101 carry 1000 to 1099, row 109 carries 2007.
    assert_eq!(found(dir.path()), Corruption::Checksum { seq: 109 });
}

#[test]
fn a_deleted_row() {
    let dir = journal();
    damage(dir.path(), "DELETE FROM journal WHERE seq = 42");
    assert_eq!(found(dir.path()), Corruption::Gap { expected: 42, found: 43 });
}

#[test]
fn two_rows_that_changed_places() {
    let dir = journal();
    damage(
        dir.path(),
        "UPDATE journal SET seq = 9000 WHERE seq = 20; UPDATE journal SET seq = 20 WHERE seq = 21;
         UPDATE journal SET seq = 21 WHERE seq = 9000",
    );
    assert_eq!(found(dir.path()), Corruption::Checksum { seq: 20 });
}

#[test]
fn the_last_rows_deleted() {
    let dir = journal();
    damage(dir.path(), "DELETE FROM journal WHERE seq > 390");
    assert_eq!(found(dir.path()), Corruption::Short { head: 390, acknowledged: 401 });
}

#[test]
fn a_history_that_was_replaced() {
    let (dir, other) = (journal(), journal());
    fs::copy(other.path().join(DATABASE), dir.path().join(DATABASE)).unwrap();
    assert_eq!(found(dir.path()), Corruption::Replaced { seq: 401 });
}

#[test]
fn yesterdays_database() {
    let dir = journal();
    let copy = fs::read(dir.path().join(DATABASE)).unwrap();
    writer(dir.path()).append(&[rows(9, 5)]).unwrap();
    fs::write(dir.path().join(DATABASE), copy).unwrap();
    assert_eq!(found(dir.path()), Corruption::Short { head: 401, acknowledged: 406 });
}

#[test]
fn a_snapshot_that_was_changed() {
    let dir = journal();
    writer(dir.path()).append(&[with_snapshot(5, 1, r#"{"orders":7}"#)]).unwrap();
    sql(dir.path(), r#"UPDATE snapshots SET payload = '{"orders":8}'"#).unwrap();
    assert_eq!(found(dir.path()), Corruption::Snapshot { seq: 402 });
    let error = writer(dir.path()).latest_snapshot().unwrap_err();
    assert!(error.is_corruption(), "{error}");
}

#[test]
fn a_log_that_was_cut_and_one_that_is_gone() {
    for cut in [2, 5, 20] {
        let dir = left_open();
        let log = dir.path().join("plimsoll.db-wal");
        let bytes = fs::read(&log).unwrap();
        fs::write(&log, &bytes[..bytes.len() - bytes.len() / cut]).unwrap();
        let corruption = found(dir.path());
        assert!(matches!(corruption, Corruption::Short { acknowledged: 201, .. }), "{corruption}");
    }
    let dir = left_open();
    fs::remove_file(dir.path().join("plimsoll.db-wal")).unwrap();
    assert_eq!(found(dir.path()), Corruption::Short { head: 1, acknowledged: 201 });
    // Left alone, it is whole.
    let dir = left_open();
    Inspector::open(dir.path()).unwrap().verify().unwrap();
    assert_eq!(writer(dir.path()).head().seq.0, 201);
}

#[test]
fn a_file_that_was_cut() {
    for keep in [0, 100, 4_096, 20_000, 60_000] {
        let dir = journal();
        let path = dir.path().join(DATABASE);
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() > 100_000, "{}", bytes.len());
        fs::write(&path, &bytes[..keep]).unwrap();
        let before = contents(dir.path());
        let opened = Writer::open(dir.path(), quick()).and_then(|mut writer| writer.verify_from_last());
        let checked = Inspector::open(dir.path()).and_then(|mut inspector| inspector.quick_check());
        let (opened, checked) = (opened.unwrap_err(), checked.unwrap_err());
        assert!(opened.is_corruption() && checked.is_corruption(), "{keep}: {opened}; {checked}");
        assert_eq!(contents(dir.path()), before, "{keep}");
    }
}

#[test]
fn a_database_that_is_gone() {
    let dir = journal();
    fs::remove_file(dir.path().join(DATABASE)).unwrap();
    let before = contents(dir.path());
    for error in [Writer::open(dir.path(), quick()).unwrap_err(), Inspector::open(dir.path()).unwrap_err()] {
        assert!(matches!(error, DbError::Missing { .. }) && error.is_corruption(), "{error}");
        assert!(error.to_string().contains(RUNBOOK_CORRUPT), "{error}");
    }
    assert_eq!(contents(dir.path()), before, "nothing was begun in its place");
    let empty = tempfile::tempdir().unwrap();
    let error = Inspector::open(empty.path()).unwrap_err();
    assert!(matches!(error, DbError::NoJournal { .. }) && !error.is_corruption(), "{error}");
    assert!(contents(empty.path()).is_empty());
}
