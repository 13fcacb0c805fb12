//! What the risk chain costs per order: 20 strategies, 5 instruments, 500 working orders, all limits set.
//!
//! `decide` gathers the figures, walks all checks and makes the record; target: at most 5 microseconds.
//! `order` takes one change of an order into the sums, `mark` one price, `explain` says everything.

#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up should stop")]
#![allow(missing_docs, reason = "criterion's macro generates an undocumented function")]

use criterion::{Criterion, criterion_group, criterion_main};
use plimsoll::actors::kill_switch::KillSwitch;
use plimsoll::clock;
use plimsoll::domain::ids::{Asset, ClientOrderId, Correlation, StrategyId, Symbol, VenueId};
use plimsoll::domain::instrument::{Instrument, Step};
use plimsoll::domain::kill_switch::Cause;
use plimsoll::domain::ledger::Position;
use plimsoll::domain::money::{Amount, Price, Quantity};
use plimsoll::domain::oms::{Mark, Now};
use plimsoll::domain::order::{Order, OrderKind, OrderNumber, OrderState, Origin};
use plimsoll::domain::order_types::Side;
use plimsoll::domain::risk::{Limit, Proposal, Risk, RiskSettings, Standing};
use plimsoll::domain::time::{Mono, WallMs};
use plimsoll::domain::tripwire::Tripwire;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

const STRATEGIES: u64 = 20;
const SYMBOLS: u64 = 5;
const ORDERS: u64 = 500;

fn strategy(n: u64) -> StrategyId {
    StrategyId::new(&format!("strategy-{n}")).unwrap()
}

fn symbol(n: u64) -> Symbol {
    Symbol::new(&format!("COIN{n}USDT")).unwrap()
}

fn instrument(n: u64) -> Instrument {
    Instrument {
        symbol: symbol(n),
        base: Asset::new(&format!("COIN{n}")).unwrap(),
        quote: Asset::new("USDT").unwrap(),
        trading: true,
        price: Step::default(),
        lot: Step::default(),
        market_lot: None,
        min_notional: None,
        max_notional: None,
        max_open_orders: None,
        unknown_filters: Vec::new(),
    }
}

