//! The market session: one connection that carries depth, best quotes and trades of every instrument.
//!
//! It promises: a published book follows the venue's without a gap; a lost book is announced before the next
//! one is published; feed age counts data, never pings. Slow consumers lose events (counted as dropped),
//! never the book.

use super::book_sync::BookEffect;
use super::gateway::Gateway;
use super::messages::market::{self, MarketFrame, Snapshot};
use super::pacing::Purpose;
use super::rest::Rest;
use super::session::{Dialler, Opened, Session, Woke};
use super::shared::{Feed, Shared};
use super::socket::{self, DialFailure, Socket};
use super::ws_calls::Answer;
use crate::domain::connection::{Effect, Event, State, Why};
use crate::domain::ids::Symbol;
use crate::domain::market::{BookLoss, MarketEvent, PublicTrade, Top};
use crate::domain::order_types::{OtherWord, Side};
use crate::domain::outcome::Denial;
use crate::domain::time::Mono;
use futures_util::SinkExt;
use reqwest::Method;
use std::rc::Rc;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

/// Levels per side of a snapshot, and its weight.
const SNAPSHOT_LEVELS: i64 = 1_000;
const SNAPSHOT_WEIGHT: u32 = 50;
/// Housekeeping.
const IDLE_MS: u64 = 500;
/// Streams per subscription request; the venue allows 1,024 per connection and 5 requests per second.
const STREAMS_PER_REQUEST: usize = 300;

/// A snapshot that was fetched for a connection of that number, or the earliest instant at which to ask again.
type Fetched = (u64, Symbol, Result<Snapshot, Option<Mono>>);

/// What its owner tells it.
#[derive(Debug, Clone, Copy)]
pub(super) enum MarketCommand {
    /// Hang up and connect anew.
    Reconnect,
    /// End for good.
    Stop,
}

/// The session's state beside its connection.
pub(super) struct MarketSession {
    shared: Rc<Shared>,
    rest: Rc<Rest>,
    gateway: Rc<Gateway>,
    session: Session,
    commands: mpsc::Receiver<MarketCommand>,
    events: mpsc::Sender<MarketEvent>,
    snapshots: mpsc::Receiver<Fetched>,
    snapshot_sender: mpsc::Sender<Fetched>,
    /// Rises with every connection, so that a late snapshot of an older one is ignored.
    generation: u64,
}

