//! Tables of what two copies say together, and of what may change the latch.

use super::*;

fn off(generation: u64) -> LatchRecord {
    LatchRecord { generation, ..LatchRecord::first(WallMs(1)) }
}

fn on(generation: u64, cause: Cause) -> LatchRecord {
    LatchRecord { cause: Some(cause), ..off(generation) }
}

fn good(record: LatchRecord) -> Copied {
    Copied::Good(record)
}

fn torn() -> Copied {
    Copied::Unreadable("checksum".to_owned())
}

/// Generation and cause of what is read, both ways round.
fn both(a: &Copied, b: &Copied, used: bool) -> (u64, Option<Cause>) {
    let (one, other) = (read(a, b, used, WallMs(9)), read(b, a, used, WallMs(9)));
    assert_eq!(one.intact, other.intact);
    assert_eq!((one.record.generation, one.record.cause), (other.record.generation, other.record.cause));
    (one.record.generation, one.record.cause)
}

#[test]
fn only_a_new_directory_or_two_equal_copies_are_disengaged() {
    let unreadable = Some(Cause::Unreadable);
    let table = [
        // (a, b, used before, generation, cause)
        (Copied::Missing, Copied::Missing, false, 1, None),
        (Copied::Missing, Copied::Missing, true, 1, unreadable),
        (good(off(1)), Copied::Missing, false, 1, None),
        (good(off(1)), Copied::Missing, true, 2, unreadable),
        (good(off(3)), Copied::Missing, false, 4, unreadable),
        (good(off(3)), good(off(3)), true, 3, None),
        (good(off(3)), good(off(3)), false, 3, None),
        (good(off(3)), torn(), true, 4, unreadable),
        (good(off(1)), torn(), false, 2, unreadable),
        (Copied::Missing, torn(), false, 1, unreadable),
        (torn(), torn(), true, 1, unreadable),
        (torn(), torn(), false, 1, unreadable),
        (good(off(3)), good(off(5)), true, 6, unreadable),
    ];
    for (n, (a, b, used, generation, cause)) in table.into_iter().enumerate() {
        assert_eq!(both(&a, &b, used), (generation, cause), "row {n}: {a:?} {b:?} used={used}");
    }
}

#[test]
fn an_engaged_copy_wins_over_everything() {
    let breach = Some(Cause::RiskBreach);
    for used in [true, false] {
        for (other, generation) in [
            (Copied::Missing, 4),
            (torn(), 4),
            (good(off(3)), 4),
            (good(on(4, Cause::RiskBreach)), 4),
            // A reset that was cut off; its number is not used again.
            (good(off(5)), 6),
        ] {
            let got = both(&good(on(4, Cause::RiskBreach)), &other, used);
            assert_eq!(got, (generation, breach), "{other:?}");
        }
    }
    let younger = both(&good(on(4, Cause::RiskBreach)), &good(on(6, Cause::Signal)), true);
    assert_eq!(younger, (6, Some(Cause::Signal)));
}

#[test]
fn a_reading_says_whether_the_copies_are_to_be_written_anew() {
    let intact = |a: Copied, b: Copied| read(&a, &b, true, WallMs(9)).intact;
    assert!(intact(good(off(2)), good(off(2))));
    assert!(intact(good(on(2, Cause::Signal)), good(on(2, Cause::Signal))));
    assert!(!intact(good(on(2, Cause::Signal)), good(off(1))));
    assert!(!intact(good(on(2, Cause::Signal)), torn()));
    assert!(!read(&Copied::Missing, &Copied::Missing, false, WallMs(9)).intact);
}

#[test]
fn the_first_cause_stays_and_the_others_are_counted() {
    let mut latch = Latch::new(off(1));
    let Turn::Engaged(first) = latch.engage(WallMs(5), Cause::Operator, " anna\n", "looks\twrong ") else {
        panic!("it was not engaged");
    };
    let expected = LatchRecord {
        generation: 2,
        cause: Some(Cause::Operator),
        actor: "anna".to_owned(),
        reason: "looks wrong".to_owned(),
        at: WallMs(5),
    };
    assert_eq!(first, expected);
    assert_eq!(latch.engage(WallMs(6), Cause::Signal, "", "again"), Turn::Already(expected.clone()));
    assert_eq!((latch.record(), latch.repeats()), (&expected, (1, Some(Cause::Signal))));
}

fn ask(generation: u64) -> ResetAsk<'static> {
    ResetAsk {
        generation,
        actor: "anna",
        reason: "it was a test",
        standing: &[],
        halt_file: false,
        durable: true,
    }
}

