//! Containment against tables that change as the world would.

use super::*;
use crate::domain::health::{HealthSettings, Key, SafeAction, Table, judge, samples};
use crate::domain::ids::StrategyId;
use crate::domain::oms::Phase;
use crate::domain::time::{Mono, WallMs};

pub(super) const NOW: Mono = samples::NOW;

/// Both clocks.
pub(super) fn at(mono: Mono) -> Now {
    let since = i64::try_from(mono.since(NOW)).unwrap();
    Now { mono, wall: WallMs(1_700_000_000_000 + since) }
}

pub(super) fn stale() -> Table {
    let mut table = samples::healthy();
    for venue in &mut table.venues {
        for feed in &mut venue.feeds {
            (feed.heard, feed.last_data) = (Some(Mono(NOW.0 - 9_000)), Some(Mono(NOW.0 - 9_000)));
        }
    }
    table
}

pub(super) fn policy(on: &str, action: SafeAction, budget: usize) -> Policy {
    Policy { on: on.to_owned(), action, budget, window_ms: 600_000 }
}

/// One look, whose rows are not on disk yet.
pub(super) fn look(
    containment: &mut Containment,
    now: Mono,
    table: &Table,
    standing: &Standing,
) -> Vec<Effect> {
    let verdicts = judge(table, &HealthSettings::default(), NOW);
    containment.step(at(now), table, &verdicts, standing)
}

/// One look with a disk that takes everything at once. What is only recommended is left out.
fn step(containment: &mut Containment, now: Mono, table: &Table, standing: &Standing) -> Vec<Effect> {
    let mut out = Vec::new();
    for effect in look(containment, now, table, standing) {
        match effect {
            Effect::Write(intent) => out.extend(containment.written(at(now), intent.number)),
            other => out.push(other),
        }
    }
    out
}

fn asked(effects: &[Effect]) -> Vec<(SafeAction, Target)> {
    let all = effects.iter();
    all.filter_map(|effect| match effect {
        Effect::Do(intent) => Some((intent.action, intent.target.clone())),
        _ => None,
    })
    .collect()
}

pub(super) fn ended(effects: &[Effect]) -> Vec<State> {
    let all = effects.iter();
    all.filter_map(|effect| match effect {
        Effect::Ended(intent) => Some(intent.state),
        _ => None,
    })
    .collect()
}

fn with_phase(mut table: Table, phase: Phase) -> Table {
    table.executor.as_mut().unwrap().phase = phase;
    table
}

#[test]
fn nothing_happens_by_itself_that_is_not_listed() {
    let mut none = Containment::new(Vec::new());
    assert!(step(&mut none, NOW, &stale(), &Standing::default()).is_empty() && !none.is_automatic());
    let mut other = Containment::new(vec![policy("clock_skew", SafeAction::Pause, 3)]);
    assert!(step(&mut other, NOW, &stale(), &Standing::default()).is_empty());
}

#[test]
fn a_pause_is_asked_for_once_and_ends_with_what_is_seen() {
    let mut containment = Containment::new(vec![policy("venue_quotes_stale", SafeAction::Pause, 3)]);
    let (table, standing) = (stale(), Standing::default());
    let key = Key::new("venue_quotes_stale", "paper/BTCUSDT");
    assert_eq!(asked(&step(&mut containment, NOW, &table, &standing)), [(SafeAction::Pause, Target::Desk)]);
    assert_eq!(containment.contained(&key).as_deref(), Some("pause: asked for"));
    assert!(step(&mut containment, NOW.plus(250), &table, &standing).is_empty(), "it is under way");
    let paused = with_phase(table.clone(), Phase::Paused);
    let effects = step(&mut containment, NOW.plus(500), &paused, &standing);
    assert_eq!(ended(&effects), [State::Verified]);
    assert_eq!(containment.contained(&key).as_deref(), Some("pause: done and seen"));
    assert!(
        step(&mut containment, NOW.plus(750), &paused, &standing).is_empty(),
        "there is nothing to contain"
    );
    // Healed: nothing is taken back by itself.
    let healed = with_phase(samples::healthy(), Phase::Paused);
    assert!(step(&mut containment, NOW.plus(1_000), &healed, &standing).is_empty());
    assert_eq!(containment.contained(&key), None);
    let kept = containment.intents();
    let done: Vec<&Intent> = kept.iter().filter(|one| one.state == State::Verified).collect();
    assert_eq!((done.len(), done[0].precondition.as_str()), (1, "state=running"));
    assert_eq!((done[0].spent, done[0].budget), (1, 3));
}

