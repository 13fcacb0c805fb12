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
use crate::wire::{Link, Request, Wire, unknown};
use fastrand::Rng;
use plimsoll::domain::account_sync::AccountSnapshot;
use plimsoll::domain::ids::{StrategyId, Symbol, VenueId};
use plimsoll::domain::oms::{Event, Now, Oms, Phase, Settings, StartHow};
use plimsoll::domain::outcome::UnknownWhy;
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
    pub(crate) queue: BTreeMap<(u64, u64), Item>,
    pub(crate) next: u64,
    pub venue: VenueId,
    pub symbols: Vec<Symbol>,
    pub strategy: StrategyId,
    pub exchange: Exchange,
    pub store: Store,
    pub wire: Wire,
    pub oms: Oms,
    pub(crate) settings: Settings,
    /// Lives of the process.
    pub life: u64,
    pub(crate) born: u64,
    pub(crate) skew_ms: i64,
    pub(crate) effects: u64,
    pub healed: bool,
    pub hasher: DefaultHasher,
    pub marks: Marks,
    pub(crate) watcher: Watcher,
    pub(crate) checkers: Vec<Box<dyn Checker>>,
    pub operations_done: u32,
    pub people: crate::people::People,
    pub(crate) story: (Vec<String>, VecDeque<String>),
    /// Nothing happens at the venue before the books have begun.
    pub(crate) opened: bool,
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

    pub(crate) fn tell(&mut self, text: impl FnOnce() -> String) {
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
    pub(crate) fn check(&mut self, moment: &Moment<'_>) {
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
        let mut counted = BTreeMap::new();
        for order in self.oms.orders() {
            *counted.entry(order.state).or_insert(0_u64) += 1;
        }
        if counted != self.oms.counts() {
            failed = Some(format!("counts: {counted:?} orders, {:?} counted", self.oms.counts()));
        }
        for checker in &mut self.checkers {
            if let Err(why) = checker.see(moment, &view) {
                failed.get_or_insert(format!("{}: {why}", checker.name()));
            }
        }
        if let Some(why) = failed {
            self.fail(why);
        }
    }

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

    pub(crate) fn happen(&mut self, item: Item) {
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

    pub(crate) fn sync(&mut self) {
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
