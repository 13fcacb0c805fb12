//! Strategies, programs and operators: what they ask for, what they were told, and what they do when the
//! order management leaves a decision to them.

use crate::exchange::asset;
use crate::wire::Link;
use crate::world::{Item, World};
use plimsoll::domain::ids::{Asset, ClientOrderId};
use plimsoll::domain::money::{Price, Quantity};
use plimsoll::domain::oms::{
    Actor, Answer, DrainHow, Event, OpenOrdersAtColdStart, Phase, ReplyTo, Resolution, StartHow, Steering,
};
use plimsoll::domain::order::{
    CancelScope, OrderKind, OrderNumber, OrderRequest, OrderState, ReplaceRequest,
};
use plimsoll::domain::order_types::{NewOrder, OrderType, Side, TimeInForce};
use plimsoll::domain::run_state::Verb;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub struct People {
    replies: u64,
    waiting: BTreeMap<ReplyTo, Option<ClientOrderId>>,
    /// Acknowledged orders: the caller was told that the intent is on disk.
    pub accepted: BTreeMap<ClientOrderId, OrderNumber>,
    asked: Vec<ClientOrderId>,
    pub draining: bool,
    pub drained: bool,
    pub refused_start: Option<String>,
    /// Deposits and withdrawals that the venue made.
    pub moves: BTreeMap<Asset, Decimal>,
    pub cold: bool,
    /// The kill switch is engaged: it lies in files of its own and survives every crash.
    pub latched: bool,
    patience: u32,
    rounds: u32,
}

pub fn operator(reason: &str) -> Actor {
    Actor { name: "operator".to_owned(), reason: reason.to_owned() }
}

impl People {
    fn wait(&mut self, order: Option<&ClientOrderId>) -> Option<ReplyTo> {
        self.replies += 1;
        self.waiting.insert(ReplyTo(self.replies), order.cloned());
        Some(ReplyTo(self.replies))
    }

    /// Each question has one answer, and the same id is the same order for ever.
    pub fn answered(&mut self, to: ReplyTo, answer: &Answer) -> Result<(), String> {
        let Some(asked) = self.waiting.remove(&to) else { return Err(format!("{to:?} was answered twice")) };
        let (Some(asked), Answer::Accepted(order)) = (asked, answer) else { return Ok(()) };
        if order.client_order_id != asked {
            return Err(format!("asked for {asked}, told of {}", order.client_order_id));
        }
        let first = *self.accepted.entry(asked).or_insert(order.number);
        if first == order.number {
            Ok(())
        } else {
            Err(format!("I2: {} is two orders", order.client_order_id))
        }
    }

