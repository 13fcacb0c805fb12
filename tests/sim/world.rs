//! One run: the order management between a venue, a disk and people, on one queue of instants.
//!
//! Everything that happens is drawn from one seed. The process may crash before any effect; then the order
//! management, the wire and the unsynced half of the store are gone, and what is on its way to the venue
//! still arrives.

use crate::checks::{Checker, Moment, View, checkers};
use crate::exchange::{Exchange, asset};
use crate::marks::{Marks, Watcher};
use crate::options::Options;
use crate::store::Store;
use crate::wire::{Link, Request, Wire, denied, unknown};
use fastrand::Rng;
use plimsoll::domain::account_sync::AccountSnapshot;
use plimsoll::domain::ids::{StrategyId, Symbol, VenueId};
use plimsoll::domain::journal::Snapshot;
use plimsoll::domain::money::Price;
use plimsoll::domain::oms::{Actor, Effect, Event, Fact, Mark, Now, Oms, Phase, Settings, StartHow};
use plimsoll::domain::order_types::{ExecutionType, OrderStatus};
use plimsoll::domain::outcome::{Denial, Lookup, Outcome, RejectClass, Rejection, UnknownWhy};
use plimsoll::domain::time::{Mono, WallMs};
use rust_decimal::Decimal;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};

const TICK_MS: u64 = 50;
const MARKET_MS: u64 = 200;
/// Wall clock at the start of a run, milliseconds.
const WALL_0: i64 = 1_700_000_000_000;
/// Lines of the story of a failure: so many from its beginning, and so many before its end.
const STORY: (usize, usize) = (2_000, 100);

pub enum Item {
    /// For the order management of one life of the process.
    Core(u64, Event),
    /// From one session's stream.
    Stream(u64, Event),
    Sync(u64),
    /// At the venue; answered to that life and request, or not at all.
    Arrive {
        life: u64,
        id: u64,
        request: Request,
        sent: u64,
        answered: bool,
    },
    Answer {
        life: u64,
        id: u64,
        event: Event,
    },
    Expire {
        life: u64,
        id: u64,
    },
    Connect(u64),
    Compared {
        session: u64,
        snapshot: AccountSnapshot,
    },
    Writable,
    Operation,
    Market,
    Tick,
}

pub struct World {
    pub options: Options,
    pub rng: Rng,
    pub now: u64,
    queue: BTreeMap<(u64, u64), Item>,
    next: u64,
    pub venue: VenueId,
    pub symbols: Vec<Symbol>,
    pub strategy: StrategyId,
    pub exchange: Exchange,
    pub store: Store,
    pub wire: Wire,
    pub oms: Oms,
    settings: Settings,
    /// Lives of the process.
    pub life: u64,
    born: u64,
    skew_ms: i64,
    effects: u64,
    pub healed: bool,
    pub hasher: DefaultHasher,
    pub marks: Marks,
    watcher: Watcher,
    checkers: Vec<Box<dyn Checker>>,
    pub operations_done: u32,
    pub people: crate::people::People,
    story: (Vec<String>, VecDeque<String>),
    /// Nothing happens at the venue before the books have begun.
    opened: bool,
    pub failure: Option<String>,
}

impl World {
    pub fn new(seed: u64, options: Options) -> Self {
        let mut rng = Rng::with_seed(seed);
        let symbols: Vec<Symbol> =
            ["AAUSDT", "BBUSDT"].iter().take(options.symbols).map(|s| Symbol::new(s).unwrap()).collect();
        let mut exchange = Exchange::default();
        for name in ["USDT", "AA", "BB", "BNB"] {
            exchange.balances.insert(asset(name), Decimal::from(1_000_000));
        }
        for symbol in &symbols {
            exchange.middle.insert(symbol.clone(), 10_000);
        }
        exchange.fee_asset = [None, Some(asset("USDT")), Some(asset("BNB"))][rng.usize(..3)].clone();
        let settings = crate::setup::settings(&options, &symbols);
        let mut world = Self {
            now: 0,
            queue: BTreeMap::new(),
            next: 0,
            venue: crate::setup::venue(),
            strategy: crate::setup::strategy(),
            exchange,
            store: Store::new(),
            wire: Wire::new(1),
            oms: Oms::new(settings.clone()).unwrap(),
            settings,
            life: 1,
            born: 0,
            skew_ms: 0,
            effects: 0,
            healed: false,
            hasher: DefaultHasher::new(),
            marks: Marks::default(),
            watcher: Watcher::default(),
            checkers: checkers(),
            operations_done: 0,
            people: crate::people::People::default(),
            story: (vec![], VecDeque::new()),
            opened: false,
            failure: None,
            symbols,
            options,
            rng,
        };
        world.at(0, Item::Tick);
        world.at(0, Item::Market);
        world.at(500, Item::Operation);
        world.start(StartHow::Warm);
        world
    }

