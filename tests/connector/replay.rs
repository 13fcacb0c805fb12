//! The joined BTC recordings through exchange and connector over real sockets: every frame, no gap, and the
//! recorded best quotes at every equal update.

use super::captures::{self, BTC};
use super::desk::{Desk, config, run};
use plimsoll::domain::connection::State;
use plimsoll::domain::market::{MarketEvent, Top};
use plimsoll::paper_exchange::market::{AtEnd, Pace};
use plimsoll::paper_exchange::{PaperConfig, PaperExchange};
use plimsoll::venues::Venue;
use plimsoll::venues::binance::BinanceConfig;
use std::time::Duration;

/// The last update of the second recording.
const LAST_UPDATE: u64 = 50_093_696_318;

#[test]
fn the_recordings_over_real_sockets() {
    let files: Vec<_> = BTC.iter().filter_map(|name| captures::path(name)).collect();
    if files.len() < BTC.len() {
        return;
    }
    let mut paper = PaperConfig::default();
    paper.market.files = files;
    paper.market.pace = Pace::Unpaced;
    paper.market.at_end = AtEnd::Stop;
    paper.market.hold = true;
    let running = PaperExchange::start(paper).unwrap();
    run(|| async {
        let settings =
            BinanceConfig { credentials: None, market_event_queue: 1 << 20, ..config(running.addr()) };
        let desk = Desk::open(settings);
        while desk.venue.evidence().market.state != State::Live {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        running.release_market();
        let (mut quote, mut books, mut trades, mut compared, mut equal) = (None::<Top>, 0, 0, 0, 0);
        desk.until_market("the last update", |event| {
            match event {
                MarketEvent::Quote { top, .. } => quote = Some(top),
                MarketEvent::Trade(_) => trades += 1,
                MarketEvent::Book { top: Some(top), .. } => {
                    books += 1;
                    if quote.is_some_and(|quote| quote.update_id == top.update_id) {
                        compared += 1;
                        equal += usize::from(quote == Some(top));
                    }
                    return (top.update_id >= LAST_UPDATE).then_some(());
                }
                MarketEvent::Book { top: None, .. } => {}
                MarketEvent::BookLost { why, .. } => panic!("{why}"),
                MarketEvent::Unrecognised { kind } => panic!("{kind:?}"),
            }
            None
        })
        .await;
        println!("books {books}, trades {trades}, compared {compared}, equal {equal}");
        assert_eq!((compared, equal), (1_059, 1_059));
        let evidence = desk.venue.evidence();
        assert_eq!(
            (evidence.market.dropped, evidence.market.undecodable, evidence.market.reconnects),
            (0, 0, 0)
        );
        assert_eq!(evidence.market.received, evidence.market.decoded);
        assert_eq!(evidence.feeds[0].resyncs, 0);
        assert_eq!(trades, 9_757 + 10_147);
    });
    running.stop().unwrap();
}
