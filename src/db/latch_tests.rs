//! The latch's files under everything that can happen to files.

use super::*;
use crate::domain::kill_switch::{ACTOR_CHARS_MAX, Cause, read};
use crate::domain::time::WallMs;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

fn record(generation: u64, cause: Option<Cause>) -> LatchRecord {
    LatchRecord { generation, cause, ..LatchRecord::first(WallMs(7)) }
}

fn desk() -> (tempfile::TempDir, LatchFiles) {
    let folder = tempfile::tempdir().unwrap();
    let files = LatchFiles::at(&folder.path().join("data"));
    (folder, files)
}

/// Generation and cause of what a start would begin with.
fn begun(files: &LatchFiles) -> (u64, Option<Cause>) {
    let found = files.read();
    let reading = read(&found.a, &found.b, found.used_before, WallMs(9));
    (reading.record.generation, reading.record.cause)
}

#[test]
fn a_new_directory_is_disengaged_and_an_old_one_without_copies_is_not() {
    let (_folder, files) = desk();
    assert_eq!(begun(&files), (1, None));
    files.write(&record(1, None)).unwrap();
    assert_eq!(begun(&files), (1, None));
    for name in COPIES {
        fs::remove_file(files.path(name)).unwrap();
    }
    assert_eq!(begun(&files), (1, Some(Cause::Unreadable)), "both are gone");
    let (_folder, files) = desk();
    fs::create_dir_all(files.dir.root()).unwrap();
    fs::write(files.path("journal-created"), "").unwrap();
    assert_eq!(begun(&files), (1, Some(Cause::Unreadable)), "a journal was begun here");
}

#[test]
fn what_was_written_is_read_and_private_and_one_block() {
    let (_folder, files) = desk();
    let long = LatchRecord {
        actor: "\"".repeat(ACTOR_CHARS_MAX),
        reason: "\u{1F6D1}".repeat(REASON_CHARS_MAX),
        ..record(u64::MAX, Some(Cause::JournalFault))
    };
    files.write(&long).unwrap();
    let found = files.read();
    assert_eq!((&found.a, &found.b), (&Copied::Good(long.clone()), &Copied::Good(long)));
    for name in COPIES {
        let meta = fs::metadata(files.path(name)).unwrap();
        assert_eq!((meta.permissions().mode() & 0o777, meta.len()), (0o600, 4_096));
    }
}

#[test]
fn a_flipped_byte_anywhere_is_noticed_or_means_the_same() {
    let (_folder, files) = desk();
    let engaged = record(2, Some(Cause::Operator));
    files.write(&engaged).unwrap();
    let path = files.path(COPIES[0]);
    let good = fs::read(&path).unwrap();
    let text = good.iter().rposition(|byte| *byte == b'}').unwrap();
    let mut noticed = 0;
    for at in 0..=text {
        for flip in [0x01, 0x20, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            match decode(&bad) {
                Ok(read) => assert_eq!(read, engaged, "byte {at} changed what it says"),
                Err(_) => noticed += 1,
            }
        }
    }
    assert!(noticed > 3 * text - 10, "{noticed} of {text} bytes");
}

#[test]
fn a_torn_missing_or_foreign_copy_engages() {
    type Wreck = fn(&Path);
    let wreck: [(&str, Wreck); 6] = [
        ("torn", |path| fs::write(path, &fs::read(path).unwrap()[..100]).unwrap()),
        ("empty", |path| fs::write(path, "").unwrap()),
        ("missing", |path| fs::remove_file(path).unwrap()),
        ("zeros", |path| fs::write(path, [0; BLOCK]).unwrap()),
        ("huge", |path| fs::write(path, vec![b' '; 1 << 20]).unwrap()),
        ("a folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
    ];
    for (what, wreck) in wreck {
        for name in COPIES {
            let (_folder, files) = desk();
            files.write(&record(3, None)).unwrap();
            wreck(&files.path(name));
            assert_eq!(begun(&files), (4, Some(Cause::Unreadable)), "{what} {name}, not engaged before");
            let (_folder, files) = desk();
            files.write(&record(4, Some(Cause::Signal))).unwrap();
            wreck(&files.path(name));
            assert_eq!(begun(&files), (4, Some(Cause::Signal)), "{what} {name}, engaged before");
        }
    }
}

#[test]
fn contradicting_copies_engage() {
    let (_folder, files) = desk();
    files.write(&record(5, None)).unwrap();
    let old = fs::read(files.path(COPIES[0])).unwrap();
    files.write(&record(7, None)).unwrap();
    fs::write(files.path(COPIES[0]), old).unwrap();
    assert_eq!(begun(&files), (8, Some(Cause::Unreadable)), "a copy came back from yesterday");
}

/// Where no new file can be made, the old block takes the record.
#[test]
fn without_room_for_a_new_file_the_old_block_is_used() {
    let (_folder, files) = desk();
    files.write(&record(1, None)).unwrap();
    for name in COPIES {
        // A folder in the place of the new file: making it fails, as it does on a full disk.
        fs::create_dir(files.path(&format!("{name}.part"))).unwrap();
    }
    files.write(&record(2, Some(Cause::RiskBreach))).unwrap();
    assert_eq!(begun(&files), (2, Some(Cause::RiskBreach)));
}

#[test]
fn a_copy_that_cannot_be_written_is_told_and_the_other_holds() {
    let (_folder, files) = desk();
    files.write(&record(1, None)).unwrap();
    let (a, part) = (files.path(COPIES[0]), files.path(&format!("{}.part", COPIES[0])));
    fs::remove_file(&a).unwrap();
    fs::create_dir(&a).unwrap();
    fs::create_dir(&part).unwrap();
    let fault = files.write(&record(2, Some(Cause::Operator))).unwrap_err();
    assert!(fault.written == 1 && fault.why.contains("latch-a.json"), "{fault}");
    assert_eq!(begun(&files), (2, Some(Cause::Operator)));
    fs::remove_dir(&a).unwrap();
    fs::remove_dir(&part).unwrap();
    files.write(&record(2, Some(Cause::Operator))).unwrap();
    let found = files.read();
    assert_eq!(found.a, found.b);
}

#[test]
fn a_halt_file_is_seen_whatever_it_is() {
    let (_folder, files) = desk();
    assert!(!files.halted(), "no folder, no file");
    fs::create_dir_all(files.dir.root()).unwrap();
    let halt = files.path(HALT_FILE);
    assert!(!files.halted());
    for (content, reason) in [
        (&b"power test\x07 at noon\nmore"[..], "power test  at noon"),
        (b"", "the file HALT is in the data directory"),
        (b"\xff\xfe\n", "\u{fffd}\u{fffd}"),
    ] {
        fs::write(&halt, content).unwrap();
        assert!(files.halted());
        assert_eq!(files.halt_reason(), reason);
    }
    fs::write(&halt, "x".repeat(1 << 20)).unwrap();
    assert!(files.halt_reason().chars().count() <= REASON_CHARS_MAX);
    fs::remove_file(&halt).unwrap();
    std::os::unix::fs::symlink("nowhere", &halt).unwrap();
    assert!(files.halted(), "a link to nothing is still a word");
    assert!(files.halt_reason().contains("cannot be looked for"));
    fs::remove_file(&halt).unwrap();
    fs::create_dir(&halt).unwrap();
    assert!(files.halted());
    assert!(files.halt_reason().contains("is in the data directory"));
}
