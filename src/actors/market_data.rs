//! Market data: owns one venue's market session and spreads what it hears.
//!
//! It promises: the [`MarketBoard`] shows the last top of book and trade of every instrument together with
//! the venue's update id, and shows no book that is not in step; subscribers receive events in order, or a
//! count of what they missed because they were full. It is told only to connect anew. When it dies the board is
//! emptied by the next incarnation before it shows anything new. It decides nothing.

use super::connector::{Reconnect, VenueReadings};
use crate::domain::ids::Symbol;
use crate::domain::market::{MarketEvent, PublicTrade, Top};
use crate::supervision::{Cell, ChildSpec, Ctx, Handle, Placement, Port, StartFailure, cell};
use crate::venues::Venue;
use actix::{Actor, ActorContext, AsyncContext, Handler, Message};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How often the evidence is copied for readers.
const EVIDENCE_INTERVAL: Duration = Duration::from_millis(250);

/// One instrument as last heard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Top of the book that we keep; `None` while it is not in step.
    pub book: Option<Top>,
    /// The venue's own best quote.
    pub quote: Option<Top>,
    /// The last trade.
    pub trade: Option<PublicTrade>,
    /// When anything was last heard of it; pings do not count.
    pub heard: Option<Instant>,
}

impl Seen {
    /// The top of the book while it is in step and something of the instrument was heard within `oldest`: a feed that
    /// only pings has no price.
    #[must_use]
    pub fn fresh_book(&self, now: Instant, oldest: Duration) -> Option<Top> {
        let age = self.heard.map(|at| now.saturating_duration_since(at));
        self.book.filter(|_| age.is_some_and(|age| age <= oldest))
    }
}

/// The last of everything, for readers on other threads. Bounded by the configured instruments.
#[derive(Debug, Clone, Default)]
pub struct MarketBoard(Arc<RwLock<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    seen: BTreeMap<Symbol, Seen>,
    /// Events taken by this incarnation, and when the last.
    taken: (u64, Option<Instant>),
}

impl MarketBoard {
    /// One instrument.
    #[must_use]
    pub fn of(&self, symbol: &Symbol) -> Option<Seen> {
        self.0.read().seen.get(symbol).cloned()
    }

    /// Everything.
    #[must_use]
    pub fn all(&self) -> BTreeMap<Symbol, Seen> {
        self.0.read().seen.clone()
    }

    /// How many events this incarnation has taken over, and when the last.
    #[must_use]
    pub fn taken(&self) -> (u64, Option<Instant>) {
        self.0.read().taken
    }

    fn clear(&self) {
        *self.0.write() = Shown::default();
    }

    /// Takes an event over.
    fn note(&self, event: &MarketEvent) {
        let mut board = self.0.write();
        let now = crate::clock::monotonic();
        board.taken = (board.taken.0.saturating_add(1), Some(now));
        let mut hear = |symbol: &Symbol, note: &dyn Fn(&mut Seen)| {
            let seen = board.seen.entry(symbol.clone()).or_default();
            seen.heard = Some(now);
            note(seen);
        };
        match event {
            MarketEvent::Trade(trade) => hear(&trade.symbol, &|seen| seen.trade = Some(trade.clone())),
            MarketEvent::Quote { symbol, top } => hear(symbol, &|seen| seen.quote = Some(*top)),
            MarketEvent::Book { symbol, top } => hear(symbol, &|seen| seen.book = *top),
            MarketEvent::BookLost { symbol, .. } => hear(symbol, &|seen| seen.book = None),
            MarketEvent::Unrecognised { .. } => {}
        }
    }
}

/// An event for a subscriber.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct MarketUpdate {
    /// What happened.
    pub event: MarketEvent,
    /// Events that this subscriber missed before this one, in total.
    pub missed: u64,
}

/// A receiver of market events and the count of what it missed.
#[derive(Debug, Clone)]
pub struct Subscriber {
    port: Port<MarketUpdate>,
    missed: Arc<AtomicU64>,
}

impl Subscriber {
    /// A receiver that has missed nothing yet.
    #[must_use]
    pub fn new(port: Port<MarketUpdate>) -> Self {
        Self { port, missed: Arc::default() }
    }

    /// Events missed in total.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Relaxed)
    }

    fn tell(&self, event: &MarketEvent) {
        let update = MarketUpdate { event: event.clone(), missed: self.missed() };
        if self.port.tell(update).is_err() {
            self.missed.fetch_add(1, Relaxed);
        }
    }
}

