//! Incidents of other systems, the first half: restarts, and outcomes that nobody knew. Each test bears the
//! number and the source of its incident.

use crate::desk::{Desk, Way};
use plimsoll::domain::oms::{Event, Phase};
use plimsoll::domain::order::{OrderState, Patience};
use plimsoll::domain::order_types::Side;
use rust_decimal::Decimal;

/// A working order whose fills do not rebuild the position was dropped at a start. Here: it stays under
/// watch, and the mismatch is raised.
#[test]
fn incident_01_nautilus_5000_a_working_order_is_kept_when_the_fills_do_not_add_up() {
    let mut desk = Desk::running(Patience::Hold);
    desk.submit("a", Side::Buy, "2");
    desk.trade("a", "0.5");
    // A trade that the venue will never list: the account moved, the history does not show how.
    *desk.exchange.balances.get_mut(&crate::exchange::asset("AA")).unwrap() += Decimal::from(7);
    desk.kill_and_restart();
    desk.wait(120_000);
    assert_eq!(desk.state("a"), OrderState::PartiallyFilled);
    assert_eq!(desk.exchange.live().count(), 1, "it still works at the venue");
    assert!(desk.raised("position_divergence"));
    assert_eq!(desk.oms.phase(), Phase::Halted);
    assert_eq!(desk.position(), "0.5", "nothing was invented to close the gap");
}

/// Every restart placed the open orders once more. Here: as many orders as before, under the same ids.
#[test]
fn incident_02_nautilus_3176_restarts_place_nothing() {
    let mut desk = Desk::running(Patience::Requeue);
    for client in ["a", "b", "c"] {
        desk.submit(client, Side::Buy, "1");
    }
    let ids = |desk: &Desk| -> Vec<_> {
        desk.exchange.orders.iter().map(|order| order.asked.client_order_id.clone()).collect()
    };
    let before = ids(&desk);
    for _ in 0..10 {
        desk.kill_and_restart();
        assert_eq!(desk.oms.phase(), Phase::Running);
        assert_eq!(ids(&desk), before);
    }
    assert_eq!(desk.sent().len(), 3);
    assert!(["a", "b", "c"].iter().all(|client| desk.state(client) == OrderState::Working));
}

/// A warm restart flattened a position that it had cached. Here: the position is as before, and no order is
/// made to change it.
#[test]
fn incident_03_nautilus_4736_a_restart_leaves_the_position_alone() {
    let mut desk = Desk::running(Patience::Requeue);
    desk.submit("a", Side::Buy, "2");
    desk.trade("a", "2");
    let before = desk.oms.ledger().positions().collect::<Vec<_>>();
    for _ in 0..3 {
        desk.kill_and_restart();
        desk.wait(70_000);
        assert_eq!(desk.oms.ledger().positions().collect::<Vec<_>>(), before);
    }
    assert_eq!((desk.sent().len(), desk.oms.phase()), (1, Phase::Running));
}

/// A submit timed out and was booked as rejected, while the venue had filled it. Here: unknown until asked,
/// then filled, and never rejected.
#[test]
fn incident_04_nautilus_4152_a_timeout_is_not_a_rejection() {
    let mut desk = Desk::running(Patience::Adopt);
    (desk.way, desk.reads, desk.stream) = (Way::LoseAnswer, false, false);
    desk.submit("a", Side::Buy, "2");
    assert_eq!(desk.state("a"), OrderState::Unknown);
    desk.trade("a", "2");
    desk.wait(60_000);
    assert_eq!(desk.state("a"), OrderState::Unknown, "nobody could be asked");
    assert!(desk.raised("order_outcome_unknown"));
    desk.reads = true;
    desk.wait(30_000);
    assert_eq!((desk.state("a"), desk.position().as_str()), (OrderState::Filled, "2"));
    assert!(!desk.was("a", OrderState::Rejected) && !desk.was("a", OrderState::Cancelled));
    assert_eq!(desk.sent().len(), 1);
}

/// The stream stayed connected and pinged, but data had stopped. What the order management owes: a price
/// that is no longer fresh is none, so an order in doubt is not sent again on the strength of it.
#[test]
fn incident_05_nautilus_4298_a_stale_price_is_no_price() {
    let mut desk = Desk::running(Patience::Requeue);
    desk.way = Way::LoseRequest;
    desk.submit("a", Side::Buy, "2");
    desk.way = Way::Open;
    for _ in 0..600 {
        // Time passes and the venue answers, yet no price comes any more.
        desk.now += 50;
        desk.tell(Event::Tick);
    }
    assert_eq!(desk.state("a"), OrderState::Unknown);
    assert_eq!(desk.sent().len(), 1, "absence was proved, but nobody knows the market");
    assert!(desk.raised("order_outcome_unknown"), "it is left to the operator");
}

/// A name could not be resolved for a minute; six accepted orders were forgotten and two executed. Here: all
/// six stay under watch, and the exposure is right afterwards.
#[test]
fn incident_06_hummingbot_8457_an_outage_forgets_no_order() {
    let mut desk = Desk::running(Patience::Adopt);
    let names = ["a", "b", "c", "d", "e", "f"];
    (desk.way, desk.reads, desk.stream) = (Way::Hang, false, false);
    for name in names {
        desk.submit(name, Side::Sell, "1");
    }
    desk.give_up();
    desk.disconnect();
    desk.wait(60_000);
    assert!(names.iter().all(|name| desk.state(name) == OrderState::Unknown), "tracked, and nothing assumed");
    desk.trade("b", "1");
    desk.trade("e", "0.4");
    (desk.way, desk.reads, desk.stream) = (Way::Open, true, true);
    desk.connect();
    desk.wait(30_000);
    let working = names.iter().filter(|name| desk.state(name) == OrderState::Working).count();
    assert_eq!(working, 4);
    assert_eq!((desk.state("b"), desk.state("e")), (OrderState::Filled, OrderState::PartiallyFilled));
    assert_eq!(desk.position(), "-1.4");
    assert_eq!(desk.exposure().short_worst.normalized().to_string(), "-6");
    assert_eq!(desk.oms.phase(), Phase::Running);
}
