//! Markets in which nothing changes give no alarm beyond the budget: an hour of the synthetic market and the recorded
//! captures, replayed as fast as they can be read; and one in which something does is noticed.

use plimsoll::domain::drift::{Effect, MarketSource, MonitorSettings, Policy, Streams};
use plimsoll::domain::ids::{self, TradeId, VenueId};
use plimsoll::domain::market::{self as ours, PublicTrade, Top};
use plimsoll::domain::money;
use plimsoll::domain::order_types;
use plimsoll::domain::time::{Mono, WallMs};
use plimsoll::paper_exchange::engine::{Side, Symbol};
use plimsoll::paper_exchange::market::{
    CaptureReader, Feed, Level, Line, MarketEvent, Record, Resume, Synthetic, SyntheticSymbol,
};
use std::path::PathBuf;

const ARL0: f64 = 100_000.0;
const SECOND_NS: u64 = 1_000_000_000;
const HOUR_NS: u64 = 3_600 * SECOND_NS;
/// How often a recording of five minutes is played.
const ROUNDS: u64 = 40;

/// The streams of one feed, measured as the runtime measures them.
struct Watched {
    source: MarketSource,
    streams: Streams,
    top: Option<Top>,
    observed: u64,
    opened: Vec<String>,
    /// What is planted: from an instant on, nanoseconds, time goes so many times slower.
    slower: (u64, u64),
}

fn level(level: Level) -> ours::Level {
    ours::Level {
        price: money::Price::parse(&level.0.to_string()).unwrap(),
        quantity: money::Quantity::parse(&level.1.to_string()).unwrap(),
    }
}

impl Watched {
    fn new() -> Self {
        let monitor = MonitorSettings { arl0: ARL0, ..MonitorSettings::default() };
        let streams = Streams::new(Vec::new(), Policy::fallback(monitor), 16);
        let source = MarketSource::new(VenueId::new("x").unwrap());
        Self { source, streams, top: None, observed: 0, opened: Vec::new(), slower: (0, 1) }
    }

    fn ms(&self, at_ns: u64) -> u64 {
        let (from, times) = self.slower;
        (at_ns.min(from) + at_ns.saturating_sub(from) * times) / 1_000_000
    }

    fn note(&mut self, at_ns: u64, event: &ours::MarketEvent) {
        let ms = self.ms(at_ns);
        let Self { source, streams, observed, opened, .. } = self;
        source.note(Mono(ms), WallMs(i64::try_from(ms).unwrap()), event, &mut |name, x| {
            *observed += 1;
            for effect in streams.observe(WallMs(0), name, None, x).unwrap() {
                if let Effect::Open { reason, .. } = effect {
                    opened.push(reason);
                }
            }
        });
    }

    fn quote(&mut self, at_ns: u64, update_id: u64, bid: Level, ask: Level) {
        let top = Top { update_id, bid: level(bid), ask: level(ask) };
        self.top = Some(top);
        self.note(at_ns, &ours::MarketEvent::Quote { symbol: symbol(), top });
    }

    /// A change of the book; its best prices are those of the last quote.
    fn book(&mut self, at_ns: u64) {
        self.note(at_ns, &ours::MarketEvent::Book { symbol: symbol(), top: self.top });
    }

    /// A trade.
    fn trade(&mut self, at_ns: u64, (price, quantity): Level, aggressor: Side) {
        let ours::Level { price, quantity } = level((price, quantity));
        let aggressor = match aggressor {
            Side::Buy => order_types::Side::Buy,
            Side::Sell => order_types::Side::Sell,
        };
        // Neither recordings nor the synthetic market hold a stamp of the venue: it is that of the arrival.
        let at = WallMs(i64::try_from(self.ms(at_ns)).unwrap());
        let trade =
            PublicTrade { symbol: symbol(), trade_id: TradeId::from(0), price, quantity, aggressor, at };
        self.note(at_ns, &ours::MarketEvent::Trade(trade));
    }

    fn has_learned(&self, name: &str) -> bool {
        self.streams.iter().any(|(of, stream)| of.as_str() == name && stream.monitor.baseline().is_some())
    }

