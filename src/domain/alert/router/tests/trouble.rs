//! Blips, crashes, floods, limits, a disk that takes nothing.

use super::super::super::*;
use super::super::*;
use super::desk::*;
use std::collections::BTreeMap;

#[test]
fn a_blip_between_two_looks_is_not_lost() {
    let mut desk = Desk::new(one());
    desk.step(Event::Observed { blips: vec![held(CODE, "a")], holding: Vec::new(), ended: Vec::new() });
    assert_eq!(desk.told(), ["hook late a"]);
    desk.check_replay();
}

#[test]
fn a_crash_repeats_at_most_one_message_per_channel_and_that_under_the_same_key() {
    let mut desk = Desk::new(settings(&["hook", "mail"], &[(0, &["hook", "mail"])]));
    desk.silent = true;
    desk.holds((0..5).map(|n| held(CODE, &n.to_string())).collect());
    let before = std::mem::take(&mut desk.sent);
    assert_eq!(before.len(), 2, "one on its way per channel");
    let set = settings(&["hook", "mail"], &[(0, &["hook", "mail"])]);
    let mut desk = desk.restart(set, 1_000);
    desk.holds((0..5).map(|n| held(CODE, &n.to_string())).collect());
    desk.wait(100);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (_, key, _) in before.iter().chain(&desk.sent) {
        *times.entry(key.clone()).or_default() += 1;
    }
    assert_eq!(times.len(), 10);
    assert_eq!(times.values().filter(|count| **count == 2).count(), 2);
    assert!(times.values().all(|count| *count <= 2));
    desk.check_replay();
}

#[test]
fn an_alert_whose_condition_is_not_asserted_again_ends_with_an_honest_reason() {
    let mut desk = Desk::new(one());
    desk.holds(vec![held(CODE, "a")]);
    let mut desk = desk.restart(one(), 1_000);
    desk.wait(29_900);
    assert_eq!(desk.told(), Vec::<String>::new());
    desk.wait(200);
    let (_, _, notice) = desk.sent.remove(0);
    assert_eq!((notice.transition, notice.cleared_by), (Transition::Clear, Some(ClearedBy::Restart)));
    desk.check_replay();
}

#[test]
fn a_flood_goes_out_in_few_messages_and_every_delivery_is_settled() {
    let mut desk = Desk::new(one());
    desk.holds((0..2_000).map(|n| held(CODE, &format!("{n:04}"))).collect());
    desk.wait(1_000);
    assert!(desk.sent.len() < 10, "{}", desk.sent.len());
    assert_eq!(desk.disk.deliveries.len(), 2_000);
    assert!(desk.disk.deliveries.values().all(|delivery| delivery.state == DeliveryState::Delivered));
    let counted: u32 = desk
        .sent
        .iter()
        .map(|(_, _, notice)| match &notice.transition {
            Transition::Bundle { count, .. } => *count,
            _ => 1,
        })
        .sum();
    assert_eq!(counted, 2_000);
    desk.check_replay();
}

#[test]
fn limits_hold_across_a_restart_and_what_waits_goes_out_as_one() {
    let mut set = one();
    set.channels[0].tiers = vec![Tier { messages: 1, within_ms: 60_000 }];
    let mut desk = Desk::new(set.clone());
    desk.holds(vec![held(CODE, "a"), held(CODE, "b"), held(codes::NEVER_HIDDEN, "x")]);
    desk.wait(1_000);
    assert_eq!(desk.told(), ["hook raise a", "hook raise x"], "no limit holds back what must be told");
    let mut desk = desk.restart(set, 1_000);
    desk.holds(vec![held(CODE, "a"), held(CODE, "b"), held(CODE, "c"), held(codes::NEVER_HIDDEN, "x")]);
    desk.wait(50_000);
    assert_eq!(desk.told(), Vec::<String>::new());
    desk.wait(10_000);
    assert_eq!(desk.told(), ["hook bundle b"]);
    desk.check_replay();
}

#[test]
fn without_a_database_the_file_of_last_resort_holds_it_and_the_message_goes_out() {
    let mut desk = Desk::new(one());
    desk.disk_down = true;
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(400);
    assert_eq!(desk.told(), Vec::<String>::new());
    desk.wait(200);
    assert_eq!(desk.told(), ["hook raise a"]);
    assert_eq!(desk.spooled.len(), 1);
    // Killed before the database came back: the file is all that is known of it.
    let mut desk = desk.restart(one(), 1_000);
    assert_eq!((desk.disk.alerts.len(), desk.spooled.len()), (1, 0), "the database has it now");
    assert_eq!(desk.told(), ["hook raise a"], "once more, under the same key");
    desk.wait(31_000);
    assert_eq!(desk.told(), ["hook clear a"]);
    desk.check_replay();
}

#[test]
fn a_database_that_comes_back_takes_everything_and_the_file_is_emptied() {
    let mut desk = Desk::new(one());
    desk.disk_down = true;
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(1_000);
    desk.ends(CODE, "a");
    desk.wait(1_000);
    assert_eq!(desk.told(), ["hook raise a", "hook clear a"]);
    desk.heal_disk();
    desk.wait(1_000);
    assert_eq!(desk.spooled, Vec::new());
    assert!(desk.disk.deliveries.values().all(|delivery| delivery.state == DeliveryState::Delivered));
    desk.check_replay();
}

#[test]
fn a_canary_tests_one_channel() {
    let mut desk = Desk::new(settings(&["hook", "mail"], &[(0, &["hook"])]));
    let ask = Ask::Test { channel: "mail".to_owned(), by: "ann".to_owned() };
    let Answer::Test(canary) = desk.ask(ask) else { panic!("no canary") };
    assert_eq!(desk.told(), ["mail canary mail"]);
    assert_eq!(desk.disk.deliveries[canary.key.as_str()].state, DeliveryState::Delivered);
    let none = desk.ask(Ask::Test { channel: "none".to_owned(), by: "ann".to_owned() });
    assert!(matches!(none, Answer::Refused(Refusal::NoChannel { .. })));
    desk.check_replay();
}
