//! The switch on real files: engaging, resetting, starting again, and disks that do not take it.

use super::*;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self) -> KillSwitch {
        KillSwitch::open(self.folder.path()).unwrap()
    }

    /// Makes every way of writing fail, and mends it again.
    fn break_disk(&self) {
        for copy in ["latch-a.json", "latch-b.json"] {
            // Neither a new file can be made nor the old one be written.
            fs::rename(self.path(copy), self.path(&format!("{copy}.kept"))).unwrap();
            fs::create_dir(self.path(copy)).unwrap();
            fs::create_dir(self.path(&format!("{copy}.part"))).unwrap();
        }
    }

    fn mend_disk(&self) {
        for copy in ["latch-a.json", "latch-b.json"] {
            fs::remove_dir(self.path(&format!("{copy}.part"))).unwrap();
            fs::remove_dir(self.path(copy)).unwrap();
            fs::rename(self.path(&format!("{copy}.kept")), self.path(copy)).unwrap();
        }
    }
}

/// Waits for something that another thread does.
fn until(what: &str, mut good: impl FnMut() -> bool) {
    let begun = crate::clock::monotonic();
    while !good() {
        assert!(begun.elapsed() < Duration::from_secs(10), "never: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn engaged_is_engaged_across_starts_until_a_person_resets() {
    let desk = Desk::new();
    let kill = desk.open();
    assert!(!kill.view().engaged && kill.view().durable.is_ok());
    let sending = kill.tripwire().enter().unwrap();
    let engaged = kill.engage(Cause::Operator, "anna", "looks wrong");
    assert_eq!((engaged.already, &engaged.durable), (false, &Ok(())));
    assert_eq!(kill.view().in_flight, 1);
    drop(sending);
    assert!(kill.tripwire().enter().is_none());
    let again = kill.engage(Cause::Signal, "signal", "SIGUSR1");
    assert_eq!((again.already, &again.record), (true, &engaged.record));
    assert_eq!((kill.view().repeats, kill.view().last_repeat), (1, Some(Cause::Signal)));
    drop(kill);

    let kill = desk.open();
    assert_eq!(kill.view().record, engaged.record);
    assert!(kill.tripwire().is_tripped() && kill.tripwire().enter().is_none());
    let refused = kill.reset(1, "anna", "fine again", &[]).unwrap_err();
    assert_eq!(refused.code(), "KILL_SWITCH_CHANGED");
    let refused = kill.reset(2, "anna", "fine again", &["a limit".to_owned()]).unwrap_err();
    assert_eq!(refused.code(), "KILL_SWITCH_CAUSE_STANDS");
    assert!(kill.tripwire().is_tripped());
    let reset = kill.reset(2, "anna", "fine again", &[]).unwrap();
    assert_eq!((reset.generation, reset.cause), (3, None));
    assert!(kill.tripwire().enter().is_some() && !kill.view().engaged);
    drop(kill);
    assert_eq!(desk.open().view().record, reset);
}

#[test]
fn a_halt_file_engages_at_the_start_and_while_running_and_holds_the_reset() {
    let desk = Desk::new();
    fs::write(desk.path("HALT"), "fire drill\nsecond line").unwrap();
    let kill = desk.open();
    let view = kill.view();
    assert_eq!(view.record.cause, Some(Cause::HaltFile));
    assert_eq!(view.record.reason, "fire drill");
    assert!(kill.tripwire().is_tripped());
    assert_eq!(kill.reset(2, "anna", "over", &[]).unwrap_err(), ResetRefused::HaltFile);
    fs::remove_file(desk.path("HALT")).unwrap();
    kill.reset(2, "anna", "over", &[]).unwrap();
    assert!(!kill.view().engaged);
    fs::write(desk.path("HALT"), "").unwrap();
    until("the watcher sees it", || kill.tripwire().is_tripped());
    until("and engages", || kill.view().record.cause == Some(Cause::HaltFile));
    assert_eq!(kill.view().repeats, 0, "one file is one word");
}

#[test]
fn what_cannot_be_read_is_engaged_and_is_mended_on_disk() {
    let desk = Desk::new();
    drop(desk.open());
    fs::write(desk.path("latch-b.json"), "not a latch").unwrap();
    let kill = desk.open();
    let view = kill.view();
    assert_eq!((view.record.cause, view.generation), (Some(Cause::Unreadable), 2));
    assert!(view.record.reason.contains("copy b unreadable"), "{}", view.record.reason);
    assert_eq!(view.durable, Ok(()), "written anew");
    kill.reset(2, "anna", "the copy was damaged on purpose", &[]).unwrap();
    drop(kill);
    assert!(!desk.open().view().engaged);
}

#[test]
fn a_disk_that_takes_nothing_delays_the_record_not_the_halt() {
    let desk = Desk::new();
    let kill = desk.open();
    desk.break_disk();
    let engaged = kill.engage(Cause::RiskBreach, "risk", "daily loss");
    assert!(kill.tripwire().is_tripped());
    assert!(engaged.durable.is_err(), "{engaged:?}");
    let refused = kill.reset(2, "anna", "too early", &[]).unwrap_err();
    assert_eq!(refused.code(), "KILL_SWITCH_NOT_DURABLE");
    desk.mend_disk();
    until("it is written after all", || kill.settle(Duration::from_secs(1)).is_ok());
    drop(kill);
    let kill = desk.open();
    assert_eq!(kill.view().record, engaged.record);
}

#[test]
fn a_reset_that_cannot_be_written_changes_nothing() {
    let desk = Desk::new();
    let kill = desk.open();
    kill.engage(Cause::Operator, "anna", "x").durable.unwrap();
    desk.break_disk();
    let refused = kill.reset(2, "anna", "fine", &[]).unwrap_err();
    assert_eq!(refused.code(), "KILL_SWITCH_NOT_DURABLE");
    assert!(kill.view().engaged && kill.tripwire().is_tripped());
    desk.mend_disk();
    until("the engaged record is written anew", || kill.settle(Duration::from_secs(1)).is_ok());
    let generation = kill.view().generation;
    assert_eq!(generation, 4, "the number of the reset is not used again");
    assert_eq!(kill.changes_after(2).len(), 1, "whoever follows the latch hears of the new number");
    kill.reset(generation, "anna", "fine", &[]).unwrap();
    drop(kill);
    assert!(!desk.open().view().engaged);
}

#[test]
fn a_switch_that_cannot_be_written_at_all_is_engaged_from_the_start() {
    let desk = Desk::new();
    for copy in ["latch-a.json", "latch-b.json"] {
        fs::create_dir(desk.path(copy)).unwrap();
        fs::create_dir(desk.path(&format!("{copy}.part"))).unwrap();
    }
    let kill = desk.open();
    assert_eq!(kill.view().record.cause, Some(Cause::Unreadable));
    assert!(kill.tripwire().is_tripped());
}

/// Resets and engagements race; whoever was told "engaged" after the last reset finds the wire tripped.
#[test]
fn an_engagement_wins_over_a_reset_under_way() {
    let desk = Desk::new();
    let kill = desk.open();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let resets = scope.spawn(|| {
            let mut done = 0_u32;
            while !over.load(SeqCst) {
                let generation = kill.view().generation;
                match kill.reset(generation, "anna", "again", &[]) {
                    Ok(_) => done += 1,
                    Err(refused) => assert!(
                        matches!(
                            refused,
                            ResetRefused::NotEngaged { .. }
                                | ResetRefused::EngagedAgain { .. }
                                | ResetRefused::Changed { .. }
                        ),
                        "{refused}"
                    ),
                }
            }
            done
        });
        for n in 0..200 {
            kill.engage(Cause::Operator, "ben", &n.to_string());
            until("reset by the other", || !kill.view().engaged);
        }
        over.store(true, SeqCst);
        assert!(resets.join().unwrap() >= 200);
    });
    let engaged = kill.engage(Cause::Operator, "ben", "last");
    assert!(kill.tripwire().is_tripped() && engaged.durable.is_ok());
    drop(kill);
    assert_eq!(desk.open().view().record, engaged.record);
}