    /// Alarms that the budget allows for what was observed.
    fn allowed(&self) -> usize {
        (self.observed as f64 / ARL0).ceil() as usize
    }
}

fn symbol() -> ids::Symbol {
    ids::Symbol::new("BTCUSDT").unwrap()
}

/// Plays the market until an instant, or until something opens.
fn play(feed: &mut Synthetic, watched: &mut Watched, until_ns: u64, stop: bool) -> u64 {
    let mut at_ns = 0;
    while let Some(timed) = feed.next().unwrap() {
        at_ns = timed.at_ns;
        if at_ns > until_ns || (stop && !watched.opened.is_empty()) {
            break;
        }
        match timed.event {
            MarketEvent::Ticker { update_id, bid, ask, .. } => watched.quote(at_ns, update_id, bid, ask),
            MarketEvent::Book { .. } => watched.book(at_ns),
            MarketEvent::Trade { price, quantity, aggressor, .. } => {
                watched.trade(at_ns, (price, quantity), aggressor);
            }
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
        println!("seed {seed}: {} observations, alarms {:?}", watched.observed, watched.opened);
        assert!(watched.has_learned("feed_gap:x"), "the feed has a baseline within the hour");
        assert!(watched.opened.len() <= watched.allowed(), "{:?}", watched.opened);
    }
}

#[test]
fn a_market_that_slows_down_is_noticed_within_minutes() {
    for seed in 5..=8 {
        let mut watched = Watched::new();
        let mut feed = market(seed);
        play(&mut feed, &mut watched, HOUR_NS, false);
        watched.opened.clear();
        watched.slower = (HOUR_NS, 2);
        let at_ns = play(&mut feed, &mut watched, 2 * HOUR_NS, true);
        let took = 2 * at_ns.saturating_sub(HOUR_NS) / SECOND_NS;
        println!("seed {seed}, gaps doubled: {:?} after {took} s", watched.opened);
        assert!(watched.opened.iter().any(|reason| reason.starts_with("feed_gap")), "{:?}", watched.opened);
        assert!(took < 600, "{took} s");
    }
}

#[test]
fn the_recorded_captures_give_no_alarm_beyond_the_budget() {
    let Some(folder) = std::env::var_os("PLIMSOLL_CAPTURES").map(PathBuf::from) else {
        println!("skipped: PLIMSOLL_CAPTURES is not set");
        return;
    };
    let (mut events, mut observed, mut opened) = (0, 0, Vec::new());
    for file in
        ["hft_spot_btcusdt_20240808.gz", "hft_spot_btcusdt_20240809.gz", "hft_spot_ethusdt_20240808.gz"]
    {
        let mut watched = Watched::new();
        let mut reader = CaptureReader::open(&folder.join(file)).unwrap();
        let lines: Vec<Line> = std::iter::from_fn(|| reader.next_line().unwrap()).collect();
        let (first, last) = (lines.first().unwrap().received_ns, lines.last().unwrap().received_ns);
        // Five minutes are too short for a baseline: the same minutes again and again, in which nothing changes.
        for (round, line) in (0..ROUNDS).flat_map(|round| lines.iter().map(move |line| (round, line))) {
            events += 1;
            let at_ns = round * (last - first) + line.received_ns - first;
            match &line.record {
                Record::Ticker { update_id, bid, ask } => watched.quote(at_ns, *update_id, *bid, *ask),
                Record::Depth { .. } | Record::Snapshot { .. } => watched.book(at_ns),
                Record::Trade { price, quantity, buyer_is_maker, .. } => {
                    let aggressor = if *buyer_is_maker { Side::Sell } else { Side::Buy };
                    watched.trade(at_ns, (*price, *quantity), aggressor);
                }
            }
        }
        assert!(watched.has_learned("feed_gap:x"), "{file} has a baseline");
        println!("{file}: {} observations, alarms {:?}", watched.observed, watched.opened);
        observed += watched.observed;
        opened.extend(watched.opened);
    }
    let allowed = (observed as f64 / ARL0).ceil() as usize;
    assert!(
        events > 100_000 && opened.len() <= allowed,
        "{events} events, {observed} observations, {opened:?}"
    );
}
