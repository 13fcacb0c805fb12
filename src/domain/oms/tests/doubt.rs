//! Orders of which nobody knows what became.

use super::desk::*;
use crate::domain::oms::*;
use crate::domain::order::OrderState;
use crate::domain::order_types::{NewOrder, OrderStatus, Side};
use crate::domain::outcome::{Lookup, Outcome, RejectClass, Rejection};

fn in_doubt(desk: &mut Desk, strategy: &str) -> NewOrder {
    let order = desk.submit(request("a", strategy, Side::Buy, "1"));
    desk.lost_answer(&order);
    assert_eq!(desk.state("a"), OrderState::Unknown);
    order
}

/// nautilus#4152: the submit times out, the venue has filled.
#[test]
fn a_timeout_is_asked_about_and_found_filled() {
    let mut desk = Desk::running();
    let order = in_doubt(&mut desk, "hold");
    let effects = desk.wait(100);
    assert_eq!(queries(&effects).first(), Some(&order.client_order_id));
    let mut report = desk.report(&order, OrderStatus::Filled, "1");
    let fill = desk.execute(&report, 1, "1");
    report.fills = vec![fill];
    desk.looked(&order.client_order_id, Lookup::Found(Box::new(report)));
    assert_eq!((desk.state("a"), desk.held()), (OrderState::Filled, amount("1")));
}

#[test]
fn doubt_blocks_new_exposure_and_lets_reductions_through() {
    let mut desk = Desk::running();
    let held = desk.working(request("p", "hold", Side::Buy, "3"));
    let fill = desk.execute(&held, 1, "3");
    let mut report = held.clone();
    (report.status, report.executed, report.fills) = (OrderStatus::Filled, qty("3"), vec![fill]);
    desk.step(Event::Report { venue: venue(), report });
    let order = desk.submit(request("a", "hold", Side::Sell, "1"));
    desk.lost_answer(&order);
    let try_it = |desk: &mut Desk, side, quantity| {
        let request = request(&format!("t{}", desk.log.len()), "hold", side, quantity);
        refusals(&desk.step(Event::Submit { request, reply: Some(ReplyTo(1)) }))
    };
    assert_eq!(try_it(&mut desk, Side::Buy, "1"), ["OUTCOME_UNKNOWN"]);
    // Two more may be sold even if the doubtful one was; not three.
    assert_eq!(try_it(&mut desk, Side::Sell, "3"), ["OUTCOME_UNKNOWN"]);
    assert!(try_it(&mut desk, Side::Sell, "2").is_empty());
}

#[test]
fn absence_proves_nothing_within_the_window() {
    let mut desk = Desk::running();
    let order = in_doubt(&mut desk, "adopt");
    desk.absent_for(&order.client_order_id, WINDOW_MS - 50);
    assert_eq!(desk.state("a"), OrderState::Unknown);
    let effects = desk.absent_for(&order.client_order_id, 6_000);
    assert_eq!(desk.state("a"), OrderState::Cancelled);
    assert_eq!(desk.order("a").reason.as_deref(), Some("absent_at_venue"));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::FetchFills(..))), "fills were looked at");
}

#[test]
fn requeue_writes_first_and_sends_under_the_same_id() {
    let mut desk = Desk::running();
    let order = in_doubt(&mut desk, "requeue");
    let mark = Mark { bid: price("99.9"), ask: price("100.1") };
    desk.step(Event::Marked { venue: venue(), symbol: symbol(), mark: Some(mark) });
    desk.writes = false;
    let effects = desk.absent_for(&order.client_order_id, 4_500);
    assert!(kinds(&effects).contains(&"resend"));
    assert!(sent(&effects).is_empty(), "not before it is on disk");
    let again = sent(&desk.sync());
    assert_eq!(again, [order]);
    assert_eq!((desk.state("a"), desk.order("a").attempts), (OrderState::Submitted, 2));
}

#[test]
fn requeue_without_a_fresh_price_is_held() {
    let mut desk = Desk::running();
    let order = in_doubt(&mut desk, "requeue");
    desk.step(Event::Marked { venue: venue(), symbol: symbol(), mark: None });
    let effects = desk.absent_for(&order.client_order_id, 6_000);
    assert!(sent(&effects).is_empty());
    assert!(raised(&effects).contains(&"order_outcome_unknown"));
    assert_eq!(desk.state("a"), OrderState::Unknown);
    assert!(desk.order("a").reason.as_ref().unwrap().contains("NO_FRESH_MARK"));
    // An operator sees a price and decides.
    let mark = Mark { bid: price("99.9"), ask: price("100.1") };
    desk.step(Event::Marked { venue: venue(), symbol: symbol(), mark: Some(mark) });
    let resolution = Resolution::Resend;
    let effects = desk.step(Event::Resolve { order: id("a"), resolution, by: operator("go"), reply: None });
    assert_eq!(sent(&effects), [order]);
}