    pub fn at(&mut self, delay: u64, item: Item) {
        self.next += 1;
        self.queue.insert((self.now + delay, self.next), item);
    }

    pub fn core(&mut self, delay: u64, event: Event) {
        let life = self.life;
        self.at(delay, Item::Core(life, event));
    }

    pub fn chance(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.rng.u32(..1_000) < per_mille
    }

    pub fn clock(&self) -> Now {
        let wall = WALL_0 + i64::try_from(self.now).unwrap() + self.skew_ms;
        Now { mono: Mono(self.now - self.born), wall: WallMs(wall) }
    }

    pub fn jump_clock(&mut self) {
        self.skew_ms += self.rng.i64(-3_600_000..3_600_000);
    }

    pub fn fail(&mut self, why: String) {
        self.failure.get_or_insert(format!("at {} ms: {why}", self.now));
    }

    fn tell(&mut self, text: impl FnOnce() -> String) {
        let line = format!("{:>7} {}", self.now, text());
        if self.story.0.len() < STORY.0 {
            return self.story.0.push(line);
        }
        if self.story.1.len() == STORY.1 {
            self.story.1.pop_front();
        }
        self.story.1.push_back(line);
    }

    pub fn story(&self) -> Vec<String> {
        self.story.0.iter().chain(&self.story.1).cloned().collect()
    }

    /// Shows a moment to every checker.
    fn check(&mut self, moment: &Moment<'_>) {
        let view = View {
            oms: &self.oms,
            settings: &self.settings,
            store: &self.store,
            exchange: &self.exchange,
            venue: &self.venue,
            symbols: &self.symbols,
            people: &self.people,
        };
        let mut failed = None;
        for checker in &mut self.checkers {
            if let Err(why) = checker.see(moment, &view) {
                failed.get_or_insert(format!("{}: {why}", checker.name()));
            }
        }
        if let Some(why) = failed {
            self.fail(why);
        }
    }

    // ---- the process

    /// Rebuilds the order management from what was synced, and starts it.
    pub fn start(&mut self, how: StartHow) {
        self.born = self.now;
        let settings = self.settings.clone();
        let (from, rebuilt) = match &self.store.snapshot {
            Some((rows, Snapshot { state, .. })) => (*rows, Oms::restore(settings, state)),
            None => (0, Ok(Oms::new(settings).unwrap())),
        };
        let rebuilt = match rebuilt {
            Ok(rebuilt) => rebuilt,
            Err(error) => return self.fail(format!("I9 journal: {error}")),
        };
        self.marks.hit_if("snapshot_used", from > 0);
        self.oms = rebuilt;
        for row in self.store.rows.iter().skip(from) {
            match Fact::from_row(&row.kind, &row.payload) {
                Ok(Some(fact)) => {
                    if let Err(error) = self.oms.apply(&fact, row.at) {
                        let why = format!("I9 journal: row {} cannot be replayed: {error}", row.seq.0);
                        return self.fail(why);
                    }
                }
                Ok(None) => {}
                Err(error) => return self.fail(format!("I9 journal: row {}: {error}", row.seq.0)),
            }
        }
        self.wire = Wire::new(self.wire.session + 1);
        let by = Actor { name: "plimsoll".to_owned(), reason: "start".to_owned() };
        self.check(&Moment::Started);
        self.step(Event::Start { how, by });
        let venue = self.venue.clone();
        self.core(1, Event::VenueStarted { venue, epoch: 1 });
        let session = self.wire.session;
        let pause = self.rng.u64(1..100);
        self.at(pause, Item::Connect(session));
    }

