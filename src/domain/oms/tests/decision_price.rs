//! The price that a decision saw goes with its order, over a crash, to the fills that are measured against it.

use super::desk::*;
use crate::domain::drift::OrderSource;
use crate::domain::money::Price;
use crate::domain::oms::*;
use crate::domain::order_types::{OrderReport, OrderStatus, Side};

/// The venue executes all of it at a price; answers what is published.
fn filled(desk: &mut Desk, ack: &OrderReport, trade: u64, at: &str) -> Vec<Change> {
    let mut fill = desk.execute(ack, trade, "1");
    fill.price = price(at);
    let mut report = ack.clone();
    (report.status, report.executed, report.fills) = (OrderStatus::Filled, qty("1"), vec![fill]);
    let effects = desk.step(Event::Report { venue: venue(), report });
    let published = |effect: Effect| match effect {
        Effect::Publish(change) => Some(change),
        _ => None,
    };
    effects.into_iter().filter_map(published).collect()
}

fn decided(changes: &[Change]) -> Vec<Option<Price>> {
    let of = |change: &Change| match change {
        Change::Fill { decided, .. } => Some(*decided),
        _ => None,
    };
    changes.iter().filter_map(of).collect()
}

fn samples(source: &mut OrderSource, changes: &[Change]) -> Vec<(String, f64)> {
    let samples = changes.iter().flat_map(|change| source.note(change));
    samples.map(|sample| (sample.name.to_string(), (sample.x * 1e6).round() / 1e6)).collect()
}

#[test]
fn a_fill_is_measured_against_what_the_decision_saw_though_the_market_and_the_process_are_others_by_then() {
    let mut desk = Desk::running();
    let ack = desk.working(request("bought", "hold", Side::Buy, "1"));
    assert_eq!(desk.order("bought").decision_price, Some(price("100.1")), "the ask");
    desk.restart();
    desk.connect(StartHow::Warm);
    let fell = Mark { bid: price("97.9"), ask: price("98.1") };
    desk.step(Event::Marked { venue: venue(), symbol: symbol(), mark: Some(fell) });
    let changes = filled(&mut desk, &ack, 1, "100.2");
    assert_eq!(decided(&changes), [Some(price("100.1"))]);
    let mut source = OrderSource::default();
    assert_eq!(samples(&mut source, &changes), [("slippage:hold".to_owned(), 9.99001)], "0.1 of 100.1");

    // The way out, decided on at the new bid, earns: its fill tells of the trip too.
    desk.mark();
    let ack = desk.working(request("sold", "hold", Side::Sell, "1"));
    assert_eq!(desk.order("sold").decision_price, Some(price("99.9")), "the bid");
    let told = samples(&mut source, &filled(&mut desk, &ack, 2, "101.2"));
    let wanted = [("slippage:hold", -130.13013), ("hit_rate:hold", 1.0), ("trade_return:hold", 98.814229)];
    assert_eq!(told, wanted.map(|(name, x)| (name.to_owned(), x)));
}

#[test]
fn an_order_that_was_found_at_the_venue_was_decided_elsewhere_and_has_no_yardstick() {
    let mut desk = Desk::running();
    let ours = desk.working(request("ours", "hold", Side::Buy, "1"));
    let mut foreign = ours.clone();
    foreign.client_order_id = id("web-1");
    foreign.venue_order_id = crate::domain::ids::VenueOrderId::from(9_000);
    desk.step(Event::Report { venue: venue(), report: foreign.clone() });
    let changes = filled(&mut desk, &foreign, 1, "100");
    assert_eq!(decided(&changes), [None]);
    let told = samples(&mut OrderSource::default(), &changes);
    assert!(told.iter().all(|(name, _)| !name.starts_with("slippage")), "{told:?}");
}

#[test]
fn orders_of_an_earlier_release_are_read_and_have_none() {
    let mut desk = Desk::running();
    desk.working(request("old", "hold", Side::Buy, "1"));
    let mut written = serde_json::to_value(desk.order("old")).unwrap();
    assert_eq!(written["decision_price"], "100.1");
    written.as_object_mut().unwrap().remove("decision_price");
    let read: crate::domain::order::Order = serde_json::from_value(written).unwrap();
    assert_eq!(read.decision_price, None);
}
