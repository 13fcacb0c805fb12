//! The last hop under load: after the trip, the exchange accepts nothing that was not in flight.

use super::desk::{Desk, config, limit, run};
use plimsoll::domain::order_types::{CancelOrder, Side};
use plimsoll::domain::outcome::{Denial, Outcome};
use plimsoll::domain::tripwire::Tripwire;
use plimsoll::paper_exchange::{PaperConfig, PaperExchange};
use plimsoll::venues::Venue as _;
use plimsoll::venues::binance::{BinanceConfig, OrderPath};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::JoinSet;

const PLACERS: usize = 8;
const ROUNDS: usize = 12;

fn exchange() -> PaperConfig {
    let mut paper = PaperConfig::default();
    paper.limits.weight_per_minute = 1_000_000;
    paper
}

/// What became of one placement, and whether it was begun after the trip.
struct Ended {
    name: String,
    after_trip: bool,
    outcome: Outcome<plimsoll::domain::order_types::OrderReport>,
}

async fn trip_under_load(settings: BinanceConfig, wire: Tripwire, round: usize) {
    let desk = Desk::live(settings).await;
    let placed = Rc::new(Cell::new(0_usize));
    let mut placers = JoinSet::new();
    for placer in 0..PLACERS {
        let (venue, wire, placed) = (desk.venue.clone(), wire.clone(), placed.clone());
        placers.spawn_local(async move {
            let mut ended = Vec::new();
            for n in 0.. {
                let name = format!("k{round}-{placer}-{n}");
                let after_trip = wire.is_tripped();
                let outcome = venue.place(limit(&name, Side::Buy, "0.0005", "58000")).await;
                if matches!(outcome, Outcome::Confirmed(_)) {
                    placed.set(placed.get() + 1);
                }
                ended.push(Ended { name, after_trip, outcome });
                // A few more after the trip: all of them must be refused.
                if after_trip && n > 0 && ended.iter().filter(|end| end.after_trip).count() >= 3 {
                    break;
                }
            }
            ended
        });
    }
    // Another thread trips it, in the middle of things.
    let target = 5 + round * 7;
    while placed.get() < target {
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    let far = wire.clone();
    let (accepted_before, in_flight) = std::thread::spawn(move || {
        far.trip();
        far.in_flight()
    })
    .join()
    .map(|in_flight| (placed.get(), in_flight))
    .unwrap();
    let mut ended = Vec::new();
    while let Some(done) = placers.join_next().await {
        ended.extend(done.unwrap());
    }
    let mut accepted = 0_usize;
    for end in &ended {
        match (&end.outcome, end.after_trip) {
            (Outcome::Confirmed(_), false) => accepted += 1,
            (Outcome::DeniedHere(Denial::KillSwitch), _) => {}
            (Outcome::DeniedHere(Denial::Paced { .. }), false) => {}
            (other, after) => panic!("{} (begun after the trip: {after}): {other:?}", end.name),
        }
    }
    // What was accepted after the trip was in flight at its moment, and counted.
    let late = accepted - accepted_before;
    assert!(
        u64::try_from(late).unwrap() <= in_flight,
        "round {round}: {late} accepted after the trip, {in_flight} were in flight"
    );
    assert_eq!(wire.in_flight(), 0, "all have ended");
    // The exchange's own truth: it knows exactly what was confirmed here. Queries and cancels pass.
    let open = desk.venue.open_orders(None).await.unwrap();
    assert_eq!(open.len(), accepted, "round {round}");
    for order in open {
        let cancel =
            CancelOrder { symbol: order.symbol.clone(), client_order_id: order.client_order_id.clone() };
        let outcome = desk.venue.cancel(cancel).await;
        assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    }
    assert!(desk.venue.open_orders(None).await.unwrap().is_empty());
}

fn rounds(path: OrderPath) {
    let running = PaperExchange::start(exchange()).unwrap();
    run(|| async {
        for round in 0..ROUNDS {
            let wire = Tripwire::default();
            let mut settings = config(running.addr());
            settings.order_path = path;
            settings.order_timeout_ms = 10_000;
            settings.tripwire = wire.clone();
            trip_under_load(settings, wire, round).await;
        }
    });
    running.stop().unwrap();
}

#[test]
fn after_the_trip_nothing_more_reaches_the_exchange() {
    rounds(OrderPath::WebSocket);
}

#[test]
fn after_the_trip_nothing_more_reaches_the_exchange_over_rest() {
    rounds(OrderPath::Rest);
}

/// A placement that waits for a connection when the wire is tripped is kept back, not sent when the connection is
/// there at last.
#[test]
fn a_placement_that_waits_for_its_connection_is_kept_back() {
    let running = PaperExchange::start(exchange()).unwrap();
    run(|| async {
        let wire = Tripwire::default();
        let mut settings = config(running.addr());
        settings.order_path = OrderPath::Rest;
        settings.tripwire = wire.clone();
        let desk = Desk::live(settings).await;
        // Placed first, tripped second, and only then is anything driven: the body is asked for after the trip.
        let venue = desk.venue.clone();
        let mut placing = std::pin::pin!(venue.place(limit("waits", Side::Buy, "0.0005", "58000")));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(placing.as_mut().poll(&mut context).is_pending());
        wire.trip();
        let outcome = placing.await;
        assert_eq!(outcome, Outcome::DeniedHere(Denial::KillSwitch));
        assert!(desk.venue.open_orders(None).await.unwrap().is_empty());
        assert_eq!(wire.in_flight(), 0);
    });
    running.stop().unwrap();
}
