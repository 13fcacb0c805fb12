//! `plimsoll bench orders`: the whole order path, runtime and paper exchange in separate processes.
//!
//! An order counts when it was asked for, its intent was on disk, it was sent, acknowledged and filled, and the
//! fill was booked and on disk: what the order management publishes is durable. Each order takes from a resting
//! order of the exchange's second account, so that it always fills; the market stands still.

mod desk;
mod drive;
mod pages;
mod recovery;

pub(super) use pages::measure as measure_pages;

use super::exchange::{Exchange, cpu_of, resident_mib};
use super::floor::Floor;
use super::report::{Figure, Machine, Report, Target, millis, percentile};
use clap::Args;
use desk::Desk;
use drive::{Run, closed, open};
use std::path::PathBuf;
use std::time::Duration;

/// In flight, orders, and the least rate asked for.
const CLOSED: [(usize, usize, Option<f64>); 3] =
    [(1, 3_000, None), (64, 30_000, Some(5_000.0)), (512, 40_000, Some(8_000.0))];
const OPEN_RATE: u32 = 1_000;
const OPEN_FOR: Duration = Duration::from_secs(10);
/// Orders that are open when the process is killed; the exchange allows 200 of an instrument.
const OPEN_ORDERS: usize = 150;

/// Options of `plimsoll bench orders`.
#[derive(Debug, Args)]
pub struct OrdersArgs {
    /// A directory on the disk to be measured; what is written there is removed afterwards.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data_dir: PathBuf,
}

/// Measures everything.
///
/// # Errors
/// When a process cannot be started or an order takes another way than planned.
pub fn measure(args: &OrdersArgs) -> anyhow::Result<Report> {
    let machine = Machine::read();
    let exchange = Exchange::spawn(&["--orders-per-10s", "10000000", "--weight-per-minute", "100000000"])?;
    let desk = Desk::open(&args.data_dir, &exchange.address)?;
    let floor = Floor::measure(desk.folder())?;
    let mut figures = vec![
        Figure::plain(
            "4 KiB appended + fdatasync, p50",
            millis(percentile(&floor.append, 50)),
            "ms",
            Duration::ZERO,
        ),
        Figure::plain(
            "4 KiB overwritten + fdatasync, p50",
            millis(percentile(&floor.overwrite, 50)),
            "ms",
            Duration::ZERO,
        ),
    ];
    let floor = millis(percentile(&floor.overwrite, 50));
    let runtime = desk.run(desk::top(&exchange.address)?)?;
    let local = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&local, async {
        let _counterpart = runtime.counterpart(&exchange.address).await?;
        runtime.until_ready().await?;
        for (wide, count, least) in CLOSED {
            // Warms up caches, connections and the write-ahead log; not counted.
            closed(&runtime, wide, count.div_euclid(10)).await?;
            let cpu = (cpu_of("self"), cpu_of(&exchange.pid()));
            let run = closed(&runtime, wide, count).await?;
            let spent = (cpu_of("self").saturating_sub(cpu.0), cpu_of(&exchange.pid()).saturating_sub(cpu.1));
            let at_most = (wide == 1).then_some(3.0 * floor + 0.5);
            figures.extend(of_closed(wide, &run, spent, least, at_most));
        }
        let began = cpu_of("self");
        let run = open(&runtime, OPEN_RATE, OPEN_FOR).await?;
        let spent = cpu_of("self").saturating_sub(began);
        let name = format!("submit to booked durable, open loop {OPEN_RATE}/s");
        let p = |percent| millis(percentile(&run.took, percent));
        figures
            .push(Figure::plain(format!("{name}, p50"), p(50), "ms", spent).with_target(Target::AtMost(2.5)));
        figures.push(
            Figure::plain(format!("{name}, p99"), p(99), "ms", spent).with_target(Target::AtMost(15.0)),
        );
        let memory =
            [("runtime and driver", resident_mib("self")), ("exchange", resident_mib(&exchange.pid()))];
        for (whose, mib) in memory {
            figures.push(Figure::plain(format!("resident memory, {whose}"), mib, "MiB", Duration::ZERO));
        }
        drive::rest(&runtime, OPEN_ORDERS).await
    })?;
    runtime.stop()?;
    let name = format!("SIGKILL to ready, {OPEN_ORDERS} open orders");
    let took = recovery::measure(&desk)?;
    figures.push(Figure::plain(name, took.as_secs_f64(), "s", Duration::ZERO));
    Ok(Report { machine, figures })
}

fn of_closed(
    wide: usize,
    run: &Run,
    cpu: (Duration, Duration),
    least: Option<f64>,
    p50_at_most: Option<f64>,
) -> Vec<Figure> {
    let per_thousand = |spent: Duration| spent.as_secs_f64() * 1_000.0 / run.count();
    let named = |what: &str| format!("{what}, {wide} in flight");
    let rate = Figure::plain(named("orders booked durable"), run.rate(), "/s", cpu.0);
    let p50 =
        Figure::plain(named("submit to booked durable, p50"), millis(percentile(&run.took, 50)), "ms", cpu.0);
    let p99 =
        Figure::plain(named("submit to booked durable, p99"), millis(percentile(&run.took, 99)), "ms", cpu.0);
    let runtime = named("CPU per 1,000 orders, runtime and driver");
    let exchange = named("CPU per 1,000 orders, exchange");
    vec![
        match least {
            Some(least) => rate.with_target(Target::AtLeast(least)),
            None => rate,
        },
        match p50_at_most {
            Some(most) => p50.with_target(Target::AtMost(most)),
            None => p50,
        },
        p99,
        Figure::plain(runtime, per_thousand(cpu.0), "s", cpu.0),
        Figure::plain(exchange, per_thousand(cpu.1), "s", cpu.1),
    ]
}
