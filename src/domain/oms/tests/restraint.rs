//! A strategy whose series drifts: its next entry is cut, nobody else's, over crashes, until a person lifts it.

use super::desk::*;
use crate::domain::ids::StrategyId;
use crate::domain::oms::*;
use crate::domain::order_types::{NewOrder, OrderStatus, Side};
use rust_decimal::Decimal;

fn restrain(strategy: &str, stream: &str, factor: i64) -> Event {
    Event::Restrain {
        strategy: StrategyId::new(strategy).unwrap(),
        stream: stream.to_owned(),
        factor: Decimal::new(factor, 1),
        by: Actor { name: "drift_sentry".to_owned(), reason: "slippage rose".to_owned() },
        reply: Some(ReplyTo(5)),
    }
}

fn release(strategy: &str, stream: &str) -> Event {
    Event::Release {
        strategy: StrategyId::new(strategy).unwrap(),
        stream: stream.to_owned(),
        by: operator("fees changed"),
        reply: Some(ReplyTo(6)),
    }
}

fn bought(desk: &mut Desk, name: &str, strategy: &str, quantity: &str) -> NewOrder {
    let order = desk.submit(request(name, strategy, Side::Buy, quantity));
    assert_eq!(desk.order(name).quantity, order.quantity, "the books hold what was sent");
    order
}

#[test]
fn the_next_entry_is_cut_and_only_of_that_strategy_over_a_crash() {
    let mut desk = Desk::running();
    assert_eq!(bought(&mut desk, "before", "hold", "1").quantity, qty("1"));
    let effects = desk.step(restrain("hold", "slippage:hold", 5));
    assert!(kinds(&effects).contains(&"restrain") && kinds(&effects).contains(&"risk_marks"), "{effects:?}");
    assert_eq!(bought(&mut desk, "cut", "hold", "0.333").quantity, qty("0.166"), "down to the lot");
    assert_eq!(bought(&mut desk, "other", "adopt", "0.333").quantity, qty("0.333"));
    desk.restart();
    desk.connect(StartHow::Warm);
    assert_eq!(desk.oms.restraints().len(), 1, "it is in the journal");
    assert_eq!(desk.oms.restraints()[0].stream, "slippage:hold");
}

#[test]
fn a_person_lifts_it_and_nothing_else_does() {
    let mut desk = Desk::running();
    desk.step(restrain("hold", "a", 5));
    desk.step(restrain("hold", "b", 2));
    desk.wait(120_000);
    desk.mark();
    assert_eq!(bought(&mut desk, "both", "hold", "1").quantity, qty("0.2"), "the smallest share holds");
    desk.step(release("hold", "b"));
    assert_eq!(bought(&mut desk, "one", "hold", "1").quantity, qty("0.5"));
    let by = operator("looked at it");
    let strategy = StrategyId::new("hold").unwrap();
    desk.step(Event::ReEnable { strategy, by, reply: Some(ReplyTo(8)) });
    assert_eq!(bought(&mut desk, "free", "hold", "1").quantity, qty("1"));
    assert!(desk.oms.restraints().is_empty());
    let effects = desk.step(release("hold", "a"));
    assert!(refusals(&effects).is_empty() && kinds(&effects).is_empty(), "lifted already is lifted");
}

#[test]
fn a_share_of_nothing_denies_entries_and_lets_reductions_out_whole() {
    let mut desk = Desk::running();
    let ack = desk.working(request("entry", "hold", Side::Buy, "1"));
    let fill = desk.execute(&ack, 1, "1");
    let mut report = ack;
    (report.status, report.executed, report.fills) = (OrderStatus::Filled, qty("1"), vec![fill]);
    desk.step(Event::Report { venue: venue(), report });
    desk.step(restrain("hold", "a", 0));
    let entry = request("more", "hold", Side::Buy, "1");
    let effects = desk.step(Event::Submit { request: entry, reply: Some(ReplyTo(1)) });
    assert_eq!(refusals(&effects), ["DRIFT_PAUSED"]);
    let out = desk.submit(request("out", "hold", Side::Sell, "1"));
    assert_eq!(out.quantity, qty("1"), "a reduction is never cut");
}

#[test]
fn what_cannot_be_cut_to_anything_legal_is_denied() {
    let mut desk = Desk::running();
    desk.step(restrain("hold", "a", 5));
    for (quantity, code) in [("0.001", "NOTIONAL_BELOW_MINIMUM"), ("0.09", "NOTIONAL_BELOW_MINIMUM")] {
        let request = request("small", "hold", Side::Buy, quantity);
        let effects = desk.step(Event::Submit { request, reply: Some(ReplyTo(1)) });
        assert_eq!(refusals(&effects), [code], "{quantity}");
    }
    let effects = desk.step(restrain("nobody", "a", 5));
    assert_eq!(refusals(&effects), ["UNKNOWN_STRATEGY"]);
    let effects = desk.step(restrain("hold", "a", 10));
    assert_eq!(refusals(&effects), ["BAD_FACTOR"]);
}

#[test]
fn a_cold_start_closes_books_and_keeps_cuts() {
    let mut desk = Desk::running();
    desk.step(restrain("hold", "a", 5));
    let mut oms = Oms::new(settings()).unwrap();
    replay(&mut oms, &desk.disk);
    desk.oms = oms;
    desk.connect(StartHow::Cold(OpenOrdersAtColdStart::Adopt));
    assert_eq!(desk.oms.restraints().len(), 1);
}