    pub fn crash(&mut self) {
        self.tell(|| "CRASH".to_owned());
        self.marks.note_crash(&self.store, &self.oms);
        self.store.crash();
        self.life += 1;
        self.people.forget_waiting();
        self.check(&Moment::Crashed);
    }

    /// Ends this life and begins the next.
    pub fn restart(&mut self, how: StartHow) {
        self.crash();
        self.start(how);
    }

    /// Gives the order management an event and does what it asks, in order.
    pub fn step(&mut self, event: Event) {
        if self.failure.is_some() {
            return;
        }
        if !matches!(event, Event::Tick | Event::Marked { .. }) {
            self.tell(|| format!("> {event:?}"));
        }
        self.watcher.before(&event, &self.oms);
        self.check(&Moment::Told(&event));
        let clock = self.clock();
        let effects = self.oms.step(clock, event);
        self.watcher.after(&effects, &mut self.marks);
        let crash_in =
            (!self.healed && self.chance(self.options.crash)).then(|| self.rng.usize(..=effects.len()));
        let life = self.life;
        for (index, effect) in effects.into_iter().enumerate() {
            self.effects += 1;
            if crash_in == Some(index) || self.options.crash_at == Some(self.effects) {
                return self.restart(StartHow::Warm);
            }
            self.perform(effect);
            if self.failure.is_some() || life != self.life {
                return;
            }
        }
    }

    fn perform(&mut self, effect: Effect) {
        if !matches!(effect, Effect::Publish(_) | Effect::Notice(_) | Effect::Persist(_)) {
            self.tell(|| format!("< {effect:?}"));
        }
        std::mem::discriminant(&effect).hash(&mut self.hasher);
        self.check(&Moment::Effect(&effect));
        match effect {
            Effect::Persist(batch) => {
                for row in &batch.rows {
                    self.tell(|| format!("< row {} {}", row.kind, row.payload));
                    (self.now, row.kind, &row.payload).hash(&mut self.hasher);
                }
                let ticket = batch.ticket;
                self.store.pending.push_back(batch);
                if self.options.lying_sync {
                    self.core(0, Event::Durable { ticket });
                }
                let (life, pause) = (self.life, self.rng.u64(0..=self.options.sync_ms));
                self.at(pause, Item::Sync(life));
            }
            Effect::Submit(_, order) => self.send(Request::Place(order.into_inner())),
            Effect::Cancel(_, cancel) => self.send(Request::Cancel(cancel)),
            Effect::Query(_, _, id) => self.send(Request::Query(id)),
            Effect::FetchOpenOrders(_) => self.send(Request::OpenOrders),
            Effect::FetchFills(_, symbol, after) => self.send(Request::Fills(symbol, after)),
            Effect::FetchBalances(_) => self.send(Request::Balances),
            Effect::CheckFill(venue, fill) => {
                let key = (venue.clone(), fill.symbol.clone(), fill.trade_id.clone());
                let booked = Some(self.store.fills.contains_key(&key));
                self.core(1, Event::FillChecked { venue, fill, booked });
            }
            Effect::Reply(to, answer) => {
                if let Err(why) = self.people.answered(to, &answer) {
                    self.fail(why);
                }
            }
            Effect::Drained { .. } => self.people.drained = true,
            Effect::StartRefused { why } => self.people.refused_start = Some(why),
            Effect::Publish(_) | Effect::Notice(_) | Effect::Raise { .. } | Effect::Clear { .. } => {}
        }
    }

    // ---- the way to the venue

