//! Balances against the ledger, and the beginning of the books.

use super::desk::*;
use crate::domain::oms::*;
use crate::domain::order_types::{OrderReport, OrderStatus, Side};
use crate::domain::run_state::Verb;

#[test]
fn a_difference_is_believed_after_three_reads_and_halts() {
    let mut desk = Desk::running();
    desk.balances.insert(asset("USDT"), amount("9000"));
    let effects = desk.wait(59_000);
    assert!(raised(&effects).is_empty());
    let effects = desk.wait(5_000);
    assert_eq!(raised(&effects), ["position_divergence"]);
    assert_eq!(desk.oms.phase(), Phase::Halted);
    // While it stands, nobody lifts it.
    let effects = desk.steer(Verb::Reset);
    assert_eq!(refusals(&effects), ["CAUSE_STANDS"]);
    desk.balances.insert(asset("USDT"), amount("10000"));
    desk.steer(Verb::Reset);
    desk.steer(Verb::Reset);
    assert_eq!(desk.oms.phase(), Phase::Paused);
    desk.steer(Verb::Resume);
    assert_eq!(desk.oms.phase(), Phase::Running);
}

/// Found by the replay property: after a reconnect the gate waited for a comparison that was over already.
#[test]
fn a_standing_difference_is_not_asked_about_without_end() {
    let mut desk = Desk::running();
    desk.balances.insert(asset("USDT"), amount("9000"));
    desk.wait(65_000);
    assert_eq!(desk.oms.phase(), Phase::Halted);
    desk.step(Event::VenueLive { venue: venue(), live: false });
    desk.step(Event::VenueLive { venue: venue(), live: true });
    desk.reconcile();
    let asked = |effect: &&Effect| matches!(effect, Effect::FetchBalances(_));
    let questions = desk.wait(10_000).iter().filter(asked).count();
    assert!(questions < 40, "{questions} questions in ten seconds");
    assert_eq!((desk.oms.phase(), desk.oms.gate(&venue())), (Phase::Halted, None));
}

#[test]
fn a_difference_that_goes_away_was_none() {
    let mut desk = Desk::running();
    desk.balances.insert(asset("USDT"), amount("9000"));
    desk.wait(60_100);
    desk.balances.insert(asset("USDT"), amount("10000"));
    assert!(raised(&desk.wait(10_000)).is_empty());
    assert_eq!(desk.oms.phase(), Phase::Running);
}

#[test]
fn a_missed_fill_is_found_before_a_difference_is_believed() {
    let mut desk = Desk::running();
    let ack = desk.working(request("a", "hold", Side::Buy, "1"));
    desk.execute(&ack, 1, "0.5");
    let effects = desk.wait(70_000);
    assert!(raised(&effects).is_empty());
    assert_eq!((desk.held(), desk.oms.phase()), (amount("0.5"), Phase::Running));
}

#[test]
fn deposits_are_expected() {
    let mut desk = Desk::running();
    let delta = amount("500");
    desk.step(Event::BalanceMoved { venue: venue(), asset: asset("USDT"), delta });
    desk.balances.insert(asset("USDT"), amount("10500"));
    assert!(raised(&desk.wait(70_000)).is_empty());
}

#[test]
fn history_before_the_books_is_not_booked() {
    let mut desk = Desk::stopped(Oms::new(settings()).unwrap());
    let ghost = ghost();
    desk.execute(&ghost, 41, "3");
    desk.execute(&ghost, 42, "2");
    desk.connect(StartHow::Warm);
    assert_eq!((desk.oms.phase(), desk.held()), (Phase::Running, amount("0")));
    // The same page again, on every reconnect: still history.
    desk.reconcile();
    desk.wait(70_000);
    assert_eq!((desk.oms.phase(), desk.held()), (Phase::Running, amount("0")));
}

#[test]
fn a_beginning_waits_until_nothing_moves() {
    let mut desk = Desk::stopped(Oms::new(settings()).unwrap());
    let ghost = ghost();
    let stale = desk.balances_now();
    desk.step(Event::Start { how: StartHow::Warm, by: operator("test") });
    desk.step(Event::VenueLive { venue: venue(), live: true });
    // Between the comparison and its confirmation a trade happens: balances and fills are of two instants.
    desk.execute(&ghost, 42, "2");
    let snapshot = crate::domain::account_sync::AccountSnapshot { balances: stale, ..Default::default() };
    desk.step(Event::Reconciled { venue: venue(), snapshot, missing: Vec::new() });
    assert_eq!(desk.oms.phase(), Phase::Running);
    assert_eq!(desk.oms.ledger().expected(&venue()).unwrap()[&asset("BTC")], amount("12"));
    assert!(raised(&desk.wait(70_000)).is_empty());
}

fn ghost() -> OrderReport {
    let mut desk = Desk::running();
    let order = desk.submit(request("g", "hold", Side::Buy, "9"));
    desk.report(&order, OrderStatus::New, "0")
}
