//! Intervals that are met, missed and met again; storms that begin and end.

use super::*;

const KNOBS: Knobs = Knobs { interval_ms: 100, storm_reconnects: 3, storm_window_ms: 1_000 };

fn asked(effects: &[Effect]) -> u64 {
    let numbers: Vec<u64> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Ask { number } => Some(*number),
            _ => None,
        })
        .collect();
    assert_eq!(numbers.len(), 1, "{effects:?}");
    numbers[0]
}

fn raised(effects: &[Effect]) -> Vec<&'static str> {
    let codes = effects.iter().filter_map(|effect| match effect {
        Effect::Raise { code, .. } => Some(*code),
        _ => None,
    });
    codes.collect()
}

fn cleared(effects: &[Effect]) -> Vec<&'static str> {
    let codes = effects.iter().filter_map(|effect| match effect {
        Effect::Clear { code } => Some(*code),
        _ => None,
    });
    codes.collect()
}

#[test]
fn it_asks_on_the_interval_and_measures_the_answer() {
    let mut beat = Heartbeat::new(KNOBS);
    let first = asked(&beat.step(Mono(50), Event::Tick));
    assert!(beat.step(Mono(60), Event::Tick).is_empty(), "not due");
    assert_eq!(beat.step(Mono(62), Event::Answered { number: first }), [Effect::Beat { latency_ms: 12 }]);
    assert!(beat.step(Mono(149), Event::Tick).is_empty());
    let second = asked(&beat.step(Mono(153), Event::Tick));
    assert_eq!(second, first + 1);
    beat.step(Mono(154), Event::Answered { number: second });
    asked(&beat.step(Mono(250), Event::Tick));
    let counts = Counts { beats: 2, misses: 0, in_a_row: 0, latency_ms: Some(1) };
    assert_eq!(beat.counts(), counts);
}

#[test]
fn two_missed_intervals_raise_and_one_good_answer_clears() {
    let mut beat = Heartbeat::new(KNOBS);
    let first = asked(&beat.step(Mono(0), Event::Tick));
    let one = beat.step(Mono(100), Event::Tick);
    assert!(matches!(&one[..], [Effect::Missed { in_a_row: 1, .. }]), "one is no alert: {one:?}");
    let two = beat.step(Mono(200), Event::Tick);
    assert_eq!(raised(&two), [MISSED]);
    assert!(raised(&beat.step(Mono(300), Event::Tick)).is_empty(), "told once");
    // It comes after all, far too late: the venue is there, but no interval was met.
    assert!(beat.step(Mono(350), Event::Answered { number: first }).is_empty());
    assert_eq!((beat.counts().latency_ms, beat.counts().in_a_row), (Some(350), 3));
    let next = asked(&beat.step(Mono(400), Event::Tick));
    assert_eq!(cleared(&beat.step(Mono(401), Event::Answered { number: next })), [MISSED]);
    assert_eq!((beat.counts().misses, beat.counts().in_a_row), (3, 0));
}

#[test]
fn an_error_is_a_miss_once() {
    let mut beat = Heartbeat::new(KNOBS);
    for (round, expected) in [(0, vec![]), (1, vec![MISSED]), (2, vec![])] {
        let number = asked(&beat.step(Mono(round * 100), Event::Tick));
        let failed = Event::Failed { number, why: "refused".to_owned() };
        assert_eq!(raised(&beat.step(Mono(round * 100 + 1), failed.clone())), expected);
        assert!(beat.step(Mono(round * 100 + 2), failed).is_empty(), "the same word twice");
    }
    assert_eq!(beat.counts().misses, 3);
    // A miss that was counted at the end of its interval is not counted again when it fails at last.
    let number = asked(&beat.step(Mono(300), Event::Tick));
    beat.step(Mono(400), Event::Tick);
    beat.step(Mono(450), Event::Failed { number, why: "timeout".to_owned() });
    assert_eq!(beat.counts().misses, 4);
}

