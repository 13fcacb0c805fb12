//! `plimsoll bench venue`: orders over the socket, exchange and connector in separate processes, and the
//! market-data path on one core.
//!
//! An order is a limit order below the market that may not rest (IOC): signed, sent, matched, journalled in
//! the exchange's truth, answered, and reported on the stream. The market stands still meanwhile.

use super::exchange::{Exchange, cpu_of};
use super::report::{Figure, Machine, Report, Target};
use crate::clock;
use crate::domain::connection::State;
use crate::domain::ids::{ClientOrderId, Symbol, VenueId};
use crate::domain::money::{Price, Quantity};
use crate::domain::order_types::{NewOrder, OrderType, Side, TimeInForce};
use crate::domain::outcome::Outcome;
use crate::venues::Venue;
use crate::venues::binance::bench_lines::{Lines, decode_and_apply};
use crate::venues::binance::signing::Secret;
use crate::venues::binance::{Binance, BinanceConfig};
use anyhow::{Context as _, bail};
use std::rc::Rc;
use std::time::Duration;

/// Orders with one in flight, after as many again to warm up.
const SEQUENTIAL: usize = 3_000;
/// Orders with [`WIDE`] in flight.
const CONCURRENT: usize = 60_000;
const WIDE: usize = 64;
/// Longest wait for the connector to be live.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures everything.
///
/// # Errors
/// When the exchange cannot be started or an order is not confirmed.
pub fn measure() -> anyhow::Result<Report> {
    let machine = Machine::read();
    let mut figures = vec![market_data()?];
    let exchange = Exchange::spawn(&[])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    figures.extend(tokio::task::LocalSet::new().block_on(&runtime, orders(&exchange))?);
    Ok(Report { machine, figures })
}

fn market_data() -> anyhow::Result<Figure> {
    let lines = Lines::from_captures_or_synthetic().context("the recorded lines")?;
    let (mut best, mut cpu) = (Duration::MAX, Duration::ZERO);
    for _ in 0..5 {
        let (began, cpu_began) = (clock::monotonic(), cpu_of("self"));
        if decode_and_apply(&lines) != lines.len() {
            bail!("some of the {} lines could not be read", lines.len());
        }
        let took = clock::monotonic().duration_since(began);
        if took < best {
            (best, cpu) = (took, cpu_of("self").saturating_sub(cpu_began));
        }
    }
    let name = format!("market lines decoded and applied, {}", lines.origin());
    let rate = rate(lines.len(), best);
    Ok(Figure::plain(name, rate, "lines/s", cpu).with_target(Target::AtLeast(400_000.0)))
}

async fn orders(exchange: &Exchange) -> anyhow::Result<Vec<Figure>> {
    let symbol = Symbol::new("BTCUSDT")?;
    let mut config = BinanceConfig::at(VenueId::new("bench")?, &exchange.address, vec![symbol.clone()]);
    config.credentials = Some(("demo".into(), Secret::Hmac("demo-secret".into())));
    config.follow_market = false;
    let venue = Rc::new(Binance::start(config)?);
    let mut events = venue.take_order_events().context("the events were taken")?;
    tokio::task::spawn_local(async move { while events.recv().await.is_some() {} });
    tokio::time::timeout(PATIENCE, async {
        while venue.evidence().orders.state != State::Live {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .context("the connector did not go live")?;
    let pid = exchange.pid();
    let cpu = || cpu_of("self").saturating_add(cpu_of(&pid));

    let mut took = Vec::with_capacity(SEQUENTIAL);
    let mut cpu_began = cpu();
    for n in 0..SEQUENTIAL.saturating_mul(2) {
        if n == SEQUENTIAL {
            cpu_began = cpu();
            took.clear();
        }
        let began = clock::monotonic();
        place(&venue, &symbol, &format!("s{n}")).await?;
        took.push(clock::monotonic().duration_since(began));
    }
    let cpu_sequential = cpu().saturating_sub(cpu_began);
    took.sort_unstable();
    let at = |share: usize| -> f64 {
        let index = took.len().saturating_mul(share).checked_div(1_000).unwrap_or(0);
        took.get(index).or(took.last()).map_or(f64::NAN, |d| d.as_secs_f64() * 1_000.0)
    };
    let p50 = Figure::plain("place to acknowledged, 1 in flight, p50", at(500), "ms", cpu_sequential);
    let p99 = Figure::plain("place to acknowledged, 1 in flight, p99", at(990), "ms", cpu_sequential);

    let (began, cpu_began) = (clock::monotonic(), cpu());
    let mut lanes = tokio::task::JoinSet::new();
    for lane in 0..WIDE {
        let (venue, symbol) = (venue.clone(), symbol.clone());
        lanes.spawn_local(async move {
            for n in (lane..CONCURRENT).step_by(WIDE) {
                place(&venue, &symbol, &format!("c{n}")).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(lane) = lanes.join_next().await {
        lane??;
    }
    let wall = clock::monotonic().duration_since(began);
    let wide = Figure::plain(
        format!("orders acknowledged, {WIDE} in flight"),
        rate(CONCURRENT, wall),
        "orders/s",
        cpu().saturating_sub(cpu_began),
    );
    Ok(vec![p50.with_target(Target::AtMost(0.4)), p99, wide.with_target(Target::AtLeast(15_000.0))])
}

async fn place(venue: &Binance, symbol: &Symbol, name: &str) -> anyhow::Result<()> {
    let order = NewOrder {
        client_order_id: ClientOrderId::new(name)?,
        symbol: symbol.clone(),
        side: Side::Buy,
        order_type: OrderType::Limit,
        quantity: Quantity::parse("0.00100")?,
        price: Some(Price::parse("58000.00")?),
        stop_price: None,
        time_in_force: Some(TimeInForce::Ioc),
    };
    match venue.place(order).await {
        Outcome::Confirmed(_) => Ok(()),
        other => bail!("order {name} was not confirmed: {other:?}"),
    }
}

fn rate(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}