/// What the cell publishes and to whom.
#[derive(Debug, Clone, Default)]
pub struct MarketOutlets {
    /// The board.
    pub board: MarketBoard,
    /// The sessions' evidence.
    pub readings: VenueReadings,
    /// Who hears every event.
    pub subscribers: Vec<Subscriber>,
}

/// The session ended by itself (a panic in it): start over.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct SessionEnded;

/// See the module's head.
pub struct MarketData {
    venue: Rc<dyn Venue>,
    outlets: MarketOutlets,
    tasks: JoinSet<()>,
}

/// Declares the market data of one venue. `open` starts the venue on the cell's thread, once per incarnation.
pub fn declare<V: Venue + 'static>(
    name: &str,
    open: impl Fn() -> Result<V, String> + Send + Sync + 'static,
    outlets: MarketOutlets,
) -> (Handle<MarketData>, Cell<MarketData>) {
    let spec = ChildSpec {
        placement: Placement::OwnThread,
        metadata: vec![("workload".to_owned(), "market data".to_owned())],
        ..ChildSpec::default()
    };
    cell(name, spec, move |_: &mut Ctx<MarketData>| {
        let venue = open().map_err(StartFailure::Failed)?;
        outlets.board.clear();
        Ok(MarketData { venue: Rc::new(venue), outlets: outlets.clone(), tasks: JoinSet::new() })
    })
}

impl Actor for MarketData {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some(mut events) = self.venue.take_market_events() else {
            return ctx.stop();
        };
        let (outlets, own) = (self.outlets.clone(), ctx.handle());
        self.tasks.spawn_local(async move {
            while let Some(event) = events.recv().await {
                outlets.board.note(&event);
                outlets.subscribers.iter().for_each(|subscriber| subscriber.tell(&event));
            }
            // Closed means that this cell has ended already.
            let _ = own.tell(SessionEnded);
        });
        self.outlets.readings.set(self.venue.evidence());
        ctx.run_interval(EVIDENCE_INTERVAL, |market, _| {
            market.outlets.readings.set(market.venue.evidence());
        });
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.venue.stop();
    }
}

impl Handler<Reconnect> for MarketData {
    type Result = ();

    fn handle(&mut self, _: Reconnect, _: &mut Self::Context) {
        tracing::warn!(event = "reconnect", venue.name = %self.venue.id(), session = "market", "asked to connect anew");
        self.venue.reconnect();
    }
}

impl Handler<SessionEnded> for MarketData {
    type Result = ();

    fn handle(&mut self, _: SessionEnded, ctx: &mut Self::Context) {
        tracing::error!(venue.name = %self.venue.id(), runbook = "actor_restarted", "the market session ended");
        ctx.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::market::{BookLoss, Level};
    use crate::domain::money::{Price, Quantity};

    #[test]
    fn a_lost_book_is_not_shown() {
        let symbol = Symbol::new("BTCUSDT").unwrap();
        let level = Level { price: Price::parse("1").unwrap(), quantity: Quantity::parse("1").unwrap() };
        let top = Top { update_id: 7, bid: level, ask: level };
        let board = MarketBoard::default();
        board.note(&MarketEvent::Book { symbol: symbol.clone(), top: Some(top) });
        board.note(&MarketEvent::Quote { symbol: symbol.clone(), top });
        assert_eq!(board.of(&symbol).unwrap().book, Some(top));
        board.note(&MarketEvent::BookLost { symbol: symbol.clone(), why: BookLoss::Disconnected });
        let seen = board.of(&symbol).unwrap();
        assert_eq!((seen.book, seen.quote), (None, Some(top)));
    }

    #[test]
    fn an_old_book_is_no_price() {
        let level = Level { price: Price::parse("1").unwrap(), quantity: Quantity::parse("1").unwrap() };
        let top = Top { update_id: 7, bid: level, ask: level };
        let (start, oldest) = (crate::clock::monotonic(), Duration::from_secs(5));
        let heard = Seen { book: Some(top), heard: Some(start), ..Seen::default() };
        assert_eq!(heard.fresh_book(start + oldest, oldest), Some(top));
        let later = start + oldest + Duration::from_millis(1);
        assert_eq!(heard.fresh_book(later, oldest), None, "only pings since");
        assert_eq!(Seen { heard: None, ..heard.clone() }.fresh_book(start, oldest), None, "never heard");
        assert_eq!(Seen { book: None, ..heard }.fresh_book(start, oldest), None, "not in step");
    }
}
