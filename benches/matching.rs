//! Orders per second through the paper exchange's matching core, in process and on one thread.
//!
//! Each sample is a fresh exchange and the same 20 000 commands: accept, match, settle, report, announce.
//! `crossing` is the target's figure: every second order trades. `resting` only builds a deep book,
//! `cancelling` places and cancels in turn, `against_market` walks a book of 1 000 levels per side.
//! Target: at least 200 000 orders per second in `crossing`.
//!
//! Time is the thread's CPU time (`/proc/thread-self/schedstat`), so that neighbours on the machine do
//! not count; where the system has no such file it is wall time.

#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up should stop")]
#![allow(missing_docs, reason = "criterion's macro generates an undocumented function")]

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use plimsoll::paper_exchange::engine::*;
use std::hint::black_box;
use std::time::Duration;

const ORDERS: u64 = 20_000;
const ACCOUNTS: u32 = 64;

/// Time this thread spent on a processor.
struct CpuTime;

/// Nanoseconds on the processor; the first word of the file.
fn cpu_nanos() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}

impl Measurement for CpuTime {
    type Intermediate = (Option<u64>, <WallTime as Measurement>::Intermediate);
    type Value = Duration;

    fn start(&self) -> Self::Intermediate {
        (cpu_nanos(), WallTime.start())
    }

    fn end(&self, (before, wall): Self::Intermediate) -> Duration {
        let used = cpu_nanos().zip(before).map(|(after, before)| after.saturating_sub(before));
        used.map_or_else(|| WallTime.end(wall), Duration::from_nanos)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn symbol() -> Symbol {
    Symbol::new("BTCUSDT").unwrap()
}

fn exchange() -> Exchange {
    let (base, quote) = (Asset::new("BTC").unwrap(), Asset::new("USDT").unwrap());
    let tick = Price::from_units(UNITS_PER_ONE / 100);
    let spec = SymbolSpec {
        max_num_orders: 0,
        ..SymbolSpec::usual(symbol(), base, quote, tick, Qty::from_units(1_000))
    };
    let mut exchange = Exchange::new(Limits::default());
    exchange.list_symbol(spec).unwrap();
    let (maker, taker) = (Rate::from_units(75_000), Rate::from_units(100_000));
    let plenty = Amount::from_units(1 << 80);
    for account in (0..ACCOUNTS).map(AccountId) {
        exchange.open_account(0, account, maker, taker).unwrap();
        for asset in [base, quote] {
            exchange.adjust(0, account, asset, plenty, &mut Vec::new()).unwrap();
        }
    }
    let cents = |cents: i64| Price::from_units(cents * UNITS_PER_ONE / 100);
    let level = |at: i64| (cents(at), Qty::from_units(UNITS_PER_ONE / 2));
    let market = MarketBook {
        symbol: symbol(),
        replace: true,
        last_update_id: None,
        bids: (0..1_000).map(|away| level(5_900_000 - away)).collect(),
        asks: (0..1_000).map(|away| level(6_100_000 + away)).collect(),
    };
    exchange.market_book(0, &market, &mut Vec::new()).unwrap();
    exchange
}

/// A small generator: the bench must offer the same orders every time.
fn next(state: &mut u64, below: u64) -> i64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    i64::try_from((*state >> 33) % below).unwrap()
}

fn place(account: i64, side: Side, cents: i64, steps: i64) -> Command {
    Command::Place(NewOrder {
        account: AccountId(u32::try_from(account).unwrap()),
        symbol: symbol(),
        side,
        terms: Terms::Limit {
            price: Price::from_units(cents * UNITS_PER_ONE / 100),
            quantity: Qty::from_units(steps * 1_000),
            time_in_force: TimeInForce::Gtc,
        },
        client_order_id: None,
        stp: Some(StpMode::None),
    })
}

/// Limit orders of both sides around one price: about every second one meets the book.
fn crossing() -> Vec<Command> {
    let mut state = 7;
    let mut order = |_| {
        let side = if next(&mut state, 2) == 0 { Side::Buy } else { Side::Sell };
        let cents = 6_000_000 + next(&mut state, 200) - 100;
        place(next(&mut state, u64::from(ACCOUNTS)), side, cents, 10_000 + next(&mut state, 90_000))
    };
    (0..ORDERS).map(&mut order).collect()
}

/// Bids that never meet an ask, over 2 000 levels.
fn resting() -> Vec<Command> {
    let mut state = 7;
    let mut order = |_| {
        let cents = 5_990_000 + next(&mut state, 2_000);
        place(next(&mut state, u64::from(ACCOUNTS)), Side::Buy, cents, 10_000 + next(&mut state, 90_000))
    };
    (0..ORDERS).map(&mut order).collect()
}

/// Every order is cancelled by the next command.
fn cancelling() -> Vec<Command> {
    let mut state = 7;
    let mut pair = |number: u64| {
        let account = next(&mut state, u64::from(ACCOUNTS));
        let cancel = CancelOrder {
            account: AccountId(u32::try_from(account).unwrap()),
            symbol: symbol(),
            order: OrderRef::Id(OrderId(number + 1)),
            cancel_client_order_id: None,
            restriction: None,
        };
        [place(account, Side::Buy, 5_990_000 + next(&mut state, 2_000), 50_000), Command::Cancel(cancel)]
    };
    (0..ORDERS / 2).flat_map(&mut pair).collect()
}

/// Takers that each eat about half a level of strangers.
fn against_market() -> Vec<Command> {
    let mut state = 7;
    let mut order = |number: u64| {
        let side = if number.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let cents = if side == Side::Buy { 6_200_000 } else { 5_800_000 };
        place(next(&mut state, u64::from(ACCOUNTS)), side, cents, 2_500 + next(&mut state, 100))
    };
    (0..ORDERS).map(&mut order).collect()
}

fn matching(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("matching");
    group.throughput(Throughput::Elements(ORDERS)).sample_size(20);
    for (name, commands) in [
        ("crossing", crossing()),
        ("resting", resting()),
        ("cancelling", cancelling()),
        ("against_market", against_market()),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                exchange,
                |exchange| {
                    let mut events = Vec::with_capacity(16);
                    for (now_ms, command) in (1..).zip(&commands) {
                        events.clear();
                        exchange.apply(now_ms, command, &mut events).unwrap();
                        black_box(&events);
                    }
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = matching
}
criterion_main!(benches);