#[test]
fn a_reset_needs_everything() {
    let latch = Latch::new(on(7, Cause::RiskBreach));
    let standing = ["daily loss at its limit".to_owned()];
    let table = [
        (ResetAsk { generation: 6, ..ask(7) }, "KILL_SWITCH_CHANGED: seen=6, generation=7"),
        (ResetAsk { generation: 8, ..ask(7) }, "KILL_SWITCH_CHANGED: seen=8, generation=7"),
        (ResetAsk { actor: " \n", ..ask(7) }, "KILL_SWITCH_UNNAMED: missing=actor"),
        (ResetAsk { reason: "", ..ask(7) }, "KILL_SWITCH_UNNAMED: missing=reason"),
        (
            ResetAsk { halt_file: true, ..ask(7) },
            "KILL_SWITCH_HALT_FILE: remove the file HALT from the data directory first",
        ),
        (
            ResetAsk { standing: &standing, ..ask(7) },
            "KILL_SWITCH_CAUSE_STANDS: standing=daily loss at its limit",
        ),
        (
            ResetAsk { durable: false, ..ask(7) },
            "KILL_SWITCH_NOT_DURABLE: the engaged latch is not on disk in both copies",
        ),
    ];
    for (ask, words) in table {
        let refused = latch.judge(WallMs(9), ask).unwrap_err();
        assert_eq!(refused.to_string(), words);
        assert!(words.starts_with(refused.code()));
    }
    let reset = latch.judge(WallMs(9), ask(7)).unwrap();
    assert_eq!((reset.generation, reset.cause, reset.actor.as_str()), (8, None, "anna"));
    let refused = Latch::new(off(3)).judge(WallMs(9), ask(3)).unwrap_err();
    assert_eq!(refused, ResetRefused::NotEngaged { generation: 3 });
    assert_eq!(ResetRefused::EngagedAgain { generation: 3 }.code(), "KILL_SWITCH_ENGAGED_AGAIN");
}

#[test]
fn a_reset_is_taken_once_and_only_where_it_was_judged() {
    let mut latch = Latch::new(on(7, Cause::Signal));
    latch.engage(WallMs(8), Cause::Operator, "anna", "");
    let reset = latch.judge(WallMs(9), ask(7)).unwrap();
    assert!(!latch.accept(on(8, Cause::Signal)), "an engaged record is no reset");
    assert!(latch.accept(reset.clone()));
    assert_eq!((latch.record(), latch.repeats()), (&reset, (0, None)));
    assert!(!latch.accept(reset), "taken already");
    assert!(
        matches!(latch.engage(WallMs(10), Cause::Operator, "anna", "x"), Turn::Engaged(r) if r.generation == 9)
    );
}

#[test]
fn a_reset_that_may_have_reached_the_disk_leaves_its_number_unused() {
    let mut latch = Latch::new(on(7, Cause::Signal));
    let reset = latch.judge(WallMs(9), ask(7)).unwrap();
    let again = latch.skip();
    assert_eq!((again.generation, again.cause), (9, Some(Cause::Signal)));
    assert!(!latch.accept(reset));
    // On disk: the abandoned reset in one copy, the record that follows it in the other.
    assert_eq!(both(&good(off(8)), &good(again), true), (9, Some(Cause::Signal)));
}

#[test]
fn texts_are_bounded_and_on_one_line() {
    let long = "\u{7}a\n".repeat(10_000);
    let kept = bounded(&long, REASON_CHARS_MAX);
    assert!(kept.chars().count() <= REASON_CHARS_MAX && !kept.contains(char::is_control));
    assert!(kept.starts_with('a'));
    let mut latch = Latch::new(off(1));
    let Turn::Engaged(record) = latch.engage(WallMs(1), Cause::HaltFile, "", &long) else { panic!() };
    assert_eq!(record.actor, "unknown");
    assert!(record.reason.chars().count() <= REASON_CHARS_MAX);
}

#[test]
fn a_record_is_plain_json() {
    let record = on(3, Cause::JournalFault);
    let text = serde_json::to_string(&record).unwrap();
    assert!(text.contains(r#""cause":"journal_fault""#), "{text}");
    assert_eq!(serde_json::from_str::<LatchRecord>(&text).unwrap(), record);
    assert!(serde_json::from_str::<LatchRecord>(r#"{"generation":1}"#).is_err());
    for cause in Cause::ALL {
        assert_eq!(serde_json::to_string(&cause).unwrap(), format!("\"{cause}\""));
    }
}

#[test]
fn an_untrusted_latch_says_what_each_copy_holds() {
    let torn = Copied::Unreadable("checksum".to_owned());
    let reason = |a: &Copied, b: &Copied| read(a, b, true, WallMs(5)).record.reason;
    assert_eq!(
        reason(&torn, &good(off(4))),
        "the latch cannot be trusted: copy a unreadable (checksum), copy b generation 4, not engaged"
    );
    assert_eq!(
        reason(&Copied::Missing, &Copied::Missing),
        "the latch cannot be trusted: copy a missing, copy b missing"
    );
}