    fn send(&mut self, request: Request) {
        let placing = matches!(request, Request::Place(_));
        (self.now, format!("{request:?}")).hash(&mut self.hasher);
        let refuse = self.chance(self.options.deny);
        let denial = match self.wire.link {
            Link::Down => Some(Denial::NotConnected { state: "backoff" }),
            Link::Comparing if placing => Some(Denial::StreamReconciling { state: "syncing" }),
            _ if refuse => {
                let retry_at = self.clock().mono.plus(self.rng.u64(10..800));
                Some(match self.rng.u32(..3) {
                    0 => Denial::BackOff { until: retry_at },
                    1 => Denial::QueueFull { limit: 1 },
                    _ => Denial::Paced { limit: "orders", used: 9, cap: 9, retry_at },
                })
            }
            _ => None,
        };
        if let Some(denial) = denial {
            self.check(&Moment::Denied(&request));
            let event = denied(&self.venue, &request, denial);
            return self.core(0, event);
        }
        let (life, id) = (self.life, self.next);
        self.wire.under_way.insert(id, request.clone());
        let there = if self.chance(self.options.slow) {
            self.rng.u64(0..=self.options.recv_window_ms + 200)
        } else {
            self.rng.u64(0..=self.options.latency_ms)
        };
        let (lost, mut answered) =
            (self.chance(self.options.lose_request), !self.chance(self.options.lose_response));
        let timeout = self.options.timeout_ms;
        self.at(timeout, Item::Expire { life, id });
        if !lost && self.chance(self.options.server_error) {
            // An error for an answer; in half of the cases the venue did it all the same.
            let event = unknown(&self.venue, &request, UnknownWhy::ServerError { status: 502 });
            self.at(there + 1, Item::Answer { life, id, event });
            if self.rng.bool() {
                return;
            }
            answered = false;
        }
        if !lost {
            let sent = self.now;
            self.at(there, Item::Arrive { life, id, request, sent, answered });
        }
    }

    fn arrive(&mut self, life: u64, id: u64, request: Request, sent: u64, answered: bool) {
        let event = self.do_at_venue(&request, sent);
        self.publish();
        if answered {
            let back = self.rng.u64(0..=self.options.latency_ms);
            self.at(back, Item::Answer { life, id, event });
        }
    }

    fn hide(&mut self) -> u64 {
        if self.options.hide_ms == 0 { 0 } else { self.rng.u64(0..=self.options.hide_ms) }
    }

    fn do_at_venue(&mut self, request: &Request, sent: u64) -> Event {
        let (venue, now) = (self.venue.clone(), self.now);
        let outcome = |answer: Result<_, Rejection>| match answer {
            Ok(report) => Outcome::Confirmed(report),
            Err(rejection) => Outcome::Rejected(rejection),
        };
        let refusal = |class| Rejection { code: -1, reason: "no".to_owned(), class };
        match request {
            Request::Place(order) => {
                let id = order.client_order_id.clone();
                let answer = if now - sent > self.options.recv_window_ms {
                    Err(refusal(RejectClass::ClockSkew))
                } else if self.chance(self.options.reject) {
                    Err(refusal(RejectClass::InsufficientBalance))
                } else {
                    let hide_ms = self.hide();
                    let take = Decimal::new([0, 0, 0, 3, 5, 10][self.rng.usize(..6)], 1);
                    self.exchange.place(now, order.clone(), hide_ms, take)
                };
                Event::Placed { venue, order: id, outcome: outcome(answer) }
            }
            Request::Cancel(cancel) => {
                let order = cancel.client_order_id.clone();
                let answer = self.exchange.cancel(now, &order);
                self.marks.hit_if("cancel_came_too_late", answer.is_err());
                Event::CancelAnswered { venue, order, outcome: outcome(answer) }
            }
            Request::Query(order) => {
                let found = self.exchange.find(order).filter(|found| found.shown_at <= now);
                let answer = found
                    .map_or(Lookup::Absent, |found| Lookup::Found(Box::new(found.report(None, vec![], now))));
                Event::Looked { venue, order: order.clone(), answer: Ok(answer) }
            }
            Request::OpenOrders => Event::OpenOrders { venue, answer: Ok(self.exchange.shown_orders(now)) },
            Request::Fills(symbol, after) => {
                let after = after.as_ref().and_then(|id| id.number());
                let answer = Ok(self.exchange.shown_fills(symbol, after, now));
                Event::Fills { venue, symbol: symbol.clone(), answer }
            }
            Request::Balances => Event::Balances { venue, answer: Ok(self.exchange.balances()) },
        }
    }

    /// Sends what the venue has to say down the stream, as badly as the options want.
    pub fn publish(&mut self) {
        for report in std::mem::take(&mut self.exchange.said) {
            if self.wire.link == Link::Down || self.chance(self.options.drop_report) {
                continue;
            }
            let event = Event::Report { venue: self.venue.clone(), report };
            self.stream(event.clone());
            if self.chance(self.options.duplicate_report) {
                self.marks.hit("duplicate_report");
                self.stream(event);
            }
        }
    }

