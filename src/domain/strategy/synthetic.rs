//! A small seeded market for strategy tests: a random walk, a venue that answers late, and a true position.
//!
//! Requests reach it after a delay, its words reach the strategy after another; an order's state and the
//! ledger's position are told at different instants, as in the runtime. Some requests come to nothing. It
//! matches only the strategy's own orders, against a top of book with endless depth.

use super::{Brief, Input, Intent, Strategy};
use crate::domain::ids::{Asset, ClientOrderId, StrategyId, Symbol, VenueId};
use crate::domain::instrument::{Instrument, Step};
use crate::domain::market::{Level, Top};
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::order::{Order, OrderKind, OrderNumber, OrderRequest, OrderState, Origin};
use crate::domain::order_types::{Side, TimeInForce};
use crate::domain::time::{Mono, WallMs};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

pub(super) fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

pub(super) fn btc() -> Instrument {
    let step =
        |min: &str, max: &str, step: &str| Step { min: decimal(min), max: decimal(max), step: decimal(step) };
    Instrument {
        symbol: Symbol::new("BTCUSDT").unwrap(),
        base: Asset::new("BTC").unwrap(),
        quote: Asset::new("USDT").unwrap(),
        trading: true,
        price: step("0.01", "1000000.00", "0.01"),
        lot: step("0.00001", "9000", "0.00001"),
        market_lot: None,
        min_notional: Some((Amount::parse("5").unwrap(), true)),
        max_notional: None,
        max_open_orders: Some(200),
        unknown_filters: Vec::new(),
    }
}

pub(super) fn brief() -> Brief {
    Brief {
        strategy: StrategyId::new("tested").unwrap(),
        venue: VenueId::new("paper").unwrap(),
        symbol: Symbol::new("BTCUSDT").unwrap(),
        instrument: btc(),
        orders: Vec::new(),
        position: Amount::ZERO,
        prefix: "tested-1".into(),
        enabled: true,
    }
}

pub(super) fn top(bid: &str, ask: &str) -> Top {
    let level =
        |price: &str| Level { price: Price::parse(price).unwrap(), quantity: Quantity::parse("1").unwrap() };
    Top { update_id: 1, bid: level(bid), ask: level(ask) }
}

/// The order that a request becomes.
pub(super) fn order_of(request: &OrderRequest, number: u64, state: OrderState) -> Order {
    let id = ClientOrderId::new(&format!("plt-{number:08}")).unwrap();
    Order {
        number: OrderNumber(number),
        client_order_id: id.clone(),
        venue_client_order_id: id,
        venue_order_id: None,
        venue: request.venue.clone(),
        symbol: request.symbol.clone(),
        side: request.side,
        kind: request.kind,
        quantity: request.quantity,
        price: request.price,
        time_in_force: request.time_in_force.clone(),
        stop_loss: None,
        reduce_only: false,
        strategy: request.strategy.clone(),
        correlation: request.correlation.clone().unwrap(),
        origin: Origin::Intent,
        state,
        executed: Quantity::ZERO,
        booked: Quantity::ZERO,
        booked_quote: Amount::ZERO,
        reason: None,
        attempts: 1,
        cancel_requested: false,
        replaces: None,
        decision_price: None,
        fills_after: None,
        created_at: WallMs(0),
        updated_at: WallMs(0),
    }
}

pub(super) fn submits(intents: &[Intent]) -> Vec<&OrderRequest> {
    let submit = |intent: &'_ Intent| matches!(intent, Intent::Submit(_));
    intents
        .iter()
        .filter(|i| submit(i))
        .map(|i| if let Intent::Submit(r) = i { &**r } else { panic!() })
        .collect()
}

pub(super) fn cancels(intents: &[Intent]) -> Vec<&ClientOrderId> {
    intents.iter().filter_map(|i| if let Intent::Cancel(id) = i { Some(id) } else { None }).collect()
}

/// Numbers from a seed (splitmix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % most
    }
}

enum Arrives {
    AtVenue(Intent),
    AtStrategy(Input),
}

/// See the module's head.
pub(super) struct Market {
    dice: Dice,
    now: u64,
    mid: Decimal,
    strategy: Box<dyn Strategy>,
    /// By due time and serial.
    post: BTreeMap<(u64, u64), Arrives>,
    serial: u64,
    /// Words to the strategy keep their order, as they come from one sender.
    heard_until: u64,
    timers: BTreeMap<u64, u64>,
    pub(super) orders: Vec<Order>,
    pub(super) position: Decimal,
    pub(super) cash: Decimal,
    pub(super) filled: u64,
    pub(super) refused: u64,
    told: Option<Top>,
}

impl Market {
    pub(super) fn new(seed: u64, strategy: Box<dyn Strategy>) -> Self {
        Self {
            dice: Dice(seed),
            now: 1_000,
            mid: decimal("60000"),
            strategy,
            post: BTreeMap::new(),
            serial: 0,
            heard_until: 0,
            timers: BTreeMap::new(),
            orders: Vec::new(),
            position: Decimal::ZERO,
            cash: Decimal::ZERO,
            filled: 0,
            refused: 0,
            told: None,
        }
    }

    /// The top of the book that the strategy was told last.
    pub(super) fn told(&self) -> Option<Top> {
        self.told
    }