#[test]
fn an_action_that_changed_nothing_has_failed_and_the_budget_ends() {
    let mut containment = Containment::new(vec![policy("venue_quotes_stale", SafeAction::Pause, 2)]);
    let (table, standing) = (stale(), Standing::default());
    let mut now = NOW;
    let (mut did, mut failed, mut exhausted) = (0, 0, 0);
    for _ in 0..100 {
        for effect in step(&mut containment, now, &table, &standing) {
            match effect {
                Effect::Do(_) => did += 1,
                Effect::Ended(intent) => {
                    assert_eq!(intent.state, State::Failed, "{intent:?}");
                    failed += 1;
                }
                Effect::Exhausted { action, .. } => {
                    assert_eq!(action, SafeAction::Pause);
                    exhausted += 1;
                }
                Effect::Write(intent) => panic!("it was written: {intent:?}"),
            }
        }
        now = now.plus(250);
    }
    assert_eq!((did, failed, exhausted), (2, 2, 1), "said once");
    let words = containment.contained(&Key::new("venue_quotes_stale", "paper/BTCUSDT")).unwrap();
    assert!(words.contains("a person must act"), "{words}");
    // When the window has passed, it may act again.
    now = now.plus(600_000);
    assert_eq!(asked(&step(&mut containment, now, &table, &standing)).len(), 1);
}

#[test]
fn a_refusal_ends_the_intent() {
    let mut containment = Containment::new(vec![policy("venue_quotes_stale", SafeAction::Pause, 3)]);
    let effects = step(&mut containment, NOW, &stale(), &Standing::default());
    let Effect::Do(intent) = &effects[0] else { panic!("{effects:?}") };
    let why = "the order management is not running".to_owned();
    let effects = containment.refused(at(NOW), intent.number, why.clone());
    assert_eq!(ended(&effects), [State::Refused]);
    let shown = containment.intents().into_iter().find(|one| one.number == intent.number).unwrap();
    assert_eq!(shown.outcome, why);
    assert!(containment.refused(at(NOW), intent.number, String::new()).is_empty(), "it has ended");
}

#[test]
fn each_action_has_its_own_precondition_and_proof() {
    let strategy = StrategyId::new("quoter").unwrap();
    let on = Standing { enabled: [(strategy.clone(), true)].into(), entries: 2, ..Standing::default() };
    let off = Standing { enabled: [(strategy, false)].into(), entries: 0, ..Standing::default() };
    let all =
        [SafeAction::Disarm, SafeAction::CancelRestingEntries, SafeAction::ReduceOnly, SafeAction::Reconnect];
    let policies = all.iter().map(|action| policy("venue_quotes_stale", *action, 3)).collect();
    let mut containment = Containment::new(policies);
    let table = stale();
    let did = asked(&step(&mut containment, NOW, &table, &on));
    let wanted = [
        (SafeAction::Disarm, Target::Strategy("quoter".to_owned())),
        (SafeAction::CancelRestingEntries, Target::Desk),
        (SafeAction::ReduceOnly, Target::Desk),
        (SafeAction::Reconnect, Target::Market("paper".to_owned())),
    ];
    assert_eq!(did, wanted);
    let mut later = with_phase(table, Phase::ReduceOnly);
    assert_eq!(ended(&step(&mut containment, NOW.plus(100), &later, &off)).len(), 3, "no new session yet");
    later.venues[0].market.as_mut().unwrap().reconnects += 1;
    assert_eq!(ended(&step(&mut containment, NOW.plus(200), &later, &off)), [State::Verified]);
    assert!(
        asked(&step(&mut containment, NOW.plus(300), &later, &off)).is_empty(),
        "the session gets its time"
    );
}
