//! The normal life of an order, and what may not happen in it.

use super::desk::*;
use crate::domain::oms::*;
use crate::domain::order::{OrderState, ReplaceRequest};
use crate::domain::order_types::{OrderStatus, Side};
use crate::domain::outcome::{Denial, Outcome};
use crate::domain::run_state::Verb;
use crate::domain::time::Mono;

fn submit(name: &str) -> Event {
    Event::Submit { request: request(name, "hold", Side::Buy, "1"), reply: Some(ReplyTo(1)) }
}

#[test]
fn submitted_durable_acknowledged_filled_booked() {
    let mut desk = Desk::running();
    desk.writes = false;
    let effects = desk.step(submit("a"));
    assert_eq!(kinds(&effects), ["risk", "intent"]);
    assert!(sent(&effects).is_empty() && refusals(&effects).is_empty());
    assert_eq!(desk.state("a"), OrderState::PendingSubmit);

    let effects = desk.sync();
    let order = sent(&effects).pop().unwrap();
    assert_eq!(order.client_order_id.as_str(), "pltest01-00000001");
    let accepted = |effect: &Effect| matches!(effect, Effect::Reply(ReplyTo(1), Answer::Accepted(_)));
    assert!(effects.iter().any(accepted));
    assert_eq!(desk.state("a"), OrderState::Submitted);

    desk.writes = true;
    let ack = desk.report(&order, OrderStatus::New, "0");
    desk.step(Event::Report { venue: venue(), report: ack.clone() });
    assert_eq!(desk.state("a"), OrderState::Working);
    let part = desk.execute(&ack, 1, "0.4");
    let mut report = ack.clone();
    (report.status, report.executed, report.fills) = (OrderStatus::PartiallyFilled, qty("0.4"), vec![part]);
    desk.step(Event::Report { venue: venue(), report: report.clone() });
    assert_eq!((desk.state("a"), desk.held()), (OrderState::PartiallyFilled, amount("0.4")));
    let rest = desk.execute(&ack, 2, "0.6");
    (report.status, report.executed, report.fills) = (OrderStatus::Filled, qty("1"), vec![rest]);
    let effects = desk.step(Event::Report { venue: venue(), report });
    // One row says it all: the fill completes the order.
    assert_eq!(kinds(&effects), ["fill"]);
    let order = desk.order("a");
    assert_eq!(
        (order.state, order.booked, order.average_price()),
        (OrderState::Filled, qty("1"), Some(price("100")))
    );
    assert_eq!(desk.held(), amount("1"));
}

#[test]
fn the_same_id_is_the_same_order() {
    let mut desk = Desk::running();
    desk.writes = false;
    desk.step(submit("a"));
    let effects = desk.step(submit("a"));
    assert!(kinds(&effects).is_empty() && sent(&effects).is_empty());
    let effects = desk.sync();
    let answers = effects.iter().filter(|effect| matches!(effect, Effect::Reply(_, Answer::Accepted(_))));
    assert_eq!((answers.count(), sent(&effects).len()), (2, 1));
    let effects = desk.step(submit("a"));
    assert!(sent(&effects).is_empty() && refusals(&effects).is_empty());
}

#[test]
fn an_intent_that_was_not_written_never_existed() {
    let mut desk = Desk::running();
    desk.writes = false;
    desk.step(submit("a"));
    let ticket = last(&desk.pending);
    desk.pending.clear();
    let effects = desk.step(Event::NotDurable { ticket, why: "disk full".to_owned() });
    assert_eq!(refusals(&effects), ["NOT_DURABLE"]);
    assert!(desk.oms.order(&id("a")).is_none());
    desk.writes = true;
    // The id is free again.
    assert_eq!(
        desk.submit(request("a", "hold", Side::Buy, "1")).client_order_id.as_str(),
        "pltest01-00000002"
    );
}

