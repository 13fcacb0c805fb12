//! What the simulator found, each as the shortest script that shows it.

use crate::desk::{Desk, Way, id, person, symbol, venue};
use plimsoll::domain::ids::ClientOrderId;
use plimsoll::domain::oms::{Effect, Event, Fact, Phase};
use plimsoll::domain::order::{OrderState, Patience};
use plimsoll::domain::order_types::{ExecutionType, NewOrder, OrderStatus, OrderType, Side, TimeInForce};
use rust_decimal::Decimal;

fn foreign(desk: &mut Desk, side: Side, take: Decimal) {
    let asked = NewOrder {
        client_order_id: ClientOrderId::from_venue("web.7/a").unwrap(),
        symbol: symbol(),
        side,
        order_type: OrderType::Limit,
        quantity: crate::desk::quantity("2"),
        price: Some(plimsoll::domain::money::Price::parse("100").unwrap()),
        stop_price: None,
        time_in_force: Some(TimeInForce::Gtc),
    };
    desk.exchange.place(desk.now, asked, 0, take).unwrap();
}

/// An adopted order's id could be written and not read: the journal could never be replayed again.
#[test]
fn an_adopted_order_of_any_name_survives_a_restart() {
    let mut desk = Desk::running(Patience::Adopt);
    foreign(&mut desk, Side::Buy, Decimal::ZERO);
    desk.hear();
    assert_eq!(desk.oms.open_orders().count(), 1);
    let text = desk.oms.snapshot().unwrap();
    for row in &desk.rows {
        Fact::from_row(&row.kind, &row.payload).unwrap();
    }
    desk.kill_and_restart();
    assert_eq!(desk.oms.open_orders().count(), 1);
    assert_eq!(desk.oms.phase(), Phase::Running);
    assert!(text.contains("web.7/a"));
}

/// The venue took an order and refused it later; the report was lost. The question was asked, answered, and
/// asked again at once, for ever.
#[test]
fn an_order_that_the_engine_kills_later_ends() {
    let mut desk = Desk::running(Patience::Adopt);
    desk.submit("a", Side::Buy, "1");
    desk.stream = false;
    desk.exchange.end(0, OrderStatus::Rejected, ExecutionType::Rejected, desk.now);
    desk.hear();
    desk.stream = true;
    desk.wait(20_000);
    assert_eq!(desk.state("a"), OrderState::Rejected);
    let asked = desk.done.iter().filter(|effect| matches!(effect, Effect::Query(..))).count();
    assert!(asked <= 3, "{asked} questions");
}

/// A foreign order's fill was told before the order, was booked without one, and was then looked for without
/// end once the order was known.
#[test]
fn a_fill_before_its_foreign_order_is_not_looked_for() {
    let mut desk = Desk::running(Patience::Adopt);
    foreign(&mut desk, Side::Sell, Decimal::ONE);
    let said = std::mem::take(&mut desk.exchange.said);
    assert_eq!(said.len(), 2);
    for report in said.into_iter().rev() {
        desk.tell(Event::Report { venue: venue(), report });
    }
    desk.wait(15_000);
    assert_eq!(desk.position(), "-2");
    assert!(desk.oms.orders().all(|order| order.is_booked() && order.state.is_final()));
    let from = desk.done.len();
    desk.wait(60_000);
    let fetched =
        desk.done.iter().skip(from).filter(|effect| matches!(effect, Effect::FetchFills(..))).count();
    assert_eq!(fetched, 0);
}

/// After a restart the gate waited for the last order in doubt; it ended by the answer to its cancel, and the
/// gate never opened.
#[test]
fn a_gate_opens_whatever_ends_the_last_doubt() {
    let mut desk = Desk::running(Patience::Adopt);
    desk.submit("a", Side::Buy, "1");
    // The venue hides the order from questions and lists for a while.
    desk.exchange.orders[0].shown_at = u64::MAX;
    desk.kill_and_not_wait();
    assert_eq!(desk.oms.phase(), Phase::Reconciling);
    desk.cancel("a");
    desk.wait(2_000);
    assert_eq!((desk.state("a"), desk.oms.phase()), (OrderState::Cancelled, Phase::Running));
}

/// A cancel of an order in doubt waited until the order could be asked about.
#[test]
fn an_order_in_doubt_is_cancelled_at_once() {
    let mut desk = Desk::running(Patience::Adopt);
    desk.way = Way::LoseAnswer;
    desk.stream = false;
    desk.reads = false;
    desk.submit("a", Side::Buy, "1");
    desk.way = Way::Open;
    desk.tell(Event::Cancel { order: id("a"), by: person(), reply: None });
    assert_eq!(desk.state("a"), OrderState::Cancelled);
    assert_eq!(desk.exchange.live().count(), 0);
}
