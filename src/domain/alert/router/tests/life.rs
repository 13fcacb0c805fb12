//! Raised, told, hidden, taken on, ended.

use super::super::super::*;
use super::super::*;
use super::desk::*;

#[test]
fn raise_and_clear_reach_the_same_channel_and_nothing_goes_out_before_it_is_on_disk() {
    let mut desk = Desk::new(one());
    desk.disk_down = true;
    desk.holds(vec![held(CODE, "a")]);
    assert_eq!(desk.told(), Vec::<String>::new());
    desk.heal_disk();
    assert_eq!(desk.told(), ["hook raise a"]);
    desk.ends(CODE, "a");
    assert_eq!(desk.told(), ["hook clear a"]);
    assert_eq!(desk.router.counts().all(), 0);
    desk.check_replay();
}

#[test]
fn what_came_and_went_while_a_channel_was_down_is_one_late_message() {
    let mut desk = Desk::new(one());
    desk.down.push("hook".to_owned());
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(5_000);
    assert!(desk.told().len() > 1, "it was tried again");
    desk.ends(CODE, "a");
    desk.wait(60_000);
    desk.sent.clear();
    desk.down.clear();
    desk.wait(60_000);
    let late: Vec<Notice> = desk.sent.iter().map(|(_, _, notice)| notice.clone()).collect();
    assert_eq!(desk.told(), ["hook late a"]);
    assert!(matches!(late[0].transition, Transition::Late { undelivered_ms } if undelivered_ms > 60_000));
    assert!(late[0].cleared_at.is_some() && late[0].duration_ms == Some(5_000));
    desk.check_replay();
    assert_eq!(desk.degraded, [("hook".to_owned(), true), ("hook".to_owned(), false)]);
}

#[test]
fn an_end_that_comes_while_the_message_is_on_its_way_waits_for_what_becomes_of_it() {
    for works in [true, false] {
        let mut desk = Desk::new(one());
        desk.silent = true;
        desk.holds(vec![held(CODE, "a")]);
        desk.ends(CODE, "a");
        assert_eq!(desk.sent.len(), 1);
        let key = IdempotencyKey::stored(desk.sent[0].1.clone());
        let outcome = match works {
            true => Outcome::Delivered,
            false => Outcome::Temporary { why: "reset".to_owned(), retry_after_ms: None },
        };
        desk.silent = false;
        desk.step(Event::Sent { channel: "hook".to_owned(), key, outcome });
        desk.wait(2_000);
        let end = if works { "hook clear a" } else { "hook late a" };
        assert_eq!(desk.told(), ["hook raise a", end]);
        desk.check_replay();
    }
}

#[test]
fn whoever_was_never_told_is_not_told_of_the_end() {
    let mut desk = Desk::new(settings(&["hook", "mail"], &[(0, &["hook"]), (60_000, &["mail"])]));
    desk.silent = true;
    desk.holds(vec![held(CODE, "a")]);
    let key = IdempotencyKey::stored(desk.sent[0].1.clone());
    desk.silent = false;
    desk.step(Event::Sent {
        channel: "hook".to_owned(),
        key,
        outcome: Outcome::Permanent { why: "401".to_owned() },
    });
    desk.ends(CODE, "a");
    desk.wait(120_000);
    assert_eq!(desk.told(), ["hook raise a"]);
    desk.check_replay();
}

#[test]
fn escalation_goes_on_after_a_restart_each_step_once_and_an_ack_stops_it() {
    let steps: &[(u64, &[&str])] = &[(0, &["hook"]), (5_000, &["mail"]), (10_000, &["sms", "hook"])];
    let set = settings(&["hook", "mail", "sms"], steps);
    let mut desk = Desk::new(set.clone());
    desk.holds(vec![held(CODE, "a")]);
    assert_eq!(desk.told(), ["hook raise a"]);
    desk.wait(4_000);
    let mut desk = desk.restart(set.clone(), 20_000);
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(100);
    assert_eq!(desk.told(), ["hook reminder a", "mail escalated a", "sms escalated a"]);
    desk.wait(60_000);
    assert_eq!(desk.told(), Vec::<String>::new());
    desk.check_replay();

    let mut desk = Desk::new(set.clone());
    desk.holds(vec![held(CODE, "a")]);
    let by = |name: &str| name.to_owned();
    let ask = Ask::Ack { alert: "pl-1".to_owned(), by: by("ann"), reason: by("on it"), for_ms: Some(60_000) };
    assert!(matches!(desk.ask(ask), Answer::Alert(alert) if alert.ack.as_ref().unwrap().by == "ann"));
    desk.wait(30_000);
    assert_eq!(desk.told(), ["hook raise a"]);
    let mut desk = desk.restart(set, 100);
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(29_000);
    assert_eq!(desk.told(), Vec::<String>::new(), "the acknowledgement outlived the restart");
    desk.wait(2_000);
    assert_eq!(desk.told(), ["mail escalated a"], "it has ended, and the next people are told");
    desk.check_replay();
}

