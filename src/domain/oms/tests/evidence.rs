//! Reports and fills in every order, twice, late, and of strangers.

use super::desk::*;
use crate::domain::ids::VenueOrderId;
use crate::domain::oms::*;
use crate::domain::order::{OrderState, Origin};
use crate::domain::order_types::{Fill, OrderReport, OrderStatus, OtherWord, Side};
use crate::domain::outcome::{Lookup, Outcome, RejectClass, Rejection};

fn with(report: &OrderReport, status: OrderStatus, executed: &str, fills: &[Fill]) -> OrderReport {
    OrderReport { status, executed: qty(executed), fills: fills.to_vec(), ..report.clone() }
}

fn tell(desk: &mut Desk, report: OrderReport) -> Vec<Effect> {
    desk.step(Event::Report { venue: venue(), report })
}

#[test]
fn a_fill_before_the_acknowledgement() {
    let mut desk = Desk::running();
    let order = desk.submit(request("a", "hold", Side::Buy, "1"));
    let ack = desk.report(&order, OrderStatus::New, "0");
    let fill = desk.execute(&ack, 1, "0.5");
    tell(&mut desk, with(&ack, OrderStatus::PartiallyFilled, "0.5", &[fill]));
    assert_eq!(desk.state("a"), OrderState::PartiallyFilled);
    // The acknowledgement afterwards takes nothing back.
    tell(&mut desk, ack.clone());
    assert_eq!((desk.state("a"), desk.order("a").executed), (OrderState::PartiallyFilled, qty("0.5")));
}

#[test]
fn a_fill_after_the_cancel_is_booked() {
    let mut desk = Desk::running();
    let ack = desk.working(request("a", "hold", Side::Buy, "1"));
    tell(&mut desk, with(&ack, OrderStatus::Canceled, "0", &[]));
    let fill = desk.execute(&ack, 1, "0.5");
    tell(&mut desk, with(&ack, OrderStatus::PartiallyFilled, "0.5", &[fill]));
    assert_eq!((desk.state("a"), desk.held()), (OrderState::Cancelled, amount("0.5")));
    let rest = desk.execute(&ack, 2, "0.5");
    tell(&mut desk, with(&ack, OrderStatus::Filled, "1", &[rest]));
    assert_eq!((desk.state("a"), desk.held()), (OrderState::Filled, amount("1")));
}

#[test]
fn fills_are_booked_once_wherever_they_come_from() {
    let mut desk = Desk::running();
    let ack = desk.working(request("a", "hold", Side::Buy, "1"));
    let fill = desk.execute(&ack, 1, "0.5");
    let report = with(&ack, OrderStatus::PartiallyFilled, "0.5", std::slice::from_ref(&fill));
    for _ in 0..3 {
        tell(&mut desk, report.clone());
        desk.reconcile();
    }
    let rows = desk.disk.iter().flat_map(|batch| &batch.rows).filter(|row| row.kind == "fill").count();
    assert_eq!((rows, desk.held()), (1, amount("0.5")));
}

/// TradeStation#101: one fill frame is lost, everything else flows.
#[test]
fn a_lost_fill_is_found_by_the_cumulative_quantity() {
    let mut desk = Desk::running();
    let ack = desk.working(request("a", "hold", Side::Buy, "1"));
    desk.execute(&ack, 1, "0.5");
    let second = desk.execute(&ack, 2, "0.2");
    tell(&mut desk, with(&ack, OrderStatus::PartiallyFilled, "0.7", &[second]));
    assert_eq!((desk.order("a").booked, desk.order("a").executed), (qty("0.2"), qty("0.7")));
    desk.wait(500);
    assert_eq!((desk.order("a").booked, desk.held()), (qty("0.7"), amount("0.7")));
}

#[test]
fn a_cancel_refused_because_filled() {
    let mut desk = Desk::running();
    let ack = desk.working(request("a", "hold", Side::Buy, "1"));
    desk.step(Event::Cancel { order: id("a"), by: operator("out"), reply: None });
    let rejection =
        Rejection { code: -2011, reason: "Unknown order sent.".to_owned(), class: RejectClass::UnknownOrder };
    let outcome = Outcome::Rejected(rejection);
    let name = ack.client_order_id.clone();
    let effects = desk.step(Event::CancelAnswered { venue: venue(), order: name.clone(), outcome });
    assert_eq!(queries(&effects).first(), Some(&name));
    let fill = desk.execute(&ack, 1, "1");
    desk.looked(&name, Lookup::Found(Box::new(with(&ack, OrderStatus::Filled, "1", &[fill]))));
    assert_eq!((desk.state("a"), desk.held()), (OrderState::Filled, amount("1")));
}

