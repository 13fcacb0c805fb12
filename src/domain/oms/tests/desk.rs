//! A desk for the tests: the core, a clock, a journal that keeps its rows, and a venue that answers reads.

pub use super::seen::*;
use crate::domain::account_sync::AccountSnapshot;
use crate::domain::ids::{Asset, ClientOrderId, StrategyId, Symbol, TradeId, VenueId, VenueOrderId};
use crate::domain::instrument::{Instrument, Step};
use crate::domain::journal::{Batch, Ticket};
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::oms::*;
use crate::domain::order::{Order, OrderKind, OrderRequest, OrderState, Patience};
use crate::domain::order_types::*;
use crate::domain::outcome::{Lookup, Outcome, UnknownWhy};
use crate::domain::risk::RiskSettings;
use crate::domain::run_state::Verb;
use crate::domain::time::{Mono, WallMs};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, VecDeque};

/// How long absence proves nothing here.
pub const WINDOW_MS: u64 = 2_000;

pub fn venue() -> VenueId {
    VenueId::new("paper").unwrap()
}

pub fn symbol() -> Symbol {
    Symbol::new("BTCUSDT").unwrap()
}

pub fn asset(name: &str) -> Asset {
    Asset::new(name).unwrap()
}

pub fn id(text: &str) -> ClientOrderId {
    ClientOrderId::new(text).unwrap()
}

