//! Incidents of other systems, the second half: shutdown, halts, fills that come late or not at all, and a
//! venue that takes connections only to drop them.

use crate::desk::{Desk, Way, person};
use plimsoll::domain::connection::{self, Connection, Policy, Why};
use plimsoll::domain::oms::{DrainHow, Effect, Event, Phase};
use plimsoll::domain::order::{OrderState, Patience};
use plimsoll::domain::order_types::Side;
use plimsoll::domain::time::Mono;

/// A strategy placed orders while the system was shutting down. Here: refused, and the venue sees none.
#[test]
fn incident_07_hummingbot_8075_no_order_is_made_during_shutdown() {
    let mut desk = Desk::running(Patience::Adopt);
    desk.submit("a", Side::Buy, "1");
    desk.tell(Event::Drain { how: DrainHow::Cancel, by: person() });
    desk.submit("b", Side::Buy, "1");
    desk.wait(30_000);
    desk.submit("c", Side::Buy, "1");
    assert_eq!(desk.exchange.orders.len(), 1);
    assert_eq!(desk.exchange.live().count(), 0, "what worked was cancelled");
    let drained = desk
        .done
        .iter()
        .any(|effect| matches!(effect, Effect::Drained { left_over } if left_over.is_empty()));
    assert!(drained);
}

/// The kill switch hung on a computation that threw. Here the halt is a latch of the order management's own,
/// asked at the last hop: an intent that was taken before it is not sent after it, and no computation stands
/// between.
#[test]
fn incident_08_hummingbot_2534_a_halt_holds_at_the_last_hop() {
    let mut desk = Desk::running(Patience::Requeue);
    desk.disk = false;
    desk.submit("a", Side::Buy, "1");
    desk.tell(Event::Halt { by: person() });
    desk.disk = true;
    desk.sync();
    desk.submit("b", Side::Buy, "1");
    desk.wait(60_000);
    assert_eq!((desk.sent().len(), desk.exchange.orders.len()), (0, 0));
    desk.kill_and_restart();
    desk.submit("c", Side::Buy, "1");
    desk.wait(10_000);
    assert_eq!((desk.oms.phase(), desk.exchange.orders.len()), (Phase::Halted, 0), "a restart lifts nothing");
}

/// An order was cancelled here while the venue filled it, and the holding was lost sight of. Here: the fill
/// is booked and the position is known.
#[test]
fn incident_09_freqtrade_3647_a_fill_behind_a_cancel_is_booked() {
    let mut desk = Desk::running(Patience::Cancel);
    desk.submit("a", Side::Buy, "2");
    desk.stream = false;
    desk.trade("a", "1.5");
    desk.stream = true;
    desk.cancel("a");
    desk.wait(20_000);
    assert_eq!(desk.state("a"), OrderState::Cancelled);
    assert_eq!((desk.order("a").booked.to_string().as_str(), desk.position().as_str()), ("1.5", "1.5"));
    // And once more with a cancel whose answer is lost, while everything executes.
    desk.submit("b", Side::Sell, "1");
    (desk.way, desk.stream) = (Way::LoseRequest, false);
    desk.cancel("b");
    desk.trade("b", "1");
    (desk.way, desk.stream) = (Way::Open, true);
    desk.wait(20_000);
    assert_eq!((desk.state("b"), desk.position().as_str()), (OrderState::Filled, "0.5"));
    assert_eq!(desk.oms.phase(), Phase::Running);
}

/// One fill frame was lost while heartbeats went on; the system sold again and again what it did not hold.
/// Here: the comparison finds the gap, and nothing is ordered because of it.
#[test]
fn incident_10_tradestation_101_a_lost_frame_is_found() {
    let mut desk = Desk::running(Patience::Adopt);
    desk.submit("a", Side::Buy, "2");
    desk.stream = false;
    desk.trade("a", "1");
    desk.stream = true;
    assert_eq!(desk.position(), "0");
    desk.wait(20_000);
    assert_eq!((desk.position().as_str(), desk.state("a")), ("1", OrderState::PartiallyFilled));
    assert_eq!((desk.sent().len(), desk.oms.phase()), (1, Phase::Running));
}

/// A fill was told 160 s late: a second entry was made meanwhile, and the way out failed on stale inputs.
/// Here: the unanswered order counts in full all the time, forbids a second entry, and cancelling works
/// without any fresh input.
#[test]
fn incident_11_passivbot_980_a_late_fill_leads_to_no_second_entry() {
    let mut desk = Desk::running(Patience::Adopt);
    (desk.way, desk.reads, desk.stream) = (Way::LoseAnswer, false, false);
    desk.submit("a", Side::Buy, "2");
    desk.trade("a", "2");
    desk.way = Way::Open;
    desk.submit("again", Side::Buy, "2");
    desk.wait(100_000);
    desk.submit("and-again", Side::Buy, "2");
    assert_eq!(desk.exchange.orders.len(), 1, "no second entry");
    assert_eq!(desk.exposure().long_worst.to_string(), "2", "it counts in full");
    // Nothing can be read and no price is fresh, yet a cancel goes out.
    desk.cancel("a");
    assert!(desk.done.iter().any(|effect| matches!(effect, Effect::Cancel(..))));
    desk.wait(60_000);
    (desk.reads, desk.stream) = (true, true);
    desk.wait(30_000);
    assert_eq!((desk.position().as_str(), desk.state("a")), ("2", OrderState::Filled));
    assert_eq!(desk.exposure().long_worst.to_string(), "2", "and once only");
}

/// A venue accepted connections and dropped them for ten minutes; ten reconnects a second led to a ban.
/// Here: never more dials in any window than the cap, ever fewer of them, and no end of trying.
#[test]
fn incident_12_alpaca_py_740_dials_stay_within_the_cap() {
    let policy = Policy::default();
    let (cap, window) = (policy.connect_cap, policy.connect_window_ms);
    for seed in 0..50 {
        let mut session = Connection::new(policy.clone(), seed);
        session.step(Mono(0), connection::Event::Start);
        let (mut dials, mut now) = (vec![0], 0);
        while now < 600_000 {
            session.step(Mono(now), connection::Event::Opened);
            session.step(Mono(now), connection::Event::Lost(Why::Closed));
            now = session.next_tick().unwrap().0;
            if session.step(Mono(now), connection::Event::Tick).contains(&connection::Effect::Dial) {
                dials.push(now);
            }
        }
        for start in &dials {
            let within = dials.iter().filter(|at| (*start..start + window).contains(*at)).count();
            assert!(within <= cap, "{within} dials within {window} ms of {start}, seed {seed}");
        }
        assert!((20..80).contains(&dials.len()), "{} dials in ten minutes", dials.len());
    }
}
