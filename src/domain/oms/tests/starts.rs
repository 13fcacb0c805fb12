//! Cold and warm starts, restarts.

use super::desk::*;
use crate::domain::oms::*;
use crate::domain::order::OrderState;
use crate::domain::order_types::{OrderStatus, Side};
use crate::domain::outcome::Lookup;

fn events(desk: &Desk) -> Vec<&'static str> {
    let event = |effect: &Effect| match effect {
        Effect::Notice(notice) => Some(notice.event),
        _ => None,
    };
    desk.log.iter().filter_map(event).collect()
}

#[test]
fn what_was_in_flight_is_in_doubt_and_never_sent_unasked() {
    let mut desk = Desk::running();
    let order = desk.submit(request("a", "hold", Side::Buy, "1"));
    desk.restart();
    desk.connect(StartHow::Warm);
    assert_eq!((desk.state("a"), desk.oms.phase()), (OrderState::Unknown, Phase::Reconciling));
    let effects = desk.wait(200);
    assert!(sent(&effects).is_empty());
    let report = desk.report(&order, OrderStatus::New, "0");
    desk.looked(&order.client_order_id, Lookup::Found(Box::new(report)));
    assert_eq!((desk.state("a"), desk.oms.phase()), (OrderState::Working, Phase::Running));
    assert!(sent(&desk.log).is_empty());
}

/// nautilus#3176, #4736: restart N times with open orders and a position.
#[test]
fn restarting_changes_nothing() {
    let mut desk = Desk::running();
    let ack = desk.working(request("a", "hold", Side::Buy, "2"));
    let fill = desk.execute(&ack, 1, "0.5");
    let mut report = ack.clone();
    (report.status, report.executed, report.fills) = (OrderStatus::PartiallyFilled, qty("0.5"), vec![fill]);
    desk.step(Event::Report { venue: venue(), report: report.clone() });
    report.fills.clear();
    desk.listed = vec![report];
    for _ in 0..4 {
        let rows = desk.disk.iter().map(|batch| batch.rows.len()).sum::<usize>();
        desk.restart();
        desk.connect(StartHow::Warm);
        assert_eq!(desk.oms.phase(), Phase::Running, "{}", desk.oms.phase_reason());
        assert_eq!((desk.held(), desk.state("a")), (amount("0.5"), OrderState::PartiallyFilled));
        assert!(sent(&desk.log).is_empty());
        assert_eq!(events(&desk).iter().filter(|event| **event == "position_snapshot").count(), 1);
        let new: Vec<_> =
            desk.disk.iter().flat_map(|batch| &batch.rows).skip(rows).map(|row| row.kind).collect();
        assert_eq!(new, ["state", "warm_start", "state"]);
    }
}

#[test]
fn orders_are_taken_only_after_everything_was_compared() {
    let mut desk = Desk::stopped(Oms::new(settings()).unwrap());
    let submit = || Event::Submit { request: request("a", "hold", Side::Buy, "1"), reply: Some(ReplyTo(1)) };
    assert_eq!(refusals(&desk.step(submit())), ["NOT_STARTED"]);
    desk.step(Event::Start { how: StartHow::Warm, by: operator("test") });
    desk.step(Event::VenueLive { venue: venue(), live: true });
    assert_eq!(refusals(&desk.step(submit())), ["NOT_STARTED"]);
    desk.reconcile();
    desk.mark();
    assert!(refusals(&desk.step(submit())).is_empty());
    assert_eq!(events(&desk).iter().filter(|event| **event == "warm_start").count(), 1);
}

#[test]
fn a_comparison_before_the_start_is_kept_for_it() {
    let mut desk = Desk::stopped(Oms::new(settings()).unwrap());
    desk.step(Event::VenueLive { venue: venue(), live: true });
    desk.reconcile();
    assert_eq!(desk.oms.phase(), Phase::Starting);
    desk.step(Event::Start { how: StartHow::Warm, by: operator("test") });
    assert_eq!(desk.oms.phase(), Phase::Running);
}

