//! Pause, reduce-only, kill, reset, resume: what they let through, and that a restart forgets none of it.

use super::desk::*;
use crate::domain::oms::*;
use crate::domain::order::OrderState;
use crate::domain::order_types::{OrderStatus, Side};
use crate::domain::run_state::Verb;

fn killed(desk: &mut Desk) -> Vec<Effect> {
    desk.step(Event::Killed { by: operator("kill") })
}

/// A desk that is long one unit.
fn long() -> Desk {
    let mut desk = Desk::running();
    let ack = desk.working(request("entry", "hold", Side::Buy, "1"));
    let fill = desk.execute(&ack, 1, "1");
    let mut report = ack.clone();
    (report.status, report.executed, report.fills) = (OrderStatus::Filled, qty("1"), vec![fill]);
    desk.step(Event::Report { venue: venue(), report });
    desk.listed.clear();
    assert_eq!(desk.held(), amount("1"));
    desk
}

fn ask(desk: &mut Desk, name: &str, side: Side, quantity: &str, reduce_only: bool) -> Vec<&'static str> {
    let mut request = request(name, "hold", side, quantity);
    request.reduce_only = reduce_only;
    let effects = desk.step(Event::Submit { request, reply: Some(ReplyTo(9)) });
    refusals(&effects)
}

#[test]
fn a_pause_lets_through_what_says_that_it_only_reduces() {
    let mut desk = long();
    let effects = desk.steer(Verb::Pause);
    assert_eq!(kinds(&effects), ["steer", "state"]);
    assert_eq!(desk.oms.phase(), Phase::Paused);
    assert_eq!(ask(&mut desk, "a", Side::Buy, "1", false), ["TRADING_PAUSED"]);
    assert_eq!(ask(&mut desk, "b", Side::Sell, "1", false), ["TRADING_PAUSED"], "it does not say so");
    assert_eq!(ask(&mut desk, "c", Side::Buy, "1", true), ["TRADING_PAUSED"], "it does not reduce");
    assert_eq!(ask(&mut desk, "d", Side::Sell, "1.001", true), ["TRADING_PAUSED"], "it goes through zero");
    assert!(ask(&mut desk, "e", Side::Sell, "0.6", true).is_empty());
    assert_eq!(
        ask(&mut desk, "f", Side::Sell, "0.6", true),
        ["TRADING_PAUSED"],
        "together they go through zero"
    );
    assert!(ask(&mut desk, "g", Side::Sell, "0.4", true).is_empty());
}

#[test]
fn reduce_only_lets_through_what_reduces() {
    let mut desk = long();
    desk.steer(Verb::ReduceOnly);
    assert_eq!(desk.oms.phase(), Phase::ReduceOnly);
    assert_eq!(ask(&mut desk, "a", Side::Buy, "0.1", false), ["REDUCE_ONLY"]);
    assert!(ask(&mut desk, "b", Side::Sell, "1", false).is_empty());
    assert_eq!(ask(&mut desk, "c", Side::Sell, "0.1", false), ["REDUCE_ONLY"]);
    desk.steer(Verb::Resume);
    assert!(ask(&mut desk, "d", Side::Buy, "0.1", false).is_empty());
}

#[test]
fn a_pause_between_disk_and_venue_means_never_sent() {
    let mut desk = Desk::running();
    desk.writes = false;
    desk.step(Event::Submit { request: request("a", "hold", Side::Buy, "1"), reply: Some(ReplyTo(1)) });
    desk.steer(Verb::Pause);
    let effects = desk.sync();
    assert!(sent(&effects).is_empty());
    assert!(desk.order("a").reason.as_ref().unwrap().starts_with("TRADING_PAUSED"));
}

#[test]
fn resting_orders_stay_at_a_pause_unless_the_settings_say_otherwise() {
    for (on_pause, cancels) in [(OnPause::Keep, 0), (OnPause::Cancel, 1)] {
        let controls = Controls { on_pause, ..Controls::default() };
        let mut desk = Desk::running_with(Settings { controls, ..settings() });
        desk.working(request("a", "hold", Side::Buy, "1"));
        let effects = desk.steer(Verb::Pause);
        let sent = effects.iter().filter(|effect| matches!(effect, Effect::Cancel(..))).count();
        assert_eq!(sent, cancels, "{on_pause:?}");
    }
}

#[test]
fn a_kill_cancels_what_works_and_outlives_every_restart() {
    let mut desk = Desk::running();
    desk.working(request("a", "hold", Side::Buy, "1"));
    let effects = killed(&mut desk);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Cancel(..))));
    assert_eq!(desk.oms.phase(), Phase::Halted);
    assert!(kinds(&killed(&mut desk)).is_empty(), "the second word changes nothing");
    assert_eq!(ask(&mut desk, "b", Side::Sell, "1", true), ["TRADING_HALTED"]);
    desk.restart();
    // Even a shell that forgot to tell of the latch: the journal knows.
    desk.connect(StartHow::Warm);
    assert_eq!(desk.oms.phase(), Phase::Halted);
}

#[test]
fn a_kill_may_leave_resting_orders() {
    let controls = Controls { on_kill: OnKill::Keep, ..Controls::default() };
    let mut desk = Desk::running_with(Settings { controls, ..settings() });
    desk.working(request("a", "hold", Side::Buy, "1"));
    assert!(!killed(&mut desk).iter().any(|effect| matches!(effect, Effect::Cancel(..))));
    assert_eq!((desk.oms.phase(), desk.state("a")), (Phase::Halted, OrderState::Working));
}