#[test]
fn whoever_follows_is_woken_and_reads_every_change() {
    let desk = Desk::new();
    let kill = desk.open();
    let mut news = kill.subscribe();
    news.mark_unchanged();
    kill.engage(Cause::JournalFault, "journal", "checksum");
    assert!(news.has_changed().unwrap());
    kill.reset(2, "anna", "mended", &[]).unwrap();
    let generations: Vec<u64> = kill.changes_after(0).iter().map(|record| record.generation).collect();
    assert_eq!(generations, [1, 2, 3]);
    assert_eq!(kill.take_unlogged().len(), 3);
    assert!(kill.take_unlogged().is_empty());
    kill.acknowledge(2);
    kill.acknowledge(1);
    assert_eq!(kill.acknowledged(), Some(2), "an old word does not take a younger one back");
    kill.begin_anew();
    assert_eq!(kill.acknowledged(), None);
}

#[test]
fn engaging_takes_little_time() {
    let desk = Desk::new();
    let kill = desk.open();
    let begun = crate::clock::monotonic();
    let engaged = kill.engage_now(Cause::Operator, "anna", "quick");
    let took = begun.elapsed();
    assert!(kill.tripwire().is_tripped() && !engaged.already);
    // The bound is 1 ms; a machine that is busy with other tests gets more.
    assert!(took < Duration::from_millis(50), "{took:?}");
    kill.settle(Duration::from_secs(5)).unwrap();
}
