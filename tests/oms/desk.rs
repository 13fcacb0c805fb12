//! A desk for scripted cases: the core, a disk that syncs at once, and a venue that keeps the truth. What the
//! venue does to each request is the script's to say; reads are answered truthfully unless told otherwise.

use crate::exchange::{Exchange, asset, base};
use plimsoll::domain::account_sync::AccountSnapshot;
use plimsoll::domain::ids::{ClientOrderId, StrategyId, Symbol, VenueId};
use plimsoll::domain::instrument::{Instrument, Step};
use plimsoll::domain::journal::{Row, Seq, Ticket};
use plimsoll::domain::ledger::{Exposure, Working, exposure};
use plimsoll::domain::money::{Price, Quantity};
use plimsoll::domain::oms::{
    Actor, Controls, Effect, Event, Fact, Knobs, Limits, Mark, Now, Oms, Phase, Settings, StartHow,
    StrategySettings, VenueSettings,
};
use plimsoll::domain::order::{Order, OrderKind, OrderRequest, OrderState, Patience};
use plimsoll::domain::order_types::{NewOrder, OrderReport, Side};
use plimsoll::domain::outcome::{Lookup, Outcome, ReadError, UnknownWhy};
use plimsoll::domain::risk::RiskSettings;
use plimsoll::domain::time::{Mono, WallMs};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What the way to the venue does to placements and cancels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// There and back.
    Open,
    /// Done at the venue; the answer is lost.
    LoseAnswer,
    /// Never arrives.
    LoseRequest,
    /// Done at the venue; the answer is awaited until [`Desk::give_up`].
    Hang,
}

pub struct Desk {
    pub oms: Oms,
    pub exchange: Exchange,
    pub rows: Vec<Row>,
    pub now: u64,
    pub way: Way,
    /// Are reads answered?
    pub reads: bool,
    /// Does the stream deliver? What it does not deliver is lost.
    pub stream: bool,
    /// Everything that was asked of the shell.
    pub done: Vec<Effect>,
    hanging: Vec<ClientOrderId>,
    /// Does the disk sync at once? If not, [`Desk::sync`] does.
    pub disk: bool,
    unsynced: Option<Ticket>,
    patience: Patience,
    born: u64,
}

pub fn venue() -> VenueId {
    VenueId::new("paper").unwrap()
}

pub fn symbol() -> Symbol {
    Symbol::new("AAUSDT").unwrap()
}

pub fn id(text: &str) -> ClientOrderId {
    ClientOrderId::new(text).unwrap()
}

pub fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

pub fn person() -> Actor {
    Actor { name: "operator".to_owned(), reason: "test".to_owned() }
}

/// Wide limits, and marks that never grow old: what risk decides has tests of its own.
fn limits() -> RiskSettings {
    RiskSettings { mark_max_age_ms: u64::MAX, ..RiskSettings::for_rehearsal(asset("USDT")) }
}

fn settings(patience: Patience) -> Settings {
    let step = |places| Step { step: Decimal::new(1, places), ..Step::default() };
    Settings {
        tag: "pltest00".to_owned(),
        venues: vec![VenueSettings {
            id: venue(),
            instruments: vec![Instrument {
                symbol: symbol(),
                base: base(&symbol()),
                quote: asset("USDT"),
                trading: true,
                price: step(2),
                lot: step(3),
                market_lot: None,
                min_notional: None,
                max_notional: None,
                max_open_orders: None,
                unknown_filters: vec![],
            }],
            absence_proof_after_ms: 5_000,
            external: plimsoll::domain::oms::External::Adopt,
            live: false,
        }],
        strategies: vec![StrategySettings {
            id: StrategyId::new("quoter").unwrap(),
            patience,
            enabled: true,
            max_age_ms: 60_000,
            price_guard: Decimal::new(1, 1),
        }],
        knobs: Knobs::default(),
        limits: Limits::default(),
        controls: Controls::default(),
        risk: limits(),
        tolerance: BTreeMap::new(),
    }
}

impl Desk {
    /// A desk that runs.
    pub fn running(patience: Patience) -> Self {
        let mut exchange = Exchange { fee_asset: Some(asset("USDT")), ..Exchange::default() };
        exchange.balances.insert(asset("USDT"), Decimal::from(1_000_000));
        exchange.balances.insert(asset("AA"), Decimal::from(1_000));
        exchange.middle.insert(symbol(), 10_000);
        let mut desk = Self {
            oms: Oms::new(settings(patience)).unwrap(),
            exchange,
            rows: vec![],
            now: 1_000,
            way: Way::Open,
            reads: true,
            stream: true,
            done: vec![],
            hanging: vec![],
            disk: true,
            unsynced: None,
            patience,
            born: 0,
        };
        desk.start();
        assert_eq!(desk.oms.phase(), Phase::Running, "{}", desk.oms.phase_reason());
        desk
    }