#[test]
fn a_good_answer_between_two_misses_starts_over() {
    let mut beat = Heartbeat::new(KNOBS);
    for round in 0..6_u64 {
        let number = asked(&beat.step(Mono(round * 100), Event::Tick));
        let event = match round % 2 {
            0 => Event::Failed { number, why: "x".to_owned() },
            _ => Event::Answered { number },
        };
        assert!(raised(&beat.step(Mono(round * 100 + 1), event)).is_empty());
    }
}

#[test]
fn an_answer_slower_than_the_interval_is_a_miss_even_between_ticks() {
    let mut beat = Heartbeat::new(KNOBS);
    let number = asked(&beat.step(Mono(0), Event::Tick));
    let late = beat.step(Mono(101), Event::Answered { number });
    assert!(matches!(&late[..], [Effect::Missed { in_a_row: 1, .. }]), "{late:?}");
}

#[test]
fn an_answer_that_is_lost_for_good_does_not_end_the_asking() {
    let mut beat = Heartbeat::new(KNOBS);
    asked(&beat.step(Mono(0), Event::Tick));
    let mut again = None;
    for at in (100..=20_000).step_by(100) {
        let effects = beat.step(Mono(at), Event::Tick);
        if effects.iter().any(|effect| matches!(effect, Effect::Ask { .. })) {
            again = Some((at, asked(&effects)));
            break;
        }
    }
    let (at, number) = again.unwrap();
    assert_eq!((at, number), (GIVE_UP_MS, 2));
    assert!(beat.step(Mono(at + 1), Event::Answered { number: 1 }).is_empty(), "an old word");
    assert_eq!(cleared(&beat.step(Mono(at + 2), Event::Answered { number })), [MISSED]);
}

#[test]
fn long_absence_is_not_made_up_for() {
    let mut beat = Heartbeat::new(KNOBS);
    let number = asked(&beat.step(Mono(0), Event::Tick));
    beat.step(Mono(1), Event::Answered { number });
    asked(&beat.step(Mono(10_000), Event::Tick));
    assert!(beat.step(Mono(10_050), Event::Tick).is_empty());
    assert_eq!(beat.counts().misses, 0);
}

fn lost(times: u64) -> Event {
    Event::Lost { cause: LossCause::Closed, times }
}

#[test]
fn a_storm_is_that_many_losses_within_the_window() {
    let mut beat = Heartbeat::new(KNOBS);
    beat.due = Some(Mono(u64::MAX));
    assert!(raised(&beat.step(Mono(0), lost(1))).is_empty());
    assert!(raised(&beat.step(Mono(900), lost(1))).is_empty());
    assert!(raised(&beat.step(Mono(1_001), lost(1))).is_empty(), "the first is out of the window");
    assert_eq!(raised(&beat.step(Mono(1_900), lost(1))), [STORM], "exactly at its edge");
    assert!(raised(&beat.step(Mono(1_950), lost(9))).is_empty(), "told once");
    assert!(beat.step(Mono(2_950), Event::Tick).is_empty(), "not quiet for long enough");
    assert_eq!(cleared(&beat.step(Mono(2_951), Event::Tick)), [STORM]);
    assert!(raised(&beat.step(Mono(4_000), lost(2))).is_empty());
    assert_eq!(raised(&beat.step(Mono(4_001), lost(1))), [STORM], "and again");
}

#[test]
fn many_losses_at_once_are_a_storm_and_memory_stays_small() {
    let mut beat = Heartbeat::new(KNOBS);
    assert_eq!(raised(&beat.step(Mono(5), lost(u64::MAX))), [STORM]);
    for at in 0..1_000 {
        beat.step(Mono(at), lost(7));
    }
    assert_eq!(beat.losses.len(), KNOBS.storm_reconnects);
    assert!(beat.step(Mono(5), lost(0)).is_empty());
}