#[test]
fn a_consequence_is_kept_and_not_told_unless_it_outlives_its_root() {
    let root = AlertKey::new("venue_ingest_disconnected", "paper");
    let mut desk = Desk::new(one());
    desk.holds(vec![
        caused("venue_quotes_stale", "b", &root),
        caused(codes::NEVER_HIDDEN, "c", &root),
        held("venue_ingest_disconnected", "paper"),
    ]);
    assert_eq!(desk.router.counts().all(), 3);
    let stale = desk.disk.alerts.values().find(|alert| alert.key.scope() == "b").unwrap();
    assert_eq!(stale.hidden, Some(Hidden::Root(root.clone())));
    assert_eq!(stale.incident, "pl-1", "one incident");
    assert_eq!(desk.told(), ["hook raise paper", "hook raise c"], "what must be told is told");
    desk.ends("venue_ingest_disconnected", "paper");
    desk.wait(9_000);
    assert_eq!(desk.told(), ["hook clear paper"]);
    desk.wait(2_000);
    assert_eq!(desk.told(), ["hook raise b"]);
    desk.ends("venue_quotes_stale", "b");
    assert_eq!(desk.told(), ["hook clear b"]);
    desk.check_replay();
}

#[test]
fn silences_hide_until_they_end_and_outlive_a_restart() {
    let mut desk = Desk::new(one());
    let silence = |code: &str| Ask::Silence {
        code: code.to_owned(),
        scope: "*".to_owned(),
        by: "ann".to_owned(),
        reason: "maintenance".to_owned(),
        for_ms: 60_000,
    };
    let never = desk.ask(silence(codes::NEVER_HIDDEN));
    assert!(matches!(never, Answer::Refused(Refusal::NeverHidden { .. })), "{never:?}");
    assert!(matches!(desk.ask(silence("heartbeat_*")), Answer::Silence(_)));
    desk.holds(vec![held(CODE, "a"), held(codes::NEVER_HIDDEN, "x")]);
    assert_eq!(desk.told(), ["hook raise x"]);
    let mut desk = desk.restart(one(), 30_000);
    desk.holds(vec![held(CODE, "a"), held(codes::NEVER_HIDDEN, "x")]);
    desk.wait(29_000);
    assert_eq!(desk.told(), Vec::<String>::new());
    desk.wait(2_000);
    assert_eq!(desk.told(), ["hook raise a"], "it stands still, and is told late rather than never");
    desk.check_replay();
}

#[test]
fn n_of_m_quiet_period_and_flaps() {
    let mut set = one();
    let rule = Rule { raise_after: 2, of: 3, quiet_ms: 2_000, flap_after: 3, ..Rule::default() };
    set.rules.insert(CODE.to_owned(), rule);
    let mut desk = Desk::new(set);
    desk.holds(vec![held(CODE, "a")]);
    desk.ends(CODE, "a");
    desk.wait(5_000);
    assert_eq!(desk.told(), Vec::<String>::new(), "one sample of three is not enough");
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(1_000);
    assert_eq!(desk.told(), ["hook raise a"]);
    desk.ends(CODE, "a");
    desk.wait(1_000);
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(5_000);
    assert_eq!(desk.told(), Vec::<String>::new(), "it came back within the quiet period");
    desk.ends(CODE, "a");
    desk.wait(2_000);
    assert_eq!(desk.told(), ["hook clear a"]);
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(1_000);
    desk.ends(CODE, "a");
    desk.wait(10_000);
    assert_eq!(desk.told(), ["hook raise a"], "the third time within the window must be quiet for longer");
    desk.wait(6_000);
    assert_eq!(desk.told(), ["hook clear a"]);
    desk.check_replay();
}

#[test]
fn one_message_that_is_given_up_makes_a_channel_degraded_until_one_arrives() {
    let mut desk = Desk::new(one());
    desk.silent = true;
    desk.holds(vec![held(CODE, "a")]);
    let key = IdempotencyKey::stored(desk.sent[0].1.clone());
    let outcome = Outcome::Permanent { why: "HTTP 301".to_owned() };
    desk.silent = false;
    desk.step(Event::Sent { channel: "hook".to_owned(), key, outcome });
    assert_eq!(desk.degraded, [("hook".to_owned(), true)]);
    desk.holds(vec![held(CODE, "b")]);
    assert_eq!(desk.degraded, [("hook".to_owned(), true), ("hook".to_owned(), false)]);
    desk.check_replay();
}
