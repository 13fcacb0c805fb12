//! A venue's heartbeat through the cells: answers are handed on, silence and reconnections are told.

use super::desk::config;
use actix::{Actor, Handler};
use plimsoll::actors::alert_board::AlertBoard;
use plimsoll::actors::connector::{self, FromVenue, Heard, VenueReadings};
use plimsoll::actors::heartbeat::{self, HeartbeatReadings, HeartbeatSetup};
use plimsoll::domain::heartbeat::{Knobs, MISSED, STORM};
use plimsoll::domain::ids::VenueId;
use plimsoll::domain::losses::LossCause;
use plimsoll::paper_exchange::{PaperConfig, PaperExchange};
use plimsoll::supervision::{ChildSpec, Ctx, Placement, Tree, TreeOptions, cell, supervisor};
use plimsoll::venues::binance::{Binance, BinanceConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// Stands for the order management: counts balances that it did not ask for.
struct Ear(Arc<AtomicUsize>);

impl Actor for Ear {
    type Context = Ctx<Self>;
}

impl Handler<Heard> for Ear {
    type Result = ();

    fn handle(&mut self, heard: Heard, _: &mut Self::Context) {
        if let FromVenue::Account(Ok(balances)) = heard.what {
            assert!(!balances.is_empty());
            self.0.fetch_add(1, SeqCst);
        }
    }
}

async fn until(what: &str, mut good: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if good() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

#[test]
fn a_venue_that_goes_away_is_missed_and_one_that_comes_back_is_not() {
    let running = PaperExchange::start(PaperConfig::default()).unwrap();
    let address = running.addr();
    let running = actix_rt::System::new().block_on(async {
        let shared = ChildSpec { placement: Placement::Shared("hot".to_owned()), ..ChildSpec::default() };
        let unasked = Arc::new(AtomicUsize::new(0));
        let count = unasked.clone();
        let (ear, ear_cell) = cell("ear", shared, move |_: &mut Ctx<Ear>| Ok(Ear(count.clone())));
        let seen = VenueReadings::default();
        let orders = BinanceConfig { follow_market: false, ..config(address) };
        let open = move || Binance::start(orders.clone()).map_err(|error| error.to_string());
        let (connector, connector_cell) =
            connector::declare("connector", "hot", open, ear.port(), seen.clone());
        let (alerts, readings) = (AlertBoard::default(), HeartbeatReadings::default());
        let (_, beat_cell) = heartbeat::declare(HeartbeatSetup {
            venue: VenueId::new("test").unwrap(),
            knobs: Knobs { interval_ms: 200, storm_reconnects: 1, storm_window_ms: 1_500 },
            ask: connector.port(),
            seen,
            alerts: alerts.clone(),
            readings: readings.clone(),
        });
        let root = supervisor("root").child(ear_cell).child(connector_cell).child(beat_cell);
        let tree = Tree::start(root, TreeOptions::default()).unwrap();
        let stands =
            |code: &str| alerts.open().iter().any(|alert| alert.code == code && alert.scope == "test");

        until("it beats", || readings.latest().counts.beats >= 3).await;
        let first = readings.latest();
        assert!(first.last.unwrap().balances > 0 && first.counts.latency_ms.is_some(), "{first:?}");
        until("the order management hears", || unasked.load(SeqCst) >= 2).await;
        assert!(alerts.open().is_empty(), "{:?}", alerts.open());

        running.stop().unwrap();
        until("missed", || stands(MISSED)).await;
        until("a storm", || stands(STORM)).await;
        let lost = readings.latest();
        assert!(lost.counts.in_a_row >= 2, "{lost:?}");
        assert!(lost.losses[&LossCause::Closed] >= 1 && lost.losses[&LossCause::Restarted] == 0, "{lost:?}");

        let running =
            PaperExchange::start(PaperConfig { listen: address, ..PaperConfig::default() }).unwrap();
        until("it beats again", || !stands(MISSED)).await;
        assert_eq!(readings.latest().counts.in_a_row, 0);
        until("the storm is over", || !stands(STORM)).await;
        assert!(readings.latest().counts.misses >= lost.counts.misses);
        tree.shutdown(Duration::from_secs(5)).await;
        running
    });
    running.stop().unwrap();
}