#[test]
fn an_overfill_halts() {
    let mut desk = Desk::running();
    let ack = desk.working(request("a", "hold", Side::Buy, "1"));
    let fill = desk.execute(&ack, 1, "1.5");
    let effects = tell(&mut desk, with(&ack, OrderStatus::Filled, "1.5", &[fill]));
    assert!(raised(&effects).contains(&"position_divergence"));
    assert_eq!(desk.oms.phase(), Phase::Halted);
    assert_eq!(desk.held(), amount("1.5"), "what happened is booked all the same");
}

#[test]
fn unknown_words_count_as_live() {
    let mut desk = Desk::running();
    let ack = desk.working(request("a", "hold", Side::Buy, "1"));
    tell(&mut desk, with(&ack, OrderStatus::Other(OtherWord::new("PONDERING")), "0", &[]));
    assert_eq!(desk.state("a"), OrderState::Working);
}

#[test]
fn a_bust_gives_the_position_back_once() {
    let mut desk = Desk::running();
    let ack = desk.working(request("a", "hold", Side::Buy, "1"));
    let fill = desk.execute(&ack, 1, "1");
    tell(&mut desk, with(&ack, OrderStatus::Filled, "1", std::slice::from_ref(&fill)));
    for _ in 0..2 {
        desk.step(Event::Busted { venue: venue(), fill: fill.clone() });
    }
    tell(&mut desk, with(&ack, OrderStatus::Filled, "1", &[fill]));
    assert_eq!((desk.held(), desk.order("a").executed), (amount("0"), qty("1")));
}

fn stranger(desk: &mut Desk, name: &str) -> OrderReport {
    let order = desk.submit(request("probe", "hold", Side::Buy, "1"));
    let mut report = desk.report(&order, OrderStatus::New, "0");
    report.client_order_id = id(name);
    let end = desk.report(&order, OrderStatus::Canceled, "0");
    tell(desk, end);
    report
}

#[test]
fn foreign_orders_are_adopted_and_their_fills_booked() {
    let mut desk = Desk::running();
    let report = stranger(&mut desk, "web-1");
    tell(&mut desk, report.clone());
    let adopted = desk.oms.open_orders().next().unwrap().clone();
    assert_eq!((adopted.origin, adopted.strategy.as_str()), (Origin::Adopted, "external"));
    let fill = desk.execute(&report, 9, "1");
    let effects = tell(&mut desk, with(&report, OrderStatus::Filled, "1", &[fill]));
    assert!(raised(&effects).is_empty());
    assert_eq!((desk.held(), desk.oms.open_orders().count()), (amount("1"), 0));
}

#[test]
fn an_order_of_ours_that_we_forgot_moves_the_numbers_on() {
    let mut desk = Desk::running();
    let report = stranger(&mut desk, "pltest01-0000000a");
    let effects = tell(&mut desk, report);
    let loud =
        |effect: &&Effect| matches!(effect, Effect::Notice(notice) if notice.level == NoticeLevel::Error);
    assert_eq!(effects.iter().filter(loud).count(), 1);
    let next = desk.submit(request("n", "hold", Side::Buy, "1"));
    assert_eq!(next.client_order_id.as_str(), "pltest01-0000000b");
}

#[test]
fn a_fill_that_matches_nothing_is_booked_and_said() {
    let mut desk = Desk::running();
    let mut report = stranger(&mut desk, "web-2");
    report.venue_order_id = VenueOrderId::from(99_999);
    desk.execute(&report, 7, "2");
    let effects = {
        desk.reconcile();
        desk.log.clone()
    };
    assert!(raised(&effects).contains(&"unmatched_fill"));
    assert_eq!(desk.held(), amount("2"));
}

#[test]
fn a_fill_waits_for_the_order_whose_venue_id_is_not_known() {
    let mut desk = Desk::running();
    let order = desk.submit(request("a", "adopt", Side::Buy, "1"));
    let ack = desk.report(&order, OrderStatus::New, "0");
    desk.lost_answer(&order);
    desk.execute(&ack, 1, "0.5");
    desk.reconcile();
    assert_eq!(desk.held(), amount("0"), "on the shelf: it may be ours");
    desk.looked(
        &order.client_order_id,
        Lookup::Found(Box::new(with(&ack, OrderStatus::PartiallyFilled, "0.5", &[]))),
    );
    assert_eq!((desk.held(), desk.order("a").booked), (amount("0.5"), qty("0.5")));
    let mine = desk.oms.ledger().positions().next().unwrap();
    assert_eq!(mine.strategy.as_str(), "adopt");
}

#[test]
fn late_news_of_the_dead_changes_nothing() {
    let mut desk = Desk::running();
    let ack = desk.working(request("a", "hold", Side::Buy, "1"));
    tell(&mut desk, with(&ack, OrderStatus::Canceled, "0", &[]));
    for status in [OrderStatus::New, OrderStatus::Canceled, OrderStatus::Expired] {
        let effects = tell(&mut desk, with(&ack, status, "0", &[]));
        assert!(kinds(&effects).is_empty());
    }
    assert_eq!(desk.state("a"), OrderState::Cancelled);
}