    /// Sends an event down the stream, in order unless the options want otherwise.
    pub fn stream(&mut self, event: Event) {
        let most = if self.options.reorder { self.options.latency_ms * 10 } else { self.options.latency_ms };
        let mut due = self.now + self.rng.u64(0..=most);
        if !self.options.reorder {
            due = due.max(self.wire.last_arrival);
            self.wire.last_arrival = due;
        }
        let session = self.wire.session;
        self.at(due - self.now, Item::Stream(session, event));
    }

    // ---- sessions

    pub fn disconnect(&mut self) {
        if self.wire.link == Link::Down {
            return;
        }
        self.wire.link = Link::Down;
        self.wire.session += 1;
        let venue = self.venue.clone();
        for (_, request) in std::mem::take(&mut self.wire.under_way) {
            let event = unknown(&venue, &request, UnknownWhy::Disconnected);
            self.core(0, event);
        }
        self.core(0, Event::VenueLive { venue, live: false });
        let (session, pause) = (self.wire.session, self.rng.u64(10..3_000));
        self.at(pause, Item::Connect(session));
    }

    /// The connector dies and is built anew: what it had under way has no answer.
    pub fn connector_dies(&mut self) {
        let epoch = self.wire.epoch + 1;
        self.wire = Wire { epoch, ..Wire::new(self.wire.session + 1) };
        let venue = self.venue.clone();
        self.core(5, Event::VenueStarted { venue, epoch });
        let (session, pause) = (self.wire.session, self.rng.u64(10..500));
        self.at(pause, Item::Connect(session));
    }

    fn connect(&mut self) {
        self.wire.link = Link::Comparing;
        self.wire.last_arrival = 0;
        let snapshot = AccountSnapshot {
            open_orders: self.exchange.shown_orders(self.now),
            fills: self
                .symbols
                .clone()
                .iter()
                .flat_map(|symbol| {
                    let after = self.wire.view.last_trade(symbol);
                    self.exchange.shown_fills(symbol, after, self.now)
                })
                .collect(),
            balances: self.exchange.balances(),
        };
        let (session, pause) = (self.wire.session, self.rng.u64(1..=self.options.latency_ms + 1));
        self.wire.last_arrival = self.now + pause;
        self.at(pause, Item::Compared { session, snapshot });
    }

    // ---- time

    /// Runs until `until`, or until something is wrong.
    pub fn run(&mut self, until: u64) {
        while self.failure.is_none() {
            let Some(entry) = self.queue.first_entry() else { return };
            if entry.key().0 > until {
                self.now = until;
                return;
            }
            let ((due, _), item) = entry.remove_entry();
            self.now = due;
            self.happen(item);
        }
    }

    fn happen(&mut self, item: Item) {
        match item {
            Item::Core(life, event) if life == self.life => self.step(event),
            Item::Stream(session, event) if session == self.wire.session && self.wire.link != Link::Down => {
                if let Event::Report { report, .. } = &event {
                    self.wire.view.note_report(report);
                }
                self.step(event);
            }
            Item::Sync(life) if life == self.life => self.sync(),
            Item::Arrive { life, id, request, sent, answered } => {
                self.arrive(life, id, request, sent, answered)
            }
            Item::Answer { life, id, event }
                if life == self.life && self.wire.under_way.remove(&id).is_some() =>
            {
                self.step(event);
            }
            Item::Expire { life, id } if life == self.life => {
                if let Some(request) = self.wire.under_way.remove(&id) {
                    let why = UnknownWhy::Timeout { after_ms: self.options.timeout_ms };
                    self.step(unknown(&self.venue.clone(), &request, why));
                }
            }
            Item::Connect(session) if session == self.wire.session => self.connect(),
            Item::Compared { session, snapshot } if session == self.wire.session => {
                self.wire.link = Link::Up;
                let venue = self.venue.clone();
                let event = self.wire.reconciled(&venue, snapshot);
                let life = self.life;
                self.step(event);
                if life == self.life {
                    self.step(Event::VenueLive { venue, live: true });
                }
            }
            Item::Writable => self.store.writable = true,
            Item::Operation if !self.opened => {
                self.opened = self.oms.phase() == Phase::Running;
                self.at(100, Item::Operation);
            }
            Item::Operation => crate::people::operate(self),
            Item::Market => {
                self.market();
                self.at(MARKET_MS, Item::Market);
            }
            Item::Tick => {
                if !self.store.pending.is_empty() {
                    self.sync();
                }
                self.step(Event::Tick);
                self.at(TICK_MS, Item::Tick);
            }
            _ => {}
        }
    }

