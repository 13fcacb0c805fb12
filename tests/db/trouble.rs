//! Full, locked, read-only: refused with the reason, nothing half-applied, and well again afterwards.

use crate::support::*;
use plimsoll::db::*;
use std::time::{Duration, Instant};

#[test]
fn a_full_database_takes_nothing_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let pages = writer.pages().unwrap();
    writer.set_pages_max(Some(pages + 20)).unwrap();
    let mut ticket = 0;
    let error = loop {
        ticket += 1;
        let before = writer.head();
        match writer.append(&[rows(ticket, 20)]) {
            Ok(_) => assert!(ticket < 100, "never full"),
            Err(error) => {
                assert_eq!(writer.head(), before);
                break error;
            }
        }
    };
    assert!(matches!(error, WriteError::Full { .. }) && error.may_pass(), "{error}");
    let head = writer.head();
    assert_eq!(Inspector::open(dir.path()).unwrap().verify().unwrap().head, head);
    writer.set_pages_max(None).unwrap();
    writer.append(&[rows(ticket, 20)]).unwrap();
    assert_eq!(writer.head().seq.0, head.seq.0 + 20);
    writer.verify_from_last().unwrap();
}

#[test]
fn a_foreign_lock_is_waited_for_and_then_reported() {
    let dir = tempfile::tempdir().unwrap();
    let busy = Duration::from_millis(300);
    let options = Options { busy_timeout: busy, ..Options::default() };
    let mut writer = Writer::open(dir.path(), options).unwrap();
    let mut foreign = plain(dir.path());
    execute(&mut foreign, "BEGIN IMMEDIATE").unwrap();
    let began = now();
    let error = writer.append(&[rows(1, 1)]).unwrap_err();
    assert!(matches!(error, WriteError::Busy { .. }) && error.may_pass(), "{error}");
    assert!(began.elapsed() >= busy, "{:?}", began.elapsed());
    let (sender, waits) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            sender.send(()).unwrap();
            writer.append(&[rows(2, 1)]).unwrap();
        });
        waits.recv().unwrap();
        execute(&mut foreign, "COMMIT").unwrap();
    });
    assert_eq!(writer.head().seq.0, 2, "the lock went away in time");
}

#[test]
fn a_long_reader_holds_up_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let mut reader = plain(dir.path());
    execute(&mut reader, "BEGIN; SELECT count(*) FROM journal").unwrap();
    for ticket in 1..=20 {
        writer.append(&[rows(ticket, 100)]).unwrap();
    }
    execute(&mut reader, "ROLLBACK").unwrap();
    assert_eq!(writer.head().seq.0, 2_001);
}

#[test]
fn a_directory_that_may_not_be_written_is_refused_and_can_be_read() {
    if rustix::process::geteuid().is_root() {
        println!("skipped: permissions do not bind root");
        return;
    }
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    drop(writer(dir.path()));
    let mode = |mode: u32| {
        std::fs::set_permissions(dir.path().join(DATABASE), std::fs::Permissions::from_mode(mode))
    };
    mode(0o400).unwrap();
    let refused = Writer::open(dir.path(), quick()).and_then(|mut writer| {
        writer.append(&[rows(1, 1)]).map_err(|fault| DbError::Sql { doing: "appending", fault })
    });
    let error = refused.unwrap_err();
    assert!(error.to_string().contains("read"), "{error}");
    Inspector::open(dir.path()).unwrap().verify().unwrap();
    mode(0o600).unwrap();
    writer(dir.path()).append(&[rows(1, 1)]).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the test measures a wait")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn measurements_are_kept_apart_and_bounded_by_age() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let head = writer.head();
    let row = |n: i64| TelemetryRow {
        at: plimsoll::domain::time::WallMs(n),
        kind: "latency",
        payload: "{}".to_owned(),
    };
    writer.append_telemetry(&(0..100).map(row).collect::<Vec<_>>()).unwrap();
    writer.heartbeat().unwrap();
    assert_eq!(writer.head(), head, "no rows of the journal");
    Inspector::open(dir.path()).unwrap().verify().unwrap();
}