#[test]
fn what_is_refused_at_the_door() {
    let mut desk = Desk::running();
    let mut refused = |change: &dyn Fn(&mut crate::domain::order::OrderRequest)| {
        let mut request = request("a", "hold", Side::Buy, "1");
        change(&mut request);
        let effects = desk.step(Event::Submit { request, reply: Some(ReplyTo(1)) });
        assert!(sent(&effects).is_empty());
        refusals(&effects).first().copied().unwrap_or("accepted")
    };
    assert_eq!(refused(&|r| r.quantity = qty("0")), "QUANTITY_NOT_POSITIVE");
    assert_eq!(refused(&|r| r.quantity = qty("0.0005")), "QUANTITY_RULE");
    assert_eq!(refused(&|r| r.price = None), "PRICE_MISSING");
    assert_eq!(refused(&|r| r.price = Some(price("100.001"))), "PRICE_RULE");
    assert_eq!(refused(&|r| r.quantity = qty("0.001")), "NOTIONAL_BELOW_MINIMUM");
    assert_eq!(refused(&|r| r.symbol = "ETHUSDT".parse().unwrap()), "UNKNOWN_INSTRUMENT");
    assert_eq!(refused(&|r| r.venue = "mars".parse().unwrap()), "UNKNOWN_VENUE");
    assert_eq!(refused(&|r| r.strategy = "nobody".parse().unwrap()), "UNKNOWN_STRATEGY");
    assert_eq!(refused(&|r| r.reduce_only = true), "NOT_REDUCING");
    assert_eq!(refused(&|r| r.client_order_id = Some(id("ext-1"))), "RESERVED_ID");
    assert_eq!(refused(&|r| r.client_order_id = Some(id("pltest01-00000009"))), "RESERVED_ID");
}

#[test]
fn a_flood_of_refusals_does_not_fill_the_disk() {
    let mut desk = Desk::running();
    let before = desk.disk.len();
    for _ in 0..1_000 {
        let request = request("a", "nobody", Side::Buy, "1");
        desk.step(Event::Submit { request, reply: None });
    }
    assert_eq!(desk.disk.len() - before, 50);
    desk.wait(1_000);
    desk.step(Event::Submit { request: request("a", "nobody", Side::Buy, "1"), reply: None });
    assert!(desk.disk.last().unwrap().rows[0].payload.contains("\"unrecorded\":950"));
}

#[test]
fn a_sick_journal_takes_cancels_and_no_orders() {
    let mut desk = Desk::running();
    let report = desk.working(request("a", "hold", Side::Buy, "1"));
    desk.step(Event::Journal { writable: false });
    desk.writes = false;
    assert_eq!(refusals(&desk.step(submit("b"))), ["JOURNAL_UNWRITABLE"]);
    let effects = desk.step(Event::Cancel { order: id("a"), by: operator("risk"), reply: Some(ReplyTo(3)) });
    let cancel = |effect: &&Effect| matches!(effect, Effect::Cancel(_, cancel) if cancel.client_order_id == report.client_order_id);
    assert_eq!(effects.iter().filter(cancel).count(), 1);
    desk.step(Event::Journal { writable: true });
    desk.writes = true;
    desk.sync();
    desk.submit(request("b", "hold", Side::Buy, "1"));
}

#[test]
fn a_cancel_before_the_disk_means_never_sent() {
    let mut desk = Desk::running();
    desk.writes = false;
    desk.step(submit("a"));
    desk.step(Event::Cancel { order: id("a"), by: operator("no"), reply: None });
    let effects = desk.sync();
    assert!(sent(&effects).is_empty());
    assert_eq!(desk.state("a"), OrderState::Cancelled);
    assert_eq!(desk.order("a").attempts, 0);
}

#[test]
fn halted_between_disk_and_venue_means_never_sent() {
    let mut desk = Desk::running();
    desk.writes = false;
    desk.step(submit("a"));
    desk.step(Event::Halt { by: operator("stop") });
    let effects = desk.sync();
    assert!(sent(&effects).is_empty());
    assert_eq!(desk.state("a"), OrderState::Denied);
    assert!(desk.order("a").reason.as_ref().unwrap().starts_with("TRADING_HALTED"));
    assert_eq!(desk.oms.phase(), Phase::Halted);
    assert_eq!(refusals(&desk.step(submit("b"))), ["TRADING_HALTED"]);
    desk.writes = true;
    desk.sync();
    desk.steer(Verb::Reset);
    assert_eq!(desk.oms.phase(), Phase::Paused);
    desk.steer(Verb::Resume);
    assert_eq!(desk.oms.phase(), Phase::Running);
}

