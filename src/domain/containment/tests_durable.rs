//! Intents as rows: on disk before anything is done, and the same after a restart.

use super::tests::{NOW, at, ended, look, policy, stale};
use super::*;
use crate::domain::health::{SafeAction, Table};
use crate::domain::oms::Phase;
use crate::domain::time::Mono;
use std::collections::BTreeMap;

/// A disk, and whoever carries things out.
#[derive(Default)]
struct World {
    rows: BTreeMap<u64, Intent>,
    down: bool,
    unwritten: Vec<Intent>,
    done: Vec<Intent>,
    ended: Vec<State>,
}

impl World {
    fn perform(&mut self, containment: &mut Containment, now: Mono, effects: Vec<Effect>) {
        self.ended.extend(ended(&effects));
        for effect in effects {
            match effect {
                Effect::Write(intent) if self.down => self.unwritten.push(intent),
                Effect::Write(intent) => {
                    let text = serde_json::to_string(&intent).unwrap();
                    assert_eq!(serde_json::from_str::<Intent>(&text).unwrap(), intent);
                    self.rows.insert(intent.number, intent.clone());
                    let follows = containment.written(at(now), intent.number);
                    self.perform(containment, now, follows);
                }
                Effect::Do(intent) => {
                    let before = self.rows.get(&intent.number).map(|row| row.state);
                    assert!(before == Some(State::Proposed) || self.down, "not on disk: {before:?}");
                    self.done.push(intent);
                }
                Effect::Ended(_) | Effect::Exhausted { .. } => {}
            }
        }
    }

    fn step(&mut self, containment: &mut Containment, now: Mono, table: &Table) {
        let effects = look(containment, now, table, &Standing::default());
        self.perform(containment, now, effects);
    }

    fn restored(&self) -> Restored {
        let last_number = self.rows.keys().last().copied().unwrap_or(0);
        Restored { last_number, intents: self.rows.values().cloned().collect() }
    }

    /// States of the rows that are no recommendations.
    fn states(&self) -> Vec<State> {
        let acts = self.rows.values().map(|row| row.state);
        acts.filter(|state| *state != State::Recommended).collect()
    }
}

fn pausing(budget: usize) -> Containment {
    Containment::new(vec![policy("venue_quotes_stale", SafeAction::Pause, budget)])
}

fn paused() -> Table {
    let mut table = stale();
    table.executor.as_mut().unwrap().phase = Phase::Paused;
    table
}

fn after_restart(world: &World, budget: usize, now: Mono) -> Containment {
    let mut containment = pausing(budget);
    containment.restore(world.restored(), at(now));
    containment
}

#[test]
fn every_state_is_a_row_before_the_next_one() {
    let (mut world, mut containment) = (World::default(), pausing(3));
    world.step(&mut containment, NOW, &stale());
    assert_eq!((world.states(), world.done.len()), (vec![State::Proposed], 1));
    let effects = containment.carried_out(at(NOW.plus(5)), world.done[0].number);
    world.perform(&mut containment, NOW.plus(5), effects);
    assert_eq!(world.states(), [State::CarriedOut]);
    world.step(&mut containment, NOW.plus(250), &paused());
    assert_eq!(world.states(), [State::Verified]);
    let row = &world.rows[&world.done[0].number];
    assert_eq!(row.carried_out_at, Some(at(NOW.plus(5)).wall));
    assert_eq!((row.ended_at, row.outcome.as_str()), (Some(at(NOW.plus(250)).wall), ""));
}

#[test]
fn what_was_carried_out_before_a_crash_is_verified_after_it_and_not_done_again() {
    let (mut world, mut containment) = (World::default(), pausing(3));
    world.step(&mut containment, NOW, &stale());
    let effects = containment.carried_out(at(NOW), world.done[0].number);
    world.perform(&mut containment, NOW, effects);
    let mut containment = after_restart(&world, 3, NOW.plus(5_000));
    world.step(&mut containment, NOW.plus(5_100), &paused());
    assert_eq!((world.done.len(), world.states()), (1, vec![State::Verified]));
}

#[test]
fn what_is_not_seen_after_a_crash_has_failed_and_only_then_is_asked_for_anew() {
    let (mut world, mut containment) = (World::default(), pausing(3));
    world.step(&mut containment, NOW, &stale());
    let mut containment = after_restart(&world, 3, NOW.plus(5_000));
    world.step(&mut containment, NOW.plus(5_100), &stale());
    assert_eq!((world.done.len(), world.states()), (1, vec![State::Proposed]), "nothing is done blindly");
    world.step(&mut containment, NOW.plus(8_100), &stale());
    assert_eq!(world.states(), [State::Failed, State::Proposed]);
    assert!(world.rows[&world.done[0].number].outcome.contains("of the restart"));
    assert_eq!((world.done.len(), world.done[1].spent), (2, 2), "it counts");
}

