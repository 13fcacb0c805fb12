//! Killed at any instant: what was acknowledged is there, in order, and the chain holds.

use crate::child::{Process, Task};
use crate::support::*;
use plimsoll::db::Inspector;
use std::time::Duration;

fn rounds() -> u64 {
    if std::env::var_os("PLIMSOLL_NIGHTLY").is_some() { 120 } else { 20 }
}

#[test]
fn no_acknowledged_row_is_lost_to_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut total) = (0_u64, 0_u64);
    for round in 0..rounds() {
        let mut process = Process::start(Task::Append, dir.path());
        // A number of commits, then a moment within the next ones.
        for _ in 0..fastrand::u64(1..60) {
            acknowledged = process.fact().expect("the child appends").parse().unwrap();
        }
        std::thread::park_timeout(Duration::from_micros(fastrand::u64(0..3_000)));
        process.kill();
        // What it still said before it died counts as well.
        while let Some(more) = process.fact() {
            acknowledged = more.parse().unwrap();
        }
        let verified = Inspector::open(dir.path()).unwrap().verify().unwrap();
        assert!(
            verified.head.seq.0 >= acknowledged,
            "round {round}: row {acknowledged} was acknowledged, {verified:?}"
        );
        let mut writer = writer(dir.path());
        assert_eq!(writer.head(), verified.head);
        assert_eq!(writer.verify_from_last().unwrap(), verified.head);
        total = verified.head.seq.0;
    }
    assert!(total > rounds() * 5, "{total} rows in {} rounds", rounds());
    println!("{} kills, {total} rows, 0 acknowledged rows lost", rounds());
}

#[test]
fn a_second_process_is_refused_and_readers_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = Process::start(Task::Hold, dir.path());
    assert_eq!(process.fact().as_deref(), Some("open"));
    let error = plimsoll::db::Writer::open(dir.path(), quick()).unwrap_err();
    let pid = process.child.id();
    assert!(matches!(error, plimsoll::db::DbError::Locked { pid: Some(held), .. } if held == pid), "{error}");
    assert!(error.to_string().contains(&pid.to_string()), "{error}");
    Inspector::open(dir.path()).unwrap().verify().unwrap();
    process.kill();
    drop(writer(dir.path()));
}

#[test]
fn a_write_that_fails_at_any_byte_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = Process::start(Task::Limited, dir.path());
    let fact = process.fact().expect("the child ends well");
    let head: u64 = fact.split_once(' ').unwrap().1.parse().unwrap();
    assert!(process.child.wait().unwrap().success());
    assert_eq!(Inspector::open(dir.path()).unwrap().verify().unwrap().head.seq.0, head);
}