    fn start(&mut self) {
        self.begin();
        self.wait(1_000);
    }

    fn begin(&mut self) {
        self.born = self.now;
        self.tell(Event::Start { how: StartHow::Warm, by: person() });
        self.tell(Event::VenueStarted { venue: venue(), epoch: 1 });
        self.connect();
    }

    /// The process is killed and comes back; the venue went on.
    pub fn kill_and_restart(&mut self) {
        self.kill_and_not_wait();
        self.wait(1_000);
    }

    /// The same, up to the comparison of what is open.
    pub fn kill_and_not_wait(&mut self) {
        self.oms = Oms::new(settings(self.patience)).unwrap();
        for row in &self.rows {
            if let Some(fact) = Fact::from_row(&row.kind, &row.payload).unwrap() {
                self.oms.apply(&fact, row.at).unwrap();
            }
        }
        self.exchange.said.clear();
        self.begin();
    }

    pub fn snapshot(&self) -> AccountSnapshot {
        AccountSnapshot {
            open_orders: self.exchange.shown_orders(self.now),
            fills: self.exchange.shown_fills(&symbol(), None, self.now),
            balances: self.exchange.balances(),
        }
    }

    pub fn connect(&mut self) {
        let snapshot = self.snapshot();
        self.tell(Event::Reconciled { venue: venue(), snapshot, missing: vec![] });
        self.tell(Event::VenueLive { venue: venue(), live: true });
    }

    pub fn disconnect(&mut self) {
        self.tell(Event::VenueLive { venue: venue(), live: false });
    }

    fn clock(&self) -> Now {
        let wall = WallMs(1_700_000_000_000 + i64::try_from(self.now).unwrap());
        Now { mono: Mono(self.now - self.born), wall }
    }

    /// Tells the core something, and does what it asks until it asks no more.
    pub fn tell(&mut self, event: Event) {
        let mut events = vec![event];
        while !events.is_empty() {
            let event = events.remove(0);
            for effect in self.oms.step(self.clock(), event) {
                events.extend(self.perform(&effect));
                self.done.push(effect);
            }
            events.extend(self.heard());
        }
    }

    /// What the stream delivers of what the venue said.
    pub fn heard(&mut self) -> Vec<Event> {
        let said = std::mem::take(&mut self.exchange.said);
        let heard = said.into_iter().map(|report| Event::Report { venue: venue(), report });
        if self.stream { heard.collect() } else { vec![] }
    }

    /// Tells the core what the venue said meanwhile.
    pub fn hear(&mut self) {
        for event in self.heard() {
            self.tell(event);
        }
    }

    /// Time passes.
    pub fn wait(&mut self, ms: u64) {
        let until = self.now + ms;
        while self.now < until {
            self.now += 50;
            self.mark();
            self.tell(Event::Tick);
        }
    }

    fn mark(&mut self) {
        let price = |cents| Price::new(Decimal::new(cents, 2)).unwrap();
        let mark = Mark { bid: price(9_999), ask: price(10_001) };
        self.tell(Event::Marked { venue: venue(), symbol: symbol(), mark: Some(mark) });
    }

    fn perform(&mut self, effect: &Effect) -> Option<Event> {
        let venue = venue();
        let lost = UnknownWhy::Timeout { after_ms: 1_000 };
        match effect {
            Effect::Persist(batch) => {
                for row in &batch.rows {
                    let seq = Seq(u64::try_from(self.rows.len()).unwrap() + 1);
                    let (kind, payload) = (row.kind.to_owned(), row.payload.clone());
                    self.rows.push(Row {
                        seq,
                        kind,
                        correlation: row.correlation.clone(),
                        at: row.at,
                        payload,
                    });
                }
                if !self.disk {
                    self.unsynced = Some(batch.ticket);
                    return None;
                }
                Some(Event::Durable { ticket: batch.ticket })
            }
            Effect::Submit(_, order) => {
                let order = order.get().clone();
                let id = order.client_order_id.clone();
                let outcome = self.pass(lost, |exchange, now| exchange.place(now, order, 0, Decimal::ZERO));
                if self.way == Way::Hang {
                    self.hanging.push(id);
                    return None;
                }
                Some(Event::Placed { venue, order: id, outcome })
            }
            Effect::Cancel(_, cancel) => {
                let order = cancel.client_order_id.clone();
                let outcome = self.pass(lost, |exchange, now| exchange.cancel(now, &cancel.client_order_id));
                Some(Event::CancelAnswered { venue, order, outcome })
            }
            Effect::Query(_, _, order) => {
                let found = self.exchange.find(order).filter(|found| found.shown_at <= self.now);
                let found = found.map(|found| found.report(None, vec![], self.now));
                let answer = found.map_or(Lookup::Absent, |report| Lookup::Found(Box::new(report)));
                Some(Event::Looked { venue, order: order.clone(), answer: self.read(answer) })
            }
            Effect::FetchOpenOrders(_) => {
                let answer = self.read(self.exchange.shown_orders(self.now));
                Some(Event::OpenOrders { venue, answer })
            }
            Effect::FetchFills(_, symbol, after) => {
                let after = after.as_ref().and_then(|id| id.number());
                let answer = self.read(self.exchange.shown_fills(symbol, after, self.now));
                Some(Event::Fills { venue, symbol: symbol.clone(), answer })
            }
            Effect::FetchBalances(_) => {
                let answer = self.read(self.exchange.balances());
                Some(Event::Balances { venue, answer })
            }
            _ => None,
        }
    }