fn order(number: u64) -> Order {
    let id = ClientOrderId::new(&format!("pl-{number}")).unwrap();
    let side = if number.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    let price = if side == Side::Buy { "61837.12" } else { "61937.88" };
    Order {
        number: OrderNumber(number),
        client_order_id: id.clone(),
        venue_client_order_id: id,
        venue_order_id: None,
        venue: VenueId::new("paper").unwrap(),
        symbol: symbol(number % SYMBOLS),
        side,
        kind: OrderKind::Limit,
        quantity: Quantity::parse("0.00125").unwrap(),
        price: Price::parse(price).ok(),
        time_in_force: None,
        stop_loss: None,
        reduce_only: false,
        strategy: strategy(number % STRATEGIES),
        correlation: Correlation::new("c").unwrap(),
        origin: Origin::Intent,
        state: OrderState::Working,
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

fn position(who: u64, at: u64) -> Position {
    Position {
        venue: VenueId::new("paper").unwrap(),
        symbol: symbol(at),
        strategy: strategy(who),
        quantity: Amount::parse(if who.is_multiple_of(2) { "0.0375" } else { "-0.0125" }).unwrap(),
        average_price: Price::parse("61800.123456789").ok(),
        realised_pnl: Amount::parse("-12.34567891").unwrap(),
        fees: BTreeMap::from([(Asset::new("USDT").unwrap(), Amount::parse("1.2345").unwrap())]),
        turnover: Amount::ZERO,
        updated_at: WallMs(0),
    }
}

fn mark() -> Option<Mark> {
    Some(Mark { bid: Price::parse("61887.01").unwrap(), ask: Price::parse("61887.02").unwrap() })
}

fn desk() -> Risk {
    let mut settings = RiskSettings::for_rehearsal(Asset::new("USDT").unwrap());
    settings.account.self_match = Limit::At(());
    settings.account.order.duplicate_window_ms = Limit::At(1);
    // The bench decides more often than anybody may; counting is what costs, not the comparison.
    for rates in [&mut settings.account.rates, &mut settings.strategies.first_mut().unwrap().rates] {
        rates.orders_per_second = Limit::At(u32::MAX);
        rates.orders_per_minute = Limit::At(u32::MAX);
        rates.messages_per_second = Limit::At(u32::MAX);
        rates.messages_per_minute = Limit::At(u32::MAX);
    }
    let mut risk = Risk::new(settings);
    let venue = VenueId::new("paper").unwrap();
    for at in 0..SYMBOLS {
        risk.instrument(&venue, &instrument(at));
        risk.mark(Mono(0), &venue, &symbol(at), mark());
    }
    for who in 0..STRATEGIES {
        for at in 0..SYMBOLS {
            risk.position(&position(who, at));
        }
    }
    for number in 1..=ORDERS {
        risk.order(&order(number));
    }
    risk
}

fn benches(c: &mut Criterion) {
    let venue = VenueId::new("paper").unwrap();
    let standing = Standing::fine();
    let mut asked = Proposal::of_order(&order(4));
    asked.number = None;
    let mut group = c.benchmark_group("risk");

    let mut risk = desk();
    let mut ms = 1_000;
    group.bench_function("decide", |b| {
        b.iter(|| {
            // Two milliseconds from order to order: outside the window for duplicates, prices fresh.
            ms += 2;
            if ms % 1_000 == 0 {
                for at in 0..SYMBOLS {
                    risk.mark(Mono(ms), &venue, &symbol(at), mark());
                }
            }
            let now = Now { mono: Mono(ms), wall: WallMs(0) };
            let decision = risk.decide(now, black_box(&asked), &standing);
            assert!(decision.refusal().is_none(), "{decision:?}");
            decision
        });
    });

    let mut risk = desk();
    let working = order(4);
    let mut part = order(4);
    part.executed = Quantity::parse("0.001").unwrap();
    part.booked = part.executed;
    let mut over = order(4);
    over.state = OrderState::Cancelled;
    group.bench_function("order", |b| {
        b.iter(|| {
            risk.order(black_box(&part));
            risk.order(black_box(&over));
            risk.order(black_box(&working));
        });
    });

    let name = symbol(1);
    group.bench_function("mark", |b| b.iter(|| risk.mark(Mono(1), &venue, black_box(&name), mark())));

    let now = Now { mono: Mono(1), wall: WallMs(0) };
    group.bench_function("explain", |b| b.iter(|| risk.explain(now, black_box(&asked), &standing)));
    group.finish();
}

/// The last hop: asking, and pulling it. Between a caller's word and the wire being tripped lies one `trip`.
fn last_hop(c: &mut Criterion) {
    let mut group = c.benchmark_group("last_hop");
    let (wire, _rearm) = Tripwire::new();
    group.bench_function("enter", |b| b.iter(|| wire.enter().is_some()));
    group.bench_function("trip", |b| b.iter(|| wire.trip()));
    group.finish();
}

/// From the call of the kill switch to the last placement that begins, with a thread that does nothing but begin them.
fn reach(c: &mut Criterion) {
    let mut group = c.benchmark_group("kill");
    group.sample_size(20).measurement_time(Duration::from_secs(5));
    group.bench_function("call_to_last_placement", |b| {
        b.iter_custom(|times| (0..times).map(|_| one_kill()).sum());
    });
    group.finish();
}

/// How long after the call a placement still began; nothing when the last one began before it.
fn one_kill() -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let kill = KillSwitch::open(folder.path()).unwrap();
    let wire = kill.tripwire();
    let (busy, begun) = std::sync::mpsc::channel();
    let placing = std::thread::spawn(move || {
        let mut last = clock::monotonic();
        let mut told = false;
        while let Some(sending) = wire.enter() {
            last = clock::monotonic();
            drop(sending);
            if !told {
                told = busy.send(()).is_ok();
            }
        }
        last
    });
    begun.recv().unwrap();
    let called = clock::monotonic();
    black_box(kill.engage_now(Cause::Operator, "bench", "measured"));
    placing.join().unwrap().saturating_duration_since(called)
}

criterion_group!(all, benches, last_hop, reach);
criterion_main!(all);
