//! Rows that left the database are still links of the chain, and still readable.

use crate::support::*;
use plimsoll::db::*;
use plimsoll::domain::journal::Seq;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const KEEP: Keep = Keep { rows: 100, slice: 60 };

/// 501 rows with snapshots at 201, 301, 401; two slices of 60 were archived... as many as may be.
fn archived() -> (TempDir, u64) {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    for ticket in 1..=5 {
        let batch = match ticket {
            2..=4 => with_snapshot(ticket, 100, &format!("{{\"t\":{ticket}}}")),
            _ => rows(ticket, 100),
        };
        writer.append(&[batch]).unwrap();
    }
    let mut last = 0;
    while let Some(archived) = writer.archive(KEEP).unwrap() {
        assert_eq!(archived.first, Seq(last + 1));
        last = archived.last.seq.0;
    }
    (dir, last)
}

fn files(dir: &TempDir) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(dir.path().join(ARCHIVE)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn old_rows_leave_in_whole_slices_and_the_chain_holds() {
    let (dir, last) = archived();
    // The second newest snapshot stands at row 301, and its row stays: five slices of 60 are 300 rows.
    assert_eq!((last, files(&dir).len()), (300, 5));
    let mut inspector = Inspector::open(dir.path()).unwrap();
    let verified = inspector.verify().unwrap();
    assert_eq!((verified.archived, verified.rows, verified.files, verified.snapshots), (300, 201, 5, 3));
    let mut seen = Vec::new();
    inspector
        .export(|row| {
            seen.push(row.seq.0);
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, (1..=501).collect::<Vec<_>>());
    // Opened again, it goes on where it was.
    let mut writer = writer(dir.path());
    assert_eq!(writer.head().seq, Seq(501));
    writer.append(&[with_snapshot(6, 100, "{}"), rows(7, 100)]).unwrap();
    assert_eq!(writer.archive(KEEP).unwrap().map(|archived| archived.last.seq.0), Some(360));
    assert_eq!(Inspector::open(dir.path()).unwrap().verify().unwrap().archived, 360);
}

#[test]
fn without_two_snapshots_nothing_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    writer.append(&[with_snapshot(1, 900, "{}")]).unwrap();
    assert_eq!(writer.archive(KEEP).unwrap(), None);
    writer.append(&[with_snapshot(2, 10, "{}")]).unwrap();
    assert!(writer.archive(KEEP).unwrap().is_some());
    assert_eq!(writer.archive(Keep { rows: 100_000, slice: 1 }).unwrap(), None, "few rows are all kept");
}

#[test]
fn a_file_that_was_written_before_a_crash_is_written_anew() {
    let (dir, _) = archived();
    let mut writer = writer(dir.path());
    writer.append(&[with_snapshot(6, 100, "{}"), rows(7, 100)]).unwrap();
    let name = format!("{:020}-{:020}.jsonl.gz", 301, 360);
    for left in [name.clone(), format!("{name}.part")] {
        fs::write(dir.path().join(ARCHIVE).join(left), "half").unwrap();
    }
    assert_eq!(writer.archive(KEEP).unwrap().map(|archived| archived.file), Some(name));
    Inspector::open(dir.path()).unwrap().verify().unwrap();
}

#[test]
fn damage_in_an_archive_is_found_and_named() {
    let verify = |dir: &TempDir| match Inspector::open(dir.path()).unwrap().verify().unwrap_err() {
        DbError::Corrupt(corruption) => corruption,
        other => panic!("{other}"),
    };
    let (dir, _) = archived();
    let second = files(&dir).remove(1);
    let whole = fs::read(&second).unwrap();
    for (name, bytes) in [
        ("a flipped byte", {
            let mut bytes = whole.clone();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            bytes
        }),
        ("cut short", whole[..whole.len() / 2].to_vec()),
        ("emptied", Vec::new()),
        ("longer", [whole.as_slice(), b"x"].concat()),
    ] {
        fs::write(&second, &bytes).unwrap();
        let corruption = verify(&dir);
        let named = matches!(&corruption, Corruption::Archive { file, seq, .. }
            if second.ends_with(file) && (61..=121).contains(seq));
        assert!(named, "{name}: {corruption:?}");
        assert_eq!(fs::read(&second).unwrap(), bytes, "left as it is");
    }
    fs::remove_file(&second).unwrap();
    let corruption = verify(&dir);
    assert!(matches!(corruption, Corruption::ArchiveMissing { first: 61, last: 120, .. }), "{corruption:?}");
    assert_eq!(corruption.first_bad(), Some(Seq(61)));
}