    fn sync(&mut self) {
        let (told, written) = self.store.sync();
        for batch in &written {
            self.check(&Moment::Written(batch));
        }
        for event in told {
            self.marks.hit_if("not_durable", matches!(event, Event::NotDurable { .. }));
            let pause = self.rng.u64(0..3);
            self.core(pause, event);
        }
    }

    fn market(&mut self) {
        for symbol in self.symbols.clone() {
            let middle = self.exchange.middle.entry(symbol.clone()).or_insert(10_000);
            *middle = (*middle + self.rng.i64(-30..=30)).clamp(5_000, 20_000);
            let price = |cents: i64| Price::new(Decimal::new(cents, 2)).unwrap();
            let mark = Mark { bid: price(*middle - 1), ask: price(*middle + 1) };
            let venue = self.venue.clone();
            self.step(Event::Marked { venue, symbol, mark: Some(mark) });
        }
        let live: Vec<(usize, Decimal)> =
            self.exchange.live().map(|(index, order)| (index, order.left())).collect();
        for (index, left) in live {
            if self.healed || !self.chance(60) {
                continue;
            }
            let untouched = self.exchange.orders[index].executed.is_zero();
            if untouched && self.chance(self.options.late_reject) {
                self.marks.hit("late_reject");
                self.exchange.end(index, OrderStatus::Rejected, ExecutionType::Rejected, self.now);
            } else if self.chance(self.options.overfill) {
                self.marks.hit("overfill");
                self.exchange.overfill(index, self.now);
            } else {
                let part = (left * Decimal::new(self.rng.i64(1..=10), 1)).round_dp(3);
                let hide_ms = self.hide();
                let price = self.exchange.orders[index].asked.price.map_or(Decimal::from(100), Price::get);
                self.exchange.execute(
                    index,
                    if part.is_zero() { left } else { part },
                    price,
                    self.now,
                    hide_ms,
                );
            }
        }
        self.publish();
    }

    /// Everything works from now on.
    pub fn heal(&mut self) {
        self.tell(|| "HEAL".to_owned());
        self.healed = true;
        self.options.heal();
        self.store.writable = true;
        if self.wire.link == Link::Down {
            let session = self.wire.session;
            self.at(1, Item::Connect(session));
        }
    }

    /// Is everything final or confirmed, and everything equal to the venue's truth? Says what is not.
    pub fn converged(&self) -> Result<(), String> {
        if self.oms.phase() != Phase::Running {
            return Err(format!("phase {:?}: {}", self.oms.phase(), self.oms.phase_reason()));
        }
        crate::checks::settled(&self.view())
    }

    pub fn view(&self) -> View<'_> {
        View {
            oms: &self.oms,
            settings: &self.settings,
            store: &self.store,
            exchange: &self.exchange,
            venue: &self.venue,
            symbols: &self.symbols,
            people: &self.people,
        }
    }

    pub fn position_figures(&self) -> Vec<String> {
        let all = self.oms.ledger().positions();
        all.map(|p| {
            format!("{} {} {} {:?} {}", p.symbol, p.strategy, p.quantity, p.average_price, p.realised_pnl)
        })
        .collect()
    }

    /// Did the crash before a given effect come?
    pub fn crash_came(&self) -> bool {
        self.options.crash_at.is_some_and(|at| at <= self.effects)
    }

    /// Shows the end to every checker.
    pub fn end(&mut self) {
        self.check(&Moment::End);
        self.oms.phase().hash(&mut self.hasher);
        (self.now, self.store.rows.len()).hash(&mut self.hasher);
    }

    pub fn hash(&self) -> u64 {
        self.hasher.finish()
    }
}
