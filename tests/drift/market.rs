//! Markets in which nothing changes give no alarm beyond the budget: an hour of the synthetic market and the recorded
//! captures, replayed as fast as they can be read; and one in which something does is noticed.

use plimsoll::domain::drift::{Effect, MonitorSettings, Policy, StreamName, Streams};
use plimsoll::domain::time::WallMs;
use plimsoll::paper_exchange::engine::{Price, Symbol};
use plimsoll::paper_exchange::market::{
    CaptureReader, Feed, MarketEvent, Record, Resume, Synthetic, SyntheticSymbol,
};
use std::path::PathBuf;

const ARL0: f64 = 100_000.0;
const SECOND_NS: u64 = 1_000_000_000;
const HOUR_NS: u64 = 3_600 * SECOND_NS;

/// The streams of one feed, as the runtime measures them: gaps in milliseconds, a spread a second.
struct Watched {
    streams: Streams,
    last_ms: Option<u64>,
    spread_ns: Option<u64>,
    observed: u64,
    opened: Vec<String>,
    /// What is planted: factors of gaps and spreads.
    factors: (f64, f64),
}

impl Watched {
    fn new() -> Self {
        let monitor = MonitorSettings { arl0: ARL0, ..MonitorSettings::default() };
        let streams = Streams::new(Vec::new(), Policy::fallback(monitor), 16);
        Self { streams, last_ms: None, spread_ns: None, observed: 0, opened: Vec::new(), factors: (1.0, 1.0) }
    }

    fn observe(&mut self, name: &str, x: f64) {
        let name = StreamName::new(name).unwrap();
        self.observed += 1;
        for effect in self.streams.observe(WallMs(0), &name, None, x).unwrap() {
            if let Effect::Open { reason, .. } = effect {
                self.opened.push(reason);
            }
        }
    }

    fn event(&mut self, at_ns: u64) {
        let ms = at_ns / 1_000_000;
        if let Some(last) = self.last_ms.replace(ms) {
            self.observe("feed_gap:x", self.factors.0 * ms.saturating_sub(last) as f64 / 1_000.0);
        }
    }

    fn quote(&mut self, at_ns: u64, bid: Price, ask: Price) {
        if self.spread_ns.is_some_and(|last| at_ns < last + SECOND_NS) {
            return;
        }
        self.spread_ns = Some(at_ns);
        let (bid, ask) = (bid.units() as f64, ask.units() as f64);
        self.observe("spread:x:BTCUSDT", self.factors.1 * (ask - bid));
    }

    /// Alarms that the budget allows for what was observed.
    fn allowed(&self) -> usize {
        (self.observed as f64 / ARL0).ceil() as usize
    }
}

/// Plays the market until an instant, or until something opens.
fn play(feed: &mut Synthetic, watched: &mut Watched, until_ns: u64, stop: bool) -> u64 {
    let mut at_ns = 0;
    while let Some(timed) = feed.next().unwrap() {
        at_ns = timed.at_ns;
        if at_ns > until_ns || (stop && !watched.opened.is_empty()) {
            break;
        }
        watched.event(at_ns);
        if let MarketEvent::Ticker { bid, ask, .. } = timed.event {
            watched.quote(at_ns, bid.0, ask.0);
        }
    }
    at_ns
}

fn market(seed: u64) -> Synthetic {
    let symbol = SyntheticSymbol {
        symbol: Symbol::new("BTCUSDT").unwrap(),
        tick: "0.01".parse().unwrap(),
        lot: "0.001".parse().unwrap(),
        start: "60000".parse().unwrap(),
    };
    Synthetic::new(seed, &[symbol], &Resume::new())
}

#[test]
fn an_hour_of_the_synthetic_market_gives_no_alarm_beyond_the_budget() {
    for seed in 1..=3 {
        let mut watched = Watched::new();
        play(&mut market(seed), &mut watched, HOUR_NS, false);
        let learned =
            watched.streams.iter().filter(|(_, stream)| stream.monitor.baseline().is_some()).count();
        println!("seed {seed}: {} observations, alarms {:?}", watched.observed, watched.opened);
        assert!(learned >= 1, "the feed has a baseline within the hour");
        assert!(watched.opened.len() <= watched.allowed(), "{:?}", watched.opened);
    }
}

#[test]
fn a_market_that_slows_down_is_noticed_within_minutes() {
    for (what, factors) in [("feed_gap", (2.0, 1.0))] {
        let mut watched = Watched::new();
        let mut feed = market(7);
        play(&mut feed, &mut watched, HOUR_NS, false);
        watched.opened.clear();
        watched.factors = factors;
        let at_ns = play(&mut feed, &mut watched, 2 * HOUR_NS, true);
        let took = at_ns.saturating_sub(HOUR_NS) / SECOND_NS;
        println!("{what} doubled: {:?} after {took} s", watched.opened);
        assert!(watched.opened.iter().any(|reason| reason.starts_with(what)), "{what}: {:?}", watched.opened);
        assert!(took < 600, "{what}: {took} s");
    }
}

#[test]
fn the_recorded_captures_give_no_alarm_beyond_the_budget() {
    let Some(folder) = std::env::var_os("PLIMSOLL_CAPTURES").map(PathBuf::from) else {
        println!("skipped: PLIMSOLL_CAPTURES is not set");
        return;
    };
    let (mut observed, mut opened) = (0, Vec::new());
    for file in
        ["hft_spot_btcusdt_20240808.gz", "hft_spot_btcusdt_20240809.gz", "hft_spot_ethusdt_20240808.gz"]
    {
        let mut watched = Watched::new();
        let mut reader = CaptureReader::open(&folder.join(file)).unwrap();
        while let Some(line) = reader.next_line().unwrap() {
            watched.event(line.received_ns);
            if let Record::Ticker { bid, ask, .. } = line.record {
                watched.quote(line.received_ns, bid.0, ask.0);
            }
        }
        println!("{file}: {} observations, alarms {:?}", watched.observed, watched.opened);
        observed += watched.observed;
        opened.extend(watched.opened);
    }
    let allowed = (observed as f64 / ARL0).ceil() as usize;
    assert!(observed > 100_000 && opened.len() <= allowed, "{observed} observations, {opened:?}");
}
