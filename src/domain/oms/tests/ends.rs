//! The end of a run.

use super::desk::*;
use crate::domain::oms::*;
use crate::domain::order::OrderState;
use crate::domain::order_types::{OrderStatus, Side};

fn drained(effects: &[Effect]) -> Option<usize> {
    effects.iter().find_map(|effect| match effect {
        Effect::Drained { left_over } => Some(left_over.len()),
        _ => None,
    })
}

/// hummingbot#8075: a strategy emits an order during shutdown.
#[test]
fn nothing_is_taken_or_sent_after_a_drain_began() {
    let mut desk = Desk::running();
    desk.writes = false;
    desk.step(Event::Submit { request: request("a", "hold", Side::Buy, "1"), reply: None });
    desk.step(Event::Drain { how: DrainHow::Cancel, by: operator("stop") });
    let request = request("b", "hold", Side::Buy, "1");
    assert_eq!(refusals(&desk.step(Event::Submit { request, reply: Some(ReplyTo(1)) })), ["DRAINING"]);
    desk.writes = true;
    assert!(sent(&desk.sync()).is_empty());
    assert_eq!(desk.state("a"), OrderState::Cancelled);
    assert_eq!(drained(&desk.wait(500)), Some(0));
}

#[test]
fn a_drain_cancels_and_asks_the_venue_before_it_is_over() {
    let mut desk = Desk::running();
    let report = desk.working(request("a", "hold", Side::Buy, "1"));
    let effects = desk.step(Event::Drain { how: DrainHow::Cancel, by: operator("stop") });
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Cancel(..))));
    assert_eq!(drained(&desk.wait(2_000)), None);
    let mut end = report.clone();
    end.status = OrderStatus::Canceled;
    desk.listed.clear();
    desk.step(Event::Report { venue: venue(), report: end });
    let effects = desk.wait(500);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::FetchOpenOrders(_))));
    assert_eq!(drained(&effects), Some(0));
    let last = desk.disk.last().unwrap();
    assert_eq!(last.rows.last().unwrap().kind, "loop_shutdown");
    assert!(last.snapshot.is_some());
}

#[test]
fn a_drain_ends_at_its_deadline_and_says_what_is_left() {
    let mut desk = Desk::running();
    desk.working(request("a", "hold", Side::Buy, "1"));
    desk.step(Event::Drain { how: DrainHow::Cancel, by: operator("stop") });
    assert_eq!(drained(&desk.wait(21_000)), Some(1));
}

#[test]
fn a_drain_that_keeps_leaves_orders_working() {
    let mut desk = Desk::running();
    desk.working(request("a", "hold", Side::Buy, "1"));
    let effects = desk.step(Event::Drain { how: DrainHow::Keep, by: operator("restart") });
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Cancel(..))));
    assert_eq!(drained(&desk.wait(500)), Some(1));
    desk.restart();
    desk.connect(StartHow::Warm);
    assert_eq!(desk.state("a"), OrderState::Working);
}

#[test]
fn drained_waits_for_the_last_row() {
    let mut desk = Desk::running();
    desk.writes = false;
    desk.step(Event::Drain { how: DrainHow::Keep, by: operator("stop") });
    assert_eq!(drained(&desk.wait(1_000)), None);
    desk.sync();
    assert_eq!(drained(&desk.wait(100)), Some(0));
}