#[test]
fn a_restart_refreshes_no_budget() {
    let mut world = World::default();
    let mut now = NOW;
    for _ in 0..6 {
        let mut containment = after_restart(&world, 2, now);
        for _ in 0..20 {
            world.step(&mut containment, now, &stale());
            now = now.plus(500);
        }
    }
    assert_eq!(world.done.len(), 2, "two within the window, however often it begins");
    let mut containment = after_restart(&world, 2, now.plus(600_000));
    world.step(&mut containment, now.plus(600_000), &stale());
    assert_eq!(world.done.len(), 3, "and more when the window has passed");
}

#[test]
fn less_risk_waits_for_no_disk_and_its_row_follows() {
    let (mut world, mut containment) = (World::default(), pausing(3));
    world.down = true;
    world.step(&mut containment, NOW, &stale());
    world.step(&mut containment, NOW.plus(900), &stale());
    assert!(world.done.is_empty(), "the disk gets its moment");
    world.step(&mut containment, NOW.plus(1_000), &stale());
    assert_eq!(world.done.len(), 1);
    world.step(&mut containment, NOW.plus(1_250), &paused());
    world.down = false;
    for intent in std::mem::take(&mut world.unwritten) {
        world.rows.insert(intent.number, intent.clone());
        assert!(containment.written(at(NOW.plus(2_000)), intent.number).is_empty(), "it was done");
    }
    let row = &world.rows[&world.done[0].number];
    assert_eq!(row.state, State::Verified);
    assert!(row.outcome.contains("before it was on disk"), "{}", row.outcome);
}

#[test]
fn what_takes_no_risk_away_is_not_done_without_a_row() {
    let policies = vec![policy("venue_quotes_stale", SafeAction::Reconnect, 3)];
    let (mut world, mut containment) = (World { down: true, ..World::default() }, Containment::new(policies));
    world.step(&mut containment, NOW, &stale());
    world.step(&mut containment, NOW.plus(1_000), &stale());
    assert!(world.done.is_empty());
    assert_eq!(world.ended, [State::Refused]);
}

#[test]
fn what_holds_already_is_not_done() {
    let (mut world, mut containment) = (World { down: true, ..World::default() }, pausing(3));
    world.step(&mut containment, NOW, &stale());
    world.step(&mut containment, NOW.plus(100), &paused());
    assert_eq!((world.done.len(), &world.ended[..]), (0, &[State::Refused][..]));
}

#[test]
fn what_is_safe_and_not_listed_is_recommended_once() {
    let (mut world, mut containment) = (World::default(), Containment::default());
    for n in 0..2_000 {
        world.step(&mut containment, NOW.plus(n * 250), &stale());
    }
    let recommended: Vec<SafeAction> = world.rows.values().map(|row| row.action).collect();
    assert!(world.rows.values().all(|row| row.state == State::Recommended), "{:?}", world.rows);
    let mut once = recommended.clone();
    once.dedup();
    assert!(!recommended.is_empty() && recommended == once, "{recommended:?}");
    assert!(world.done.is_empty());
    let mut again = Containment::default();
    again.restore(world.restored(), at(NOW.plus(500_100)));
    let before = world.rows.len();
    world.step(&mut again, NOW.plus(500_100), &stale());
    assert_eq!(world.rows.len(), before, "nor once more after a restart");
}

#[test]
fn what_an_alert_says_of_itself_survives_a_restart() {
    let (mut world, mut containment) = (World::default(), pausing(3));
    world.step(&mut containment, NOW, &stale());
    world.step(&mut containment, NOW.plus(250), &paused());
    let key = crate::domain::health::Key::new("venue_quotes_stale", "paper/BTCUSDT");
    let mut containment = after_restart(&world, 3, NOW.plus(1_000));
    assert_eq!(containment.contained(&key).as_deref(), Some("pause: done and seen"));
    let well = crate::domain::health::samples::healthy();
    world.step(&mut containment, NOW.plus(2_000), &well);
    assert!(containment.contained(&key).is_some(), "nothing was judged of it yet, perhaps");
    world.step(&mut containment, NOW.plus(32_000), &well);
    assert_eq!(containment.contained(&key), None);
}