    /// The process is gone; nobody will answer.
    pub fn forget_waiting(&mut self) {
        self.waiting.clear();
        (self.draining, self.drained) = (false, false);
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

type Operation = fn(&mut World);

/// One operation, drawn by the options' weights.
pub fn operate(world: &mut World) {
    if world.healed {
        return;
    }
    world.operations_done += 1;
    let pause = world.rng.u64(0..=2 * world.options.pause_ms);
    world.at(pause, Item::Operation);
    if world.people.draining {
        if world.people.drained {
            world.restart(StartHow::Warm);
        }
        return;
    }
    let o = &world.options;
    let stopped = matches!(world.oms.phase(), Phase::Halted | Phase::Paused | Phase::ReduceOnly);
    let stopped = if stopped { 20 } else { 0 };
    let weights: [(u32, Operation); 17] = [
        (40, submit),
        (4, submit_again),
        (14, cancel),
        (6, replace),
        (1, cancel_all),
        (o.disconnect, World::disconnect),
        (o.connector_dies, World::connector_dies),
        (o.disk, disk_full),
        (o.halt, halt),
        (o.halt, hold_back),
        (o.halt, kill),
        (stopped, go_on),
        (o.foreign, foreign),
        (o.deposit, deposit),
        (o.bust, bust),
        (o.clock, World::jump_clock),
        (o.drain, drain),
    ];
    let mut drawn = world.rng.u32(0..weights.iter().map(|(weight, _)| weight).sum());
    for (weight, operation) in weights {
        if drawn < weight {
            return operation(world);
        }
        drawn -= weight;
    }
}

fn submit(world: &mut World) {
    let id = ClientOrderId::new(&format!("c-{}", world.people.asked.len())).unwrap();
    world.people.asked.push(id.clone());
    send(world, id);
}

/// A caller that heard no answer asks again with the same id, and not always for quite the same.
fn submit_again(world: &mut World) {
    if let Some(id) = any(world) {
        send(world, id);
    }
}

fn any(world: &mut World) -> Option<ClientOrderId> {
    let count = world.people.asked.len();
    if count == 0 { None } else { Some(world.people.asked[world.rng.usize(..count)].clone()) }
}

fn price(world: &mut World) -> Price {
    Price::new(Decimal::new(10_000 + world.rng.i64(-300..=300), 2)).unwrap()
}

fn quantity(world: &mut World) -> Quantity {
    Quantity::new(Decimal::new(world.rng.i64(1..=5_000), 3)).unwrap()
}

fn side(world: &mut World) -> Side {
    if world.rng.bool() { Side::Buy } else { Side::Sell }
}

fn send(world: &mut World, id: ClientOrderId) {
    let kind =
        [OrderKind::Limit, OrderKind::Limit, OrderKind::Limit, OrderKind::Market, OrderKind::LimitMaker]
            [world.rng.usize(..5)];
    let ioc = kind == OrderKind::Limit && world.rng.u32(..5) == 0;
    let request = OrderRequest {
        client_order_id: Some(id.clone()),
        venue: world.venue.clone(),
        symbol: world.symbols[world.rng.usize(..world.symbols.len())].clone(),
        side: side(world),
        kind,
        quantity: quantity(world),
        price: (kind != OrderKind::Market).then(|| price(world)),
        time_in_force: ioc.then_some(TimeInForce::Ioc),
        stop_loss: None,
        reduce_only: false,
        strategy: world.strategy.clone(),
        correlation: None,
    };
    let reply = if world.rng.u32(..3) == 0 { None } else { world.people.wait(Some(&id)) };
    world.step(Event::Submit { request, reply });
}

fn cancel(world: &mut World) {
    let Some(order) = any(world) else { return };
    let reply = world.people.wait(None);
    world.step(Event::Cancel { order, by: operator("cancel"), reply });
}

fn replace(world: &mut World) {
    let Some(original) = any(world) else { return };
    let id = ClientOrderId::new(&format!("c-{}", world.people.asked.len())).unwrap();
    world.people.asked.push(id.clone());
    let request = ReplaceRequest {
        original,
        client_order_id: Some(id),
        price: price(world),
        quantity: quantity(world),
    };
    let reply = world.people.wait(None);
    world.step(Event::Replace { request, by: operator("replace"), reply });
}

fn cancel_all(world: &mut World) {
    let reply = world.people.wait(None);
    world.step(Event::CancelAll { scope: CancelScope::default(), by: operator("cancel all"), reply });
}

fn disk_full(world: &mut World) {
    world.store.writable = false;
    let pause = world.rng.u64(50..3_000);
    world.at(pause, Item::Writable);
}

fn halt(world: &mut World) {
    world.step(Event::Halt { by: operator("halt") });
}

fn hold_back(world: &mut World) {
    let verb = if world.rng.bool() { Verb::Pause } else { Verb::ReduceOnly };
    steer(world, verb);
}

/// The latch lies outside and survives everything.
fn kill(world: &mut World) {
    world.people.latched = true;
    world.step(Event::Killed { by: operator("kill") });
}

/// From a halt to paused, from paused to running.
fn go_on(world: &mut World) {
    if world.oms.phase() != Phase::Halted {
        return steer(world, Verb::Resume);
    }
    steer(world, Verb::Reset);
    if world.people.latched && world.oms.halted().is_none() {
        world.people.latched = false;
        let reply = world.people.wait(None);
        world.step(Event::LatchCleared { reply });
    }
}

fn steer(world: &mut World, verb: Verb) {
    let reply = world.people.wait(None);
    let seen = verb.is_unsafe().then(|| world.oms.state_view().version);
    let steering = Steering { verb, seen, by: operator(verb.word()) };
    world.step(Event::Steer { steering, reply });
}

fn drain(world: &mut World) {
    world.people.draining = true;
    let how = if world.rng.bool() { DrainHow::Cancel } else { DrainHow::Keep };
    world.step(Event::Drain { how, by: operator("restart") });
}

/// Somebody trades by hand on the same account.
fn foreign(world: &mut World) {
    let market = world.rng.u32(..3) == 0;
    let asked = NewOrder {
        client_order_id: ClientOrderId::from_venue(&format!("web.{}", world.exchange.orders.len())).unwrap(),
        symbol: world.symbols[0].clone(),
        side: side(world),
        order_type: if market { OrderType::Market } else { OrderType::Limit },
        quantity: quantity(world),
        price: (!market).then(|| price(world)),
        stop_price: None,
        time_in_force: (!market).then_some(TimeInForce::Gtc),
    };
    let take = if market { Decimal::ONE } else { Decimal::ZERO };
    let placed = world.exchange.place(world.now, asked, 0, take);
    assert!(placed.is_ok(), "the id is new");
    world.publish();
}

/// Money comes or goes. Told over the stream, which is up; only a crash can lose it.
fn deposit(world: &mut World) {
    if world.wire.link != Link::Up {
        return;
    }
    let delta = Decimal::from(world.rng.i64(-500..=500));
    let asset = asset("USDT");
    *world.exchange.balances.entry(asset.clone()).or_default() += delta;
    *world.people.moves.entry(asset.clone()).or_default() += delta;
    let event =
        Event::BalanceMoved { venue: world.venue.clone(), asset, delta: crate::exchange::amount(delta) };
    world.step(event);
}

/// The venue takes a trade back that was told before.
fn bust(world: &mut World) {
    let known = |key: &plimsoll::domain::ids::TradeId| {
        world.store.fills.values().any(|fill| fill.fill.trade_id == *key && !fill.busted)
    };
    let found = world.exchange.trades.iter().position(|trade| !trade.busted && known(&trade.fill.trade_id));
    let Some(index) = found else { return };
    let fill = world.exchange.bust(index);
    let event = Event::Busted { venue: world.venue.clone(), fill };
    let life = world.life;
    world.step(event.clone());
    if world.rng.bool() && life == world.life {
        world.step(event);
    }
}

/// What an operator does while everything works again: lifts halts, resolves what was left to them, and
/// closes the books where the venue's own doing was never told.
pub fn attend(world: &mut World) {
    if world.people.drained {
        return world.restart(StartHow::Warm);
    }
    if world.people.draining {
        return;
    }
    if world.oms.phase() == Phase::Halted {
        // Some operators begin anew rather than reset.
        if world.rng.u32(..40) == 0 {
            return close_the_books(world);
        }
        world.people.patience += 1;
        if world.people.patience.is_multiple_of(10) {
            match crate::checks::excuse(&world.view()) {
                Some(_) => return close_the_books(world),
                None if world.people.patience >= 40 => {
                    let why = format!("halted without a cause: {}", world.oms.phase_reason());
                    return world.fail(why);
                }
                None => {}
            }
        }
        return go_on(world);
    }
    if matches!(world.oms.phase(), Phase::Paused | Phase::ReduceOnly) {
        return go_on(world);
    }
    world.people.rounds += 1;
    if world.people.rounds.is_multiple_of(10) {
        resolve(world);
    }
}

fn close_the_books(world: &mut World) {
    world.people.cold = true;
    world.people.moves.clear();
    world.marks.hit("cold_start");
    world.restart(StartHow::Cold(OpenOrdersAtColdStart::Adopt));
}

fn resolve(world: &mut World) {
    let unknown: Vec<_> = world
        .oms
        .orders()
        .filter(|order| order.state == OrderState::Unknown)
        .map(|order| (order.client_order_id.clone(), order.venue_client_order_id.clone()))
        .collect();
    for (order, at_venue) in unknown {
        let there = world.exchange.find(&at_venue).is_some();
        let resolution = if there { Resolution::QueryAgain } else { Resolution::Absent };
        let reply = world.people.wait(None);
        world.step(Event::Resolve { order, resolution, by: operator("looked it up"), reply });
    }
}