#[test]
fn a_kill_during_a_start_cancels_what_the_start_finds() {
    let mut desk = Desk::running();
    desk.working(request("a", "hold", Side::Buy, "1"));
    desk.restart();
    killed(&mut desk);
    desk.connect(StartHow::Warm);
    assert_eq!((desk.oms.phase(), desk.state("a")), (Phase::Halted, OrderState::PendingCancel));
}

#[test]
fn a_reset_leads_to_paused_once_both_latch_and_books_are_clear() {
    let mut desk = Desk::running();
    killed(&mut desk);
    assert_eq!(refusals(&desk.steer(Verb::Resume)), ["TRADING_HALTED"]);
    assert_eq!(refusals(&desk.steer(Verb::ReduceOnly)), ["TRADING_HALTED"]);
    assert_eq!(kinds(&desk.steer(Verb::Reset)), ["unhalt", "steer"]);
    assert_eq!(desk.oms.phase(), Phase::Halted, "the latch stands");
    desk.step(Event::LatchCleared { reply: None });
    assert_eq!(desk.oms.phase(), Phase::Paused);
    assert_eq!(ask(&mut desk, "a", Side::Buy, "1", false), ["TRADING_PAUSED"]);
    assert_eq!(refusals(&desk.steer(Verb::Reset)), ["NOT_HALTED"]);
    desk.steer(Verb::Resume);
    assert_eq!(desk.oms.phase(), Phase::Running);
    assert!(ask(&mut desk, "b", Side::Buy, "1", false).is_empty());
}

#[test]
fn a_word_on_another_state_than_the_present_is_refused() {
    let mut desk = Desk::running();
    desk.steer(Verb::Pause);
    let seen = desk.oms.state_view().version;
    desk.steer(Verb::ReduceOnly);
    let steering = Steering { verb: Verb::Resume, seen: Some(seen), by: operator("late") };
    let effects = desk.step(Event::Steer { steering, reply: Some(ReplyTo(1)) });
    assert_eq!((refusals(&effects), desk.oms.phase()), (vec!["STATE_CHANGED"], Phase::ReduceOnly));
}

#[test]
fn versions_rise_across_restarts_and_the_state_is_kept() {
    let mut desk = Desk::running();
    desk.steer(Verb::Pause);
    let before = desk.oms.state_view();
    assert_eq!((before.actor.as_str(), before.reason.as_str()), ("operator", "pause"));
    desk.restart();
    desk.connect(StartHow::Warm);
    let after = desk.oms.state_view();
    assert_eq!((after.phase, after.actor.as_str()), (Phase::Paused, "operator"));
    assert!(after.version > before.version, "{after:?} {before:?}");
    let text = desk.oms.snapshot().unwrap();
    let again = Oms::restore(settings(), &text).unwrap();
    assert_eq!(again.state_view().version, after.version);
}

#[test]
fn resume_names_the_gates_that_are_closed() {
    let mut desk = Desk::running();
    desk.steer(Verb::Pause);
    desk.step(Event::VenueLive { venue: venue(), live: false });
    let effects = desk.steer(Verb::Resume);
    assert_eq!(refusals(&effects), ["GATES_CLOSED"]);
    assert_eq!(desk.oms.phase(), Phase::Paused);
}

#[test]
fn the_answer_shows_the_state_that_the_word_led_to() {
    let mut desk = Desk::running();
    let shown = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Reply(_, Answer::State(view)) => Some(view.phase),
            _ => None,
        })
    };
    assert_eq!(shown(&desk.steer(Verb::Pause)), Some(Phase::Paused));
    assert_eq!(shown(&desk.steer(Verb::Pause)), Some(Phase::Paused), "again");
    assert_eq!(shown(&desk.steer(Verb::Resume)), Some(Phase::Running));
}

#[test]
fn a_cold_start_lifts_the_latch_and_says_so() {
    let mut desk = Desk::running();
    killed(&mut desk);
    desk.restart();
    killed(&mut desk);
    desk.step(Event::Start { how: StartHow::Cold(OpenOrdersAtColdStart::Refuse), by: operator("cold") });
    desk.step(Event::VenueStarted { venue: venue(), epoch: 1 });
    desk.step(Event::VenueLive { venue: venue(), live: true });
    desk.reconcile();
    assert!(desk.log.iter().any(|effect| matches!(effect, Effect::LiftLatch(by) if by.reason == "cold")));
    assert_eq!(desk.oms.phase(), Phase::Halted, "not yet");
    desk.step(Event::LatchCleared { reply: None });
    assert_eq!(desk.oms.phase(), Phase::Running);
}

#[test]
fn flatten_closes_what_is_held_after_the_reset_and_not_before() {
    let controls = Controls { on_kill: OnKill::Flatten, ..Controls::default() };
    let mut desk = Desk::running_with(Settings { controls, ..settings() });
    let ack = desk.working(request("entry", "hold", Side::Buy, "1"));
    let fill = desk.execute(&ack, 1, "1");
    let mut report = ack.clone();
    (report.status, report.executed, report.fills) = (OrderStatus::Filled, qty("1"), vec![fill]);
    desk.step(Event::Report { venue: venue(), report });
    desk.listed.clear();
    assert!(sent(&killed(&mut desk)).is_empty());
    assert!(sent(&desk.steer(Verb::Reset)).is_empty());
    let sent = sent(&desk.step(Event::LatchCleared { reply: None }));
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].side, sent[0].quantity), (Side::Sell, qty("1")));
    assert_eq!(desk.oms.phase(), Phase::Paused);
    let order = desk.oms.open_orders().next().unwrap();
    assert!(order.reduce_only && order.strategy.as_str() == "hold");
}