pub fn qty(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

pub fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

pub fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

pub fn operator(reason: &str) -> Actor {
    Actor { name: "operator".to_owned(), reason: reason.to_owned() }
}

pub fn instrument() -> Instrument {
    Instrument {
        symbol: symbol(),
        base: asset("BTC"),
        quote: asset("USDT"),
        trading: true,
        price: Step { min: Decimal::new(1, 2), max: Decimal::ZERO, step: Decimal::new(1, 2) },
        lot: Step { min: Decimal::new(1, 3), max: Decimal::from(9_000), step: Decimal::new(1, 3) },
        market_lot: None,
        min_notional: Some((amount("5"), true)),
        max_notional: None,
        max_open_orders: None,
        unknown_filters: Vec::new(),
    }
}

pub fn strategy(name: &str, patience: Patience) -> StrategySettings {
    StrategySettings {
        id: StrategyId::new(name).unwrap(),
        patience,
        enabled: true,
        max_age_ms: 60_000,
        price_guard: Decimal::new(1, 2),
    }
}

/// Wide limits, and marks that never grow old: what risk decides has tests of its own.
fn limits() -> RiskSettings {
    RiskSettings { mark_max_age_ms: u64::MAX, ..RiskSettings::for_rehearsal(asset("USDT")) }
}

pub fn settings() -> Settings {
    Settings {
        tag: "pltest01".to_owned(),
        venues: vec![VenueSettings {
            id: venue(),
            instruments: vec![instrument()],
            absence_proof_after_ms: WINDOW_MS,
            external: External::Adopt,
            live: false,
        }],
        strategies: vec![
            strategy("adopt", Patience::Adopt),
            strategy("requeue", Patience::Requeue),
            strategy("cancel", Patience::Cancel),
            strategy("hold", Patience::Hold),
        ],
        knobs: Knobs::default(),
        limits: Limits::default(),
        controls: Controls::default(),
        risk: limits(),
        tolerance: BTreeMap::new(),
    }
}

pub fn request(name: &str, strategy: &str, side: Side, quantity: &str) -> OrderRequest {
    OrderRequest {
        client_order_id: Some(id(name)),
        venue: venue(),
        symbol: symbol(),
        side,
        kind: OrderKind::Limit,
        quantity: qty(quantity),
        price: Some(price("100")),
        time_in_force: None,
        stop_loss: None,
        reduce_only: false,
        strategy: StrategyId::new(strategy).unwrap(),
        correlation: None,
    }
}

/// See the module's head.
pub struct Desk {
    pub oms: Oms,
    pub now: Now,
    /// Batches on disk, in order.
    pub disk: Vec<Batch>,
    /// Does the journal answer by itself?
    pub writes: bool,
    pub pending: VecDeque<Batch>,
    /// Every effect of the run.
    pub log: Vec<Effect>,
    pub balances: BTreeMap<Asset, Amount>,
    pub fills: Vec<Fill>,
    pub listed: Vec<OrderReport>,
    next_venue_id: u64,
}

impl Desk {
    /// A desk that is running, with nothing in the books.
    pub fn running() -> Self {
        Self::running_with(settings())
    }

    pub fn running_with(settings: Settings) -> Self {
        let mut desk = Self::stopped(Oms::new(settings).unwrap());
        desk.connect(StartHow::Warm);
        assert_eq!(desk.oms.phase(), Phase::Running, "{}", desk.oms.phase_reason());
        desk
    }

    pub fn stopped(oms: Oms) -> Self {
        Self {
            oms,
            now: Now { mono: Mono(1_000), wall: WallMs(1_700_000_000_000) },
            disk: Vec::new(),
            writes: true,
            pending: VecDeque::new(),
            log: Vec::new(),
            balances: BTreeMap::from([(asset("BTC"), amount("10")), (asset("USDT"), amount("10000"))]),
            fills: Vec::new(),
            listed: Vec::new(),
            next_venue_id: 500,
        }
    }

    pub fn connect(&mut self, how: StartHow) {
        self.step(Event::Start { how, by: operator("test") });
        self.step(Event::VenueStarted { venue: venue(), epoch: 1 });
        self.step(Event::VenueLive { venue: venue(), live: true });
        self.reconcile();
        self.mark();
    }

    /// The market is where the orders of these tests are.
    pub fn mark(&mut self) {
        let mark = Mark { bid: price("99.9"), ask: price("100.1") };
        self.step(Event::Marked { venue: venue(), symbol: symbol(), mark: Some(mark) });
    }

    pub fn reconcile(&mut self) {
        let snapshot = AccountSnapshot {
            open_orders: self.listed.clone(),
            fills: self.fills.clone(),
            balances: self.balances_now(),
        };
        self.step(Event::Reconciled { venue: venue(), snapshot, missing: Vec::new() });
    }

    pub fn balances_now(&self) -> Vec<Balance> {
        let row = |(asset, total): (&Asset, &Amount)| Balance {
            asset: asset.clone(),
            free: *total,
            locked: Amount::ZERO,
        };
        self.balances.iter().map(row).collect()
    }

    /// An operator's word on the state as it is.
    pub fn steer(&mut self, verb: Verb) -> Vec<Effect> {
        let seen = verb.is_unsafe().then(|| self.oms.state_view().version);
        let steering = Steering { verb, seen, by: operator(verb.word()) };
        self.step(Event::Steer { steering, reply: Some(ReplyTo(77)) })
    }

    /// The process dies; what was on disk comes back.
    pub fn restart(&mut self) {
        let mut oms = Oms::new(settings()).unwrap();
        replay(&mut oms, &self.disk);
        self.oms = oms;
        self.pending.clear();
        self.log.clear();
        self.now.mono = Mono(self.now.mono.0 + 5_000);
    }

    /// One event, and everything that the journal and the venue's reads answer to it.
    pub fn step(&mut self, event: Event) -> Vec<Effect> {
        let mut events = VecDeque::from([event]);
        let mut all = Vec::new();
        let mut steps = 0;
        while let Some(event) = events.pop_front() {
            steps += 1;
            assert!(steps < 5_000, "question and answer without end: {event:?}");
            let effects = self.oms.step(self.now, event);
            check_order(&effects);
            for effect in &effects {
                events.extend(self.answer(effect));
            }
            all.extend(effects);
        }
        self.log.extend(all.iter().cloned());
        all
    }

    fn answer(&mut self, effect: &Effect) -> Option<Event> {
        match effect {
            Effect::Persist(batch) if self.writes => {
                self.disk.push(batch.clone());
                Some(Event::Durable { ticket: batch.ticket })
            }
            Effect::Persist(batch) => {
                self.pending.push_back(batch.clone());
                None
            }
            Effect::FetchFills(venue, symbol, after) => {
                let after = after.as_ref().and_then(TradeId::number).unwrap_or(0);
                let newer = |fill: &&Fill| fill.trade_id.number().unwrap() > after;
                let fills = self.fills.iter().filter(newer).cloned().collect();
                Some(Event::Fills { venue: venue.clone(), symbol: symbol.clone(), answer: Ok(fills) })
            }
            Effect::FetchBalances(venue) => {
                Some(Event::Balances { venue: venue.clone(), answer: Ok(self.balances_now()) })
            }
            Effect::FetchOpenOrders(venue) => {
                Some(Event::OpenOrders { venue: venue.clone(), answer: Ok(self.listed.clone()) })
            }
            _ => None,
        }
    }

    /// What waits for the disk gets there.
    pub fn sync(&mut self) -> Vec<Effect> {
        let mut all = Vec::new();
        // What is written meanwhile queues behind: tickets reach the disk in order.
        let writes = std::mem::take(&mut self.writes);
        while let Some(batch) = self.pending.pop_front() {
            let ticket = batch.ticket;
            self.disk.push(batch);
            all.extend(self.step(Event::Durable { ticket }));
        }
        self.writes = writes;
        all
    }

    /// Time passes, a tick every 50 ms.
    pub fn wait(&mut self, ms: u64) -> Vec<Effect> {
        let mut all = Vec::new();
        for _ in 0..ms.div_ceil(50) {
            self.now.mono = self.now.mono.plus(50);
            self.now.wall = WallMs(self.now.wall.0 + 50);
            all.extend(self.step(Event::Tick));
        }
        all
    }

    /// Submits and returns what the venue was sent.
    pub fn submit(&mut self, request: OrderRequest) -> NewOrder {
        let effects = self.step(Event::Submit { request, reply: Some(ReplyTo(7)) });
        let sent = sent(&effects);
        assert_eq!(sent.len(), 1, "{effects:#?}");
        sent.into_iter().next().unwrap()
    }

    /// Submits, and the venue accepts.
    pub fn working(&mut self, request: OrderRequest) -> OrderReport {
        let order = self.submit(request);
        let report = self.report(&order, OrderStatus::New, "0");
        self.step(Event::Report { venue: venue(), report: report.clone() });
        self.listed.push(report.clone());
        report
    }

    pub fn report(&mut self, order: &NewOrder, status: OrderStatus, executed: &str) -> OrderReport {
        self.next_venue_id += 1;
        OrderReport {
            client_order_id: order.client_order_id.clone(),
            venue_order_id: VenueOrderId::from(self.next_venue_id),
            symbol: order.symbol.clone(),
            side: order.side,
            order_type: order.order_type.clone(),
            time_in_force: TimeInForce::Gtc,
            status,
            execution: None,
            price: order.price.unwrap_or_default(),
            quantity: order.quantity,
            executed: qty(executed),
            executed_quote: Amount::ZERO,
            fills: Vec::new(),
            reject_reason: None,
            at: WallMs(1),
        }
    }

    /// The venue executes: balances follow, and its history holds the fill.
    pub fn execute(&mut self, report: &OrderReport, trade: u64, quantity: &str) -> Fill {
        let fill = Fill {
            trade_id: TradeId::from(trade),
            symbol: report.symbol.clone(),
            venue_order_id: report.venue_order_id.clone(),
            client_order_id: None,
            side: report.side,
            quantity: qty(quantity),
            price: price("100"),
            fee: Amount::ZERO,
            fee_asset: Some(asset("USDT")),
            liquidity: Liquidity::Maker,
            at: WallMs(1),
        };
        let value = fill.price.notional(fill.quantity).unwrap();
        let base = Amount::new(fill.quantity.get()).unwrap();
        let (btc, usdt) = (self.balances[&asset("BTC")], self.balances[&asset("USDT")]);
        let (btc, usdt) = match fill.side {
            Side::Buy => (btc.checked_add(base), usdt.checked_sub(value)),
            Side::Sell => (btc.checked_sub(base), usdt.checked_add(value)),
        };
        self.balances.insert(asset("BTC"), btc.unwrap());
        self.balances.insert(asset("USDT"), usdt.unwrap());
        self.fills.push(fill.clone());
        fill
    }

    pub fn state(&self, name: &str) -> OrderState {
        self.order(name).state
    }

    pub fn order(&self, name: &str) -> &Order {
        self.oms.order(&id(name)).unwrap()
    }

    pub fn held(&self) -> Amount {
        self.oms.ledger().quantity(&venue(), &symbol())
    }

    pub fn lost_answer(&mut self, order: &NewOrder) -> Vec<Effect> {
        self.step(Event::Placed {
            venue: venue(),
            order: order.client_order_id.clone(),
            outcome: Outcome::Unknown(UnknownWhy::Timeout { after_ms: 1 }),
        })
    }

    pub fn looked(&mut self, order: &ClientOrderId, lookup: Lookup) -> Vec<Effect> {
        self.step(Event::Looked { venue: venue(), order: order.clone(), answer: Ok(lookup) })
    }

    /// The venue answers every question for a while with "no such order".
    pub fn absent_for(&mut self, order: &ClientOrderId, ms: u64) -> Vec<Effect> {
        let mut all = Vec::new();
        for _ in 0..ms.div_ceil(50) {
            let effects = self.wait(50);
            let asked = queries(&effects).contains(order);
            all.extend(effects);
            if asked {
                all.extend(self.looked(order, Lookup::Absent));
            }
        }
        all
    }
}

fn check_order(effects: &[Effect]) {
    let first_other = effects.iter().position(|effect| !matches!(effect, Effect::Persist(_)));
    let last_persist = effects.iter().rposition(|effect| matches!(effect, Effect::Persist(_)));
    if let (Some(other), Some(persist)) = (first_other, last_persist) {
        assert!(persist < other, "rows come first: {effects:#?}");
    }
}

/// Reads rows back.
pub fn replay(oms: &mut Oms, disk: &[Batch]) {
    for row in disk.iter().flat_map(|batch| &batch.rows) {
        let fact = Fact::from_row(row.kind, &row.payload).unwrap().unwrap();
        oms.apply(&fact, row.at).unwrap_or_else(|error| panic!("{fact:?}: {error}"));
    }
}

/// The last ticket of a list of batches.
pub fn last(batches: &VecDeque<Batch>) -> Ticket {
    batches.back().unwrap().ticket
}