/// Connects and subscribes; data may already flow when it returns.
pub(super) async fn establish(shared: &Shared, opened: Opened) -> Result<Socket, DialFailure> {
    let mut socket = socket::open(&shared.config.stream_url).await?;
    opened.tell().await;
    let streams: Vec<String> = shared
        .config
        .symbols
        .iter()
        .map(|symbol| symbol.as_str().to_ascii_lowercase())
        .flat_map(|name| ["@depth@100ms", "@bookTicker", "@trade"].map(|kind| format!("\"{name}{kind}\"")))
        .collect();
    for (id, chunk) in (1_u64..).zip(streams.chunks(STREAMS_PER_REQUEST)) {
        let frame = format!(r#"{{"method":"SUBSCRIBE","params":[{}],"id":{id}}}"#, chunk.join(","));
        socket.send(Message::text(frame)).await.map_err(|error| DialFailure::new(Why::Closed, &error))?;
        // Data that comes before the answer is skipped: books join it to a snapshot that is taken later.
        loop {
            let message =
                socket::next(&mut socket).await.map_err(|why| DialFailure::new(why, &"subscribing"))?;
            let Message::Text(text) = message else { continue };
            match market::decode(text.as_str()) {
                Ok(MarketFrame::Answer { id: Some(answered), error: None }) if answered == id => break,
                Ok(MarketFrame::Answer { error: Some((code, words)), .. }) => {
                    return Err(DialFailure::new(Why::SyncFailed, &format!("subscribe: {code}: {words}")));
                }
                Ok(_) => {}
                Err(error) => return Err(DialFailure::new(Why::Protocol, &error)),
            }
        }
    }
    Ok(socket)
}

impl MarketSession {
    pub(super) fn new(
        shared: Rc<Shared>,
        rest: Rc<Rest>,
        gateway: Rc<Gateway>,
        dialler: Dialler,
        commands: mpsc::Receiver<MarketCommand>,
        events: mpsc::Sender<MarketEvent>,
    ) -> Self {
        let (snapshot_sender, snapshots) = mpsc::channel(64);
        let policy = shared.config.market_session.clone();
        let seed = shared.config.seed.wrapping_add(1);
        let session = Session::new(shared.clone(), shared.market.clone(), policy, seed, dialler);
        Self { shared, rest, gateway, session, commands, events, snapshots, snapshot_sender, generation: 0 }
    }

    /// Runs until told to stop.
    pub(super) async fn run(mut self) {
        self.step(Event::Start);
        loop {
            let until = self.shared.clock.now().plus(IDLE_MS);
            tokio::select! {
                woke = self.session.wait(until) => self.on_woke(woke),
                Some(fetched) = self.snapshots.recv() => self.on_snapshot(fetched),
                command = self.commands.recv() => match command {
                    Some(MarketCommand::Reconnect) => self.step(Event::Lost(Why::Asked)),
                    Some(MarketCommand::Stop) | None => break,
                },
            }
            self.housekeeping();
        }
        self.step(Event::Stop);
    }

    fn step(&mut self, event: Event) {
        let effects = self.session.step(event);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::HangUp(_) => self.lose_books(),
                Effect::Sync => {
                    self.fetch_due();
                    self.maybe_synced();
                }
                _ => {}
            }
        }
    }

    fn on_woke(&mut self, woke: Woke) {
        match woke {
            Woke::Message(message) => self.on_message(&message),
            Woke::Lost(why) => self.step(Event::Lost(why)),
            Woke::DrainEnded(_) => {}
            Woke::Setup(effects) => self.perform(effects),
            Woke::Due => self.step(Event::Tick),
        }
    }

    fn on_message(&mut self, message: &Message) {
        let now = self.shared.clock.now();
        self.shared.market.frame(now);
        let Message::Text(text) = message else {
            return self.step(Event::Frame { data: false });
        };
        match market::decode(text.as_str()) {
            Ok(MarketFrame::Answer { .. }) => self.step(Event::Frame { data: false }),
            Ok(MarketFrame::Shutdown) => self.step(Event::Announced),
            Ok(frame) => {
                self.shared.market.data(now);
                self.step(Event::Frame { data: true });
                self.on_frame(now, frame);
            }
            Err(error) => {
                // One lost diff shows as a gap and heals by itself; trades and quotes do not pile up.
                self.shared.market.data(now);
                self.shared.market.undecodable();
                self.step(Event::Frame { data: false });
                tracing::warn!(venue.name = %self.shared.config.venue, %error, "an unreadable market frame");
            }
        }
    }

    fn on_frame(&mut self, now: Mono, frame: MarketFrame<'_>) {
        let shared = self.shared.clone();
        let mut feeds = shared.feeds.borrow_mut();
        let name = match &frame {
            MarketFrame::Depth { symbol, .. }
            | MarketFrame::Quote { symbol, .. }
            | MarketFrame::Trade { symbol, .. } => symbol.as_ref(),
            MarketFrame::Other(kind) => {
                shared.market.decoded(now, None);
                return self.publish(MarketEvent::Unrecognised { kind: OtherWord::new(kind) });
            }
            MarketFrame::Answer { .. } | MarketFrame::Shutdown => return,
        };
        let Some((symbol, feed)) = feed_of(&mut feeds, name) else {
            shared.market.decoded(now, None);
            return self.publish(MarketEvent::Unrecognised { kind: OtherWord::new(name) });
        };
        feed.last_data = Some(now);
        match frame {
            MarketFrame::Depth { diff, .. } => {
                shared.market.decoded(now, Some(diff.last));
                let effects = feed.sync.diff(now, diff);
                self.on_book(&symbol, feed, effects);
            }
            // During a renewal two connections carry the same events; the older numbers are repetitions.
            MarketFrame::Quote { update_id, bid, ask, .. } => {
                shared.market.decoded(now, None);
                if update_id > feed.last_quote {
                    feed.last_quote = update_id;
                    self.publish(MarketEvent::Quote { symbol, top: Top { update_id, bid, ask } });
                }
            }
            MarketFrame::Trade { trade_id, price, quantity, buyer_is_maker, at, .. } => {
                shared.market.decoded(now, None);
                if trade_id > feed.last_trade {
                    feed.last_trade = trade_id;
                    let aggressor = if buyer_is_maker { Side::Sell } else { Side::Buy };
                    let trade_id = trade_id.into();
                    self.publish(MarketEvent::Trade(PublicTrade {
                        symbol,
                        trade_id,
                        price,
                        quantity,
                        aggressor,
                        at,
                    }));
                }
            }
            MarketFrame::Answer { .. } | MarketFrame::Shutdown | MarketFrame::Other(_) => {}
        }
    }

    fn on_book(&mut self, symbol: &Symbol, feed: &mut Feed, effects: Vec<BookEffect>) {
        for effect in effects {
            match effect {
                BookEffect::Fetch => self.fetch(symbol),
                BookEffect::Moved | BookEffect::InStep => {
                    let top = feed.sync.book().and_then(crate::domain::book::OrderBook::top);
                    self.publish(MarketEvent::Book { symbol: symbol.clone(), top });
                }
                BookEffect::Lost(why) => self.announce_loss(symbol, why),
            }
        }
    }

    fn announce_loss(&mut self, symbol: &Symbol, why: BookLoss) {
        tracing::warn!(venue.name = %self.shared.config.venue, %symbol, %why, "a book was lost");
        self.publish(MarketEvent::BookLost { symbol: symbol.clone(), why });
        self.session.step(Event::Resync);
    }

    /// Asks for a snapshot, unless pacing says later.
    fn fetch(&self, symbol: &Symbol) {
        let (shared, rest, gateway) = (self.shared.clone(), self.rest.clone(), self.gateway.clone());
        let (generation, symbol, tell) = (self.generation, symbol.clone(), self.snapshot_sender.clone());
        tokio::task::spawn_local(async move {
            let snapshot = fetch_snapshot(&shared, &rest, &gateway, &symbol).await;
            // The session may have ended meanwhile.
            let _ = tell.send((generation, symbol, snapshot)).await;
        });
    }

    fn on_snapshot(&mut self, (generation, symbol, snapshot): Fetched) {
        if generation != self.generation {
            return;
        }
        let now = self.shared.clock.now();
        let shared = self.shared.clone();
        {
            let mut feeds = shared.feeds.borrow_mut();
            let Some(feed) = feeds.get_mut(&symbol) else { return };
            match snapshot {
                Ok(snapshot) => {
                    let effects = feed.sync.snapshot(now, &snapshot);
                    self.on_book(&symbol, feed, effects);
                }
                Err(later) => feed.sync.fetch_failed(now, later),
            }
        }
        self.maybe_synced();
    }

    fn maybe_synced(&mut self) {
        let in_step = self.shared.feeds.borrow().values().all(|feed| feed.sync.book().is_some());
        if in_step && self.session.state() == State::Syncing {
            self.step(Event::Synced);
        }
    }

    fn lose_books(&mut self) {
        self.generation = self.generation.saturating_add(1);
        let shared = self.shared.clone();
        for (symbol, feed) in shared.feeds.borrow_mut().iter_mut() {
            if let Some(BookEffect::Lost(why)) = feed.sync.disconnected() {
                self.publish(MarketEvent::BookLost { symbol: symbol.clone(), why });
            }
        }
    }

    fn housekeeping(&mut self) {
        if self.session.overdue_drain().is_some() {
            tracing::debug!(venue.name = %self.shared.config.venue, "the replaced market connection is closed");
        }
        // Never before the subscription is confirmed: a snapshot must not be older than the stream.
        if matches!(self.session.state(), State::Syncing | State::Live | State::Stale) {
            self.fetch_due();
        }
    }

    fn fetch_due(&mut self) {
        let now = self.shared.clock.now();
        let shared = self.shared.clone();
        for (symbol, feed) in shared.feeds.borrow_mut().iter_mut() {
            if feed.sync.tick(now) == Some(BookEffect::Fetch) {
                self.fetch(symbol);
            }
        }
    }

    fn publish(&mut self, event: MarketEvent) {
        if self.events.try_send(event).is_ok() {
            self.shared.market.published(self.shared.clock.now());
        } else {
            self.shared.market.dropped();
        }
    }
}