#[test]
fn a_paced_order_waits_and_an_old_one_is_never_sent() {
    let mut desk = Desk::running();
    let order = desk.submit(request("a", "hold", Side::Buy, "1"));
    let denied = |at: Mono| Event::Placed {
        venue: venue(),
        order: order.client_order_id.clone(),
        outcome: Outcome::DeniedHere(Denial::Paced { limit: "ORDERS_10S", used: 1, cap: 1, retry_at: at }),
    };
    let at = desk.now.mono.plus(500);
    desk.step(denied(at));
    assert_eq!(desk.state("a"), OrderState::PendingSubmit);
    assert!(sent(&desk.wait(450)).is_empty());
    assert_eq!(sent(&desk.wait(100)).len(), 1);
    let at = desk.now.mono.plus(70_000);
    desk.step(denied(at));
    assert!(sent(&desk.wait(71_000)).is_empty());
    assert_eq!(desk.state("a"), OrderState::Denied);
    assert!(desk.order("a").reason.as_ref().unwrap().starts_with("ORDER_TOO_OLD"));
}

#[test]
fn a_closed_gate_keeps_orders_waiting() {
    let mut desk = Desk::running();
    desk.writes = false;
    desk.step(submit("a"));
    desk.step(Event::VenueLive { venue: venue(), live: false });
    assert!(sent(&desk.sync()).is_empty());
    desk.writes = true;
    assert_eq!(refusals(&desk.step(submit("b"))), ["VENUE_GATE_CLOSED"]);
    desk.step(Event::VenueLive { venue: venue(), live: true });
    assert!(sent(&desk.wait(200)).is_empty(), "up, but not compared");
    desk.reconcile();
    assert_eq!(sent(&desk.wait(100)).len(), 1);
}

#[test]
fn replace_places_what_the_original_left() {
    let mut desk = Desk::running();
    let report = desk.working(request("a", "hold", Side::Buy, "1"));
    let request = ReplaceRequest {
        original: id("a"),
        client_order_id: Some(id("b")),
        price: price("99"),
        quantity: qty("2"),
    };
    let effects = desk.step(Event::Replace { request, by: operator("move"), reply: Some(ReplyTo(5)) });
    assert!(sent(&effects).is_empty());
    assert_eq!(desk.state("a"), OrderState::PendingCancel);
    let fill = desk.execute(&report, 1, "0.25");
    let mut end = report.clone();
    (end.status, end.executed, end.fills) = (OrderStatus::Canceled, qty("0.25"), vec![fill]);
    let effects = desk.step(Event::CancelAnswered {
        venue: venue(),
        order: report.client_order_id.clone(),
        outcome: Outcome::Confirmed(end),
    });
    let order = sent(&effects).pop().unwrap();
    assert_eq!((order.quantity, order.price), (qty("1.75"), Some(price("99"))));
    assert_eq!(desk.order("b").replaces, Some(id("a")));
}

#[test]
fn cancel_all_counts_and_repeats() {
    let mut desk = Desk::running();
    for name in ["a", "b", "c"] {
        desk.working(request(name, "hold", Side::Buy, "1"));
    }
    let effects = desk.step(Event::CancelAll {
        scope: Default::default(),
        by: operator("all"),
        reply: Some(ReplyTo(1)),
    });
    assert!(effects.contains(&Effect::Reply(ReplyTo(1), Answer::CancelAllTaken(3))));
    let cancels = |effects: &[Effect]| effects.iter().filter(|e| matches!(e, Effect::Cancel(..))).count();
    assert_eq!(cancels(&effects), 3);
    assert_eq!(cancels(&desk.wait(1_000)), 3, "no answer: once more");
}

#[test]
fn listeners_hear_of_each_change_once() {
    let mut desk = Desk::running();
    let effects = desk.step(submit("a"));
    let told = effects.iter().filter(|effect| matches!(effect, Effect::Publish(Change::Order(_)))).count();
    assert_eq!(told, 2, "taken and sent");
}