    fn read<T>(&self, answer: T) -> Result<T, ReadError> {
        if self.reads { Ok(answer) } else { Err(ReadError::NoAnswer(UnknownWhy::Disconnected)) }
    }

    fn pass(
        &mut self,
        lost: UnknownWhy,
        act: impl FnOnce(&mut Exchange, u64) -> Result<OrderReport, plimsoll::domain::outcome::Rejection>,
    ) -> Outcome<OrderReport> {
        if self.way == Way::LoseRequest {
            return Outcome::Unknown(lost);
        }
        let answer = act(&mut self.exchange, self.now);
        match (self.way, answer) {
            (Way::LoseAnswer, _) => Outcome::Unknown(lost),
            (_, Ok(report)) => Outcome::Confirmed(report),
            (_, Err(rejection)) => Outcome::Rejected(rejection),
        }
    }

    /// The disk has what was written.
    pub fn sync(&mut self) {
        if let Some(ticket) = self.unsynced.take() {
            self.tell(Event::Durable { ticket });
        }
    }

    /// What hangs has no answer.
    pub fn give_up(&mut self) {
        for order in std::mem::take(&mut self.hanging) {
            let outcome = Outcome::Unknown(UnknownWhy::Disconnected);
            self.tell(Event::Placed { venue: venue(), order, outcome });
        }
    }

    // ---- what scripts ask for

    pub fn submit(&mut self, client: &str, side: Side, amount: &str) {
        let request = OrderRequest {
            client_order_id: Some(id(client)),
            venue: venue(),
            symbol: symbol(),
            side,
            kind: OrderKind::Limit,
            quantity: quantity(amount),
            price: Some(Price::parse("100").unwrap()),
            time_in_force: None,
            stop_loss: None,
            reduce_only: false,
            strategy: StrategyId::new("quoter").unwrap(),
            correlation: None,
        };
        self.tell(Event::Submit { request, reply: None });
    }

    pub fn cancel(&mut self, client: &str) {
        self.tell(Event::Cancel { order: id(client), by: person(), reply: None });
    }

    /// Somebody trades against an order at the venue.
    pub fn trade(&mut self, client: &str, amount: &str) {
        let at_venue = self.order(client).venue_client_order_id.clone();
        let index = self.exchange.orders.iter().rposition(|o| o.asked.client_order_id == at_venue).unwrap();
        let quantity = Decimal::from_str_exact(amount).unwrap();
        self.exchange.execute(index, quantity, Decimal::from(100), self.now, 0);
        self.hear();
    }

    pub fn order(&self, client: &str) -> &Order {
        self.oms.order(&id(client)).unwrap_or_else(|| panic!("{client} is not known"))
    }

    pub fn state(&self, client: &str) -> OrderState {
        self.order(client).state
    }

    pub fn position(&self) -> String {
        self.oms.ledger().quantity(&venue(), &symbol()).normalized().to_string()
    }

    /// The worst that the position can become.
    pub fn exposure(&self) -> Exposure {
        let held = self.oms.ledger().quantity(&venue(), &symbol());
        let working = self.oms.open_orders().map(|order| Working {
            side: order.side,
            remaining: order.remaining(),
            price: order.price,
        });
        exposure(held, None, working).unwrap()
    }

    /// Orders that went out to the venue.
    pub fn sent(&self) -> Vec<NewOrder> {
        let sent = self.done.iter().filter_map(|effect| match effect {
            Effect::Submit(_, order) => Some(order.get().clone()),
            _ => None,
        });
        sent.collect()
    }

    pub fn raised(&self, code: &str) -> bool {
        self.done.iter().any(|effect| matches!(effect, Effect::Raise { code: raised, .. } if *raised == code))
    }

    /// States in which an order was ever published.
    pub fn was(&self, client: &str, state: OrderState) -> bool {
        self.done.iter().any(|effect| match effect {
            Effect::Publish(plimsoll::domain::oms::Change::Order(order)) => {
                order.client_order_id == id(client) && order.state == state
            }
            _ => false,
        })
    }
}