#[test]
fn a_resend_needs_proof_even_for_an_operator() {
    let mut desk = Desk::running();
    in_doubt(&mut desk, "requeue");
    let (resolution, by) = (Resolution::Resend, operator("go"));
    let effects = desk.step(Event::Resolve { order: id("a"), resolution, by, reply: Some(ReplyTo(1)) });
    assert_eq!(refusals(&effects), ["NOT_PROVED_ABSENT"]);
}

#[test]
fn held_is_asked_about_for_ever_and_resolved_by_evidence() {
    let mut desk = Desk::running();
    let order = in_doubt(&mut desk, "hold");
    desk.absent_for(&order.client_order_id, 6_000);
    assert_eq!(desk.state("a"), OrderState::Unknown);
    let effects = desk.absent_for(&order.client_order_id, 60_000);
    let asked = queries(&effects).len();
    assert!((5..=7).contains(&asked), "{asked} questions in a minute");
    let report = desk.report(&order, OrderStatus::New, "0");
    let effects = desk.looked(&order.client_order_id, Lookup::Found(Box::new(report)));
    assert_eq!(desk.state("a"), OrderState::Working);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Clear { .. })));
}

#[test]
fn cancel_patience_cancels_what_is_found_alive() {
    let mut desk = Desk::running();
    let order = in_doubt(&mut desk, "cancel");
    desk.wait(100);
    let report = desk.report(&order, OrderStatus::New, "0");
    let effects = desk.looked(&order.client_order_id, Lookup::Found(Box::new(report)));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Cancel(..))));
    assert_eq!(desk.state("a"), OrderState::PendingCancel);
}

#[test]
fn a_duplicate_id_means_that_the_venue_has_it() {
    let mut desk = Desk::running();
    let order = desk.submit(request("a", "hold", Side::Buy, "1"));
    let class = RejectClass::DuplicateClientOrderId;
    let outcome =
        Outcome::Rejected(Rejection { code: -2010, reason: "Duplicate order sent.".to_owned(), class });
    let effects = desk.step(Event::Placed { venue: venue(), order: order.client_order_id.clone(), outcome });
    assert_eq!(desk.state("a"), OrderState::Unknown);
    assert_eq!(queries(&effects), [order.client_order_id]);
}

#[test]
fn a_connector_that_died_leaves_doubt() {
    let mut desk = Desk::running();
    desk.submit(request("a", "hold", Side::Buy, "1"));
    desk.step(Event::VenueStarted { venue: venue(), epoch: 2 });
    assert_eq!(desk.state("a"), OrderState::Unknown);
    // Told twice, it happened once.
    assert!(kinds(&desk.step(Event::VenueStarted { venue: venue(), epoch: 2 })).is_empty());
}

#[test]
fn what_was_closed_on_silence_comes_back_to_life() {
    let mut desk = Desk::running();
    let order = in_doubt(&mut desk, "adopt");
    desk.absent_for(&order.client_order_id, 6_000);
    assert_eq!(desk.state("a"), OrderState::Cancelled);
    let report = desk.report(&order, OrderStatus::New, "0");
    desk.step(Event::Report { venue: venue(), report });
    assert_eq!(desk.state("a"), OrderState::Working);
}

/// hummingbot#8457: six accepted orders, a minute without answers; all six stay.
#[test]
fn working_orders_survive_silence() {
    let mut desk = Desk::running();
    let names: Vec<String> = (0..6).map(|n| format!("o{n}")).collect();
    for name in &names {
        desk.working(request(name, "adopt", Side::Buy, "1"));
    }
    desk.step(Event::VenueLive { venue: venue(), live: false });
    desk.wait(60_000);
    assert_eq!(desk.oms.open_orders().count(), 6);
    desk.step(Event::VenueLive { venue: venue(), live: true });
    desk.reconcile();
    for name in &names {
        assert_eq!(desk.state(name), OrderState::Working);
    }
    assert_eq!(desk.oms.gate(&venue()), None);
}

#[test]
fn an_order_missing_from_the_list_is_asked_about_not_closed() {
    let mut desk = Desk::running();
    let report = desk.working(request("a", "adopt", Side::Buy, "1"));
    desk.listed.clear();
    let effects = desk.wait(10_100);
    assert_eq!(queries(&effects).first(), Some(&report.client_order_id));
    assert_eq!(desk.state("a"), OrderState::Working);
    let mut end = report.clone();
    end.status = OrderStatus::Canceled;
    desk.looked(&report.client_order_id, Lookup::Found(Box::new(end)));
    assert_eq!(desk.state("a"), OrderState::Cancelled);
}