    pub(super) fn open(&self, side: Side) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(move |o| o.side == side && !o.state.is_final())
    }

    /// Net worth at the middle.
    pub(super) fn worth(&self) -> Decimal {
        self.cash + self.position * self.mid
    }

    /// Lets `steps` milliseconds pass in jumps; `check` sees the market after each word to the
    /// strategy, with what that made it want.
    pub(super) fn run(&mut self, steps: u64, mut check: impl FnMut(&Self, &[Intent])) {
        let end = self.now + steps;
        while self.now < end {
            self.now += 1 + self.dice.below(20);
            while let Some(entry) = self.post.first_entry().filter(|entry| entry.key().0 <= self.now) {
                match entry.remove() {
                    Arrives::AtVenue(intent) => self.at_venue(intent),
                    Arrives::AtStrategy(input) => {
                        let wanted = self.tell(&input);
                        check(self, &wanted);
                    }
                }
            }
            let due: Vec<u64> =
                self.timers.iter().filter(|(_, at)| **at <= self.now).map(|(id, _)| *id).collect();
            for id in due {
                self.timers.remove(&id);
                let wanted = self.tell(&Input::Timer(id));
                check(self, &wanted);
            }
            if self.dice.below(3) == 0 {
                let wanted = self.step_price();
                check(self, &wanted);
            }
        }
    }

    pub(super) fn tell(&mut self, input: &Input) -> Vec<Intent> {
        if let Input::Top(top) = input {
            self.told = *top;
        }
        let wanted = self.strategy.on(Mono(self.now), input);
        for intent in &wanted {
            match intent {
                Intent::Timer { id, at } => {
                    self.timers.insert(*id, at.0);
                }
                other => {
                    let delay = self.dice.below(40);
                    self.later(delay, Arrives::AtVenue(other.clone()));
                }
            }
        }
        wanted
    }

    fn later(&mut self, delay: u64, what: Arrives) {
        let mut due = self.now + delay;
        if let Arrives::AtStrategy(_) = what {
            due = due.max(self.heard_until);
            self.heard_until = due;
        }
        self.serial += 1;
        self.post.insert((due, self.serial), what);
    }

    fn say(&mut self, input: Input) {
        let delay = self.dice.below(60);
        self.later(delay, Arrives::AtStrategy(input));
    }

    fn book(&self) -> Top {
        let half = decimal("3");
        let price = |value: Decimal| Level {
            price: Price::new(value.round_dp(2)).unwrap(),
            quantity: Quantity::parse("1").unwrap(),
        };
        Top { update_id: self.now, bid: price(self.mid - half), ask: price(self.mid + half) }
    }

    fn step_price(&mut self) -> Vec<Intent> {
        let pull = (decimal("60000") - self.mid) / decimal("200");
        self.mid += pull + Decimal::from(self.dice.below(2_001)) / decimal("100") - decimal("10");
        let book = self.book();
        let hit: Vec<usize> = (0..self.orders.len())
            .filter(|n| {
                let order = &self.orders[*n];
                let price = order.price.unwrap();
                let through = match order.side {
                    Side::Buy => price >= book.ask.price,
                    Side::Sell => price <= book.bid.price,
                };
                through && !order.state.is_final()
            })
            .collect();
        for n in hit {
            let rest = self.orders[n].quantity.checked_sub(self.orders[n].booked).unwrap();
            let part = Quantity::new((rest.get() / Decimal::TWO).round_dp(5)).unwrap();
            let some = if self.dice.below(3) == 0 && !part.is_zero() { part } else { rest };
            self.fill(n, some, self.orders[n].price.unwrap());
        }
        if self.dice.below(400) == 0 {
            self.tell(&Input::Top(None))
        } else {
            self.tell(&Input::Top(Some(book)))
        }
    }

    fn fill(&mut self, n: usize, quantity: Quantity, price: Price) {
        let order = &mut self.orders[n];
        order.booked = order.booked.checked_add(quantity).unwrap();
        order.executed = order.booked;
        order.state =
            if order.booked == order.quantity { OrderState::Filled } else { OrderState::PartiallyFilled };
        let sign = if order.side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
        self.position += sign * quantity.get();
        self.cash -= sign * quantity.get() * price.get();
        self.filled += 1;
        let told = order.clone();
        let position = Amount::new(self.position).unwrap();
        // The two words cross the strategy's market data in either order.
        if self.dice.below(2) == 0 {
            self.say(Input::Order(Box::new(told)));
            self.say(Input::Position(position));
        } else {
            self.say(Input::Position(position));
            self.say(Input::Order(Box::new(told)));
        }
    }

    fn at_venue(&mut self, intent: Intent) {
        match intent {
            Intent::Submit(request) if self.dice.below(50) == 0 => {
                self.refused += 1;
                self.say(Input::Refused(request.correlation.clone().unwrap()));
            }
            Intent::Submit(request) => self.accept(&request),
            Intent::Cancel(id) => {
                let live = |order: &&mut Order| order.client_order_id == id && !order.state.is_final();
                let lost = self.dice.below(20) == 0;
                if let Some(order) = self.orders.iter_mut().find(live).filter(|_| !lost) {
                    order.state = OrderState::Cancelled;
                    let told = order.clone();
                    self.say(Input::Order(Box::new(told)));
                }
            }
            Intent::Replace(_) | Intent::Timer { .. } => {}
        }
    }

    fn accept(&mut self, request: &OrderRequest) {
        let book = self.book();
        let number = u64::try_from(self.orders.len()).unwrap() + 1;
        let price = request.price.unwrap();
        let (takes, at) = match request.side {
            Side::Buy => (price >= book.ask.price, book.ask.price),
            Side::Sell => (price <= book.bid.price, book.bid.price),
        };
        let state = match (request.kind, takes) {
            (OrderKind::LimitMaker, true) => OrderState::Rejected,
            (_, false) if request.time_in_force == Some(TimeInForce::Ioc) => OrderState::Expired,
            _ => OrderState::Working,
        };
        self.orders.push(order_of(request, number, state));
        let told = self.orders.last().unwrap().clone();
        self.say(Input::Order(Box::new(told)));
        if takes && state == OrderState::Working {
            self.fill(self.orders.len() - 1, request.quantity, at);
        }
    }
}