/// The feed of an instrument that the venue names, with our own copy of the name.
fn feed_of<'a>(
    feeds: &'a mut std::collections::BTreeMap<Symbol, Feed>,
    name: &str,
) -> Option<(Symbol, &'a mut Feed)> {
    let symbol = feeds.get_key_value(name).map(|(symbol, _)| symbol.clone())?;
    let feed = feeds.get_mut(name)?;
    Some((symbol, feed))
}

async fn fetch_snapshot(
    shared: &Shared,
    rest: &Rest,
    gateway: &Gateway,
    symbol: &Symbol,
) -> Result<Snapshot, Option<Mono>> {
    if let Err(error) = gateway.learn_limits().await {
        // The assumed limits serve until the next attempt.
        tracing::warn!(venue.name = %shared.config.venue, %error, "the venue's limits are not known yet");
    }
    match shared.admit(Purpose::Protect, SNAPSHOT_WEIGHT) {
        Ok(()) => {}
        Err(Denial::Paced { retry_at, .. } | Denial::BackOff { until: retry_at }) => {
            return Err(Some(retry_at));
        }
        Err(_) => return Err(None),
    }
    let query = format!("symbol={symbol}&limit={SNAPSHOT_LEVELS}");
    let timeout = shared.config.read_timeout_ms;
    let answer = rest.send(shared, Method::GET, "/api/v3/depth", query, timeout, None).await;
    let detail = match answer {
        Ok(Answer { body: Ok(text), .. }) => match serde_json::from_str(&text) {
            Ok(snapshot) => return Ok(snapshot),
            Err(error) => error.to_string(),
        },
        Ok(Answer { status, body: Err((code, words)) }) => format!("status {status}, code {code}: {words}"),
        Err(failure) => format!("{failure:?}"),
    };
    tracing::warn!(venue.name = %shared.config.venue, %symbol, detail, "no depth snapshot");
    Err(shared.pacer.borrow().hold_until(shared.clock.now()))
}