/// nautilus#5000: a cold start with a working order drops nothing.
#[test]
fn a_cold_start_refuses_open_orders_unless_told() {
    let mut desk = Desk::running();
    let report = desk.working(request("a", "hold", Side::Buy, "1"));
    desk.restart();
    desk.connect(StartHow::Cold(OpenOrdersAtColdStart::Refuse));
    assert!(desk.log.iter().any(|effect| matches!(effect, Effect::StartRefused { .. })));
    assert_eq!((desk.oms.phase(), desk.state("a")), (Phase::Starting, OrderState::Working));
    // The same for orders that only the venue knows.
    let mut desk = Desk::stopped(Oms::new(settings()).unwrap());
    desk.listed = vec![report];
    desk.connect(StartHow::Cold(OpenOrdersAtColdStart::Refuse));
    assert!(desk.log.iter().any(|effect| matches!(effect, Effect::StartRefused { .. })));
    assert!(desk.disk.is_empty(), "nothing was changed");
}

#[test]
fn a_cold_start_closes_the_books_and_lifts_the_halt() {
    let mut desk = Desk::running();
    let ack = desk.working(request("a", "hold", Side::Buy, "1"));
    let fill = desk.execute(&ack, 1, "1");
    let mut report = ack.clone();
    (report.status, report.executed, report.fills) = (OrderStatus::Filled, qty("1"), vec![fill]);
    desk.step(Event::Report { venue: venue(), report });
    desk.listed.clear();
    desk.step(Event::Halt { by: operator("stop") });
    desk.restart();
    desk.connect(StartHow::Warm);
    assert_eq!(desk.oms.phase(), Phase::Halted, "a halt outlives a restart");
    desk.restart();
    desk.connect(StartHow::Cold(OpenOrdersAtColdStart::Refuse));
    assert_eq!((desk.oms.phase(), desk.held()), (Phase::Running, amount("0")));
    assert_eq!(desk.oms.orders().count(), 0);
    assert!(events(&desk).contains(&"cold_start"));
    // Old fills stay history, and numbers go on.
    desk.reconcile();
    assert!(raised(&desk.wait(70_000)).is_empty());
    assert_eq!(desk.held(), amount("0"));
    assert_eq!(
        desk.submit(request("b", "hold", Side::Buy, "1")).client_order_id.as_str(),
        "pltest01-00000002"
    );
}

#[test]
fn a_cold_start_that_adopts_keeps_orders_without_positions() {
    let mut desk = Desk::running();
    let ack = desk.working(request("a", "hold", Side::Buy, "2"));
    let fill = desk.execute(&ack, 1, "0.5");
    let mut report = ack.clone();
    (report.status, report.executed, report.fills) = (OrderStatus::PartiallyFilled, qty("0.5"), vec![fill]);
    desk.step(Event::Report { venue: venue(), report: report.clone() });
    desk.listed = vec![report.clone()];
    desk.restart();
    desk.connect(StartHow::Cold(OpenOrdersAtColdStart::Adopt));
    assert_eq!((desk.oms.phase(), desk.held()), (Phase::Running, amount("0")));
    assert_eq!(desk.state("a"), OrderState::PartiallyFilled);
    let rest = desk.execute(&ack, 2, "1.5");
    (report.status, report.executed, report.fills) = (OrderStatus::Filled, qty("2"), vec![rest]);
    desk.step(Event::Report { venue: venue(), report });
    assert_eq!((desk.held(), desk.state("a")), (amount("1.5"), OrderState::Filled));
    desk.listed.clear();
    assert!(raised(&desk.wait(70_000)).is_empty());
}

#[test]
fn a_cold_start_that_cancels_waits_for_an_empty_list() {
    let mut desk = Desk::running();
    let report = desk.working(request("a", "hold", Side::Buy, "1"));
    desk.restart();
    desk.connect(StartHow::Cold(OpenOrdersAtColdStart::Cancel));
    let cancel = |effect: &&Effect| matches!(effect, Effect::Cancel(..));
    assert_eq!(desk.log.iter().filter(cancel).count(), 1);
    assert_eq!(desk.oms.phase(), Phase::Reconciling);
    let mut end = report.clone();
    end.status = OrderStatus::Canceled;
    desk.listed.clear();
    desk.step(Event::Report { venue: venue(), report: end });
    desk.wait(1_000);
    assert_eq!(desk.oms.phase(), Phase::Running, "{}", desk.oms.phase_reason());
}
