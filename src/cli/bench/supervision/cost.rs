//! The cost of one message in CPU time, cell against plain actix, in interleaved rounds of one run.
//!
//! The verdict is the median of the rounds' own ratios: both halves of a round see the same machine.

use super::actors::{Add, Plain, Setup, Supervised, tree};
use crate::cli::bench::report::{Figure, Target, process_cpu};
use crate::supervision::{Handle, Placement};
use actix::{Actor, Addr, Arbiter};
use std::time::Duration;

const ROUNDS: usize = 25;
const TELLS: u32 = 200_000;
const TELLS_PER_BATCH: u32 = 100;
const ASKS: u32 = 20_000;
const ASK: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(5);

struct Series {
    plain: Vec<f64>,
    cell: Vec<f64>,
    cpu: Duration,
}

impl Series {
    const fn new() -> Self {
        Self { plain: Vec::new(), cell: Vec::new(), cpu: Duration::ZERO }
    }

    fn add(&mut self, plain: Duration, cell: Duration, messages: u32) {
        self.plain.push(nanos_each(plain, messages));
        self.cell.push(nanos_each(cell, messages));
        self.cpu += plain + cell;
    }

    fn figures(&self, name: &str) -> Vec<Figure> {
        let ratios: Vec<f64> = self.plain.iter().zip(&self.cell).map(|(p, c)| c / p).collect();
        vec![
            Figure::plain(format!("{name}: plain actix, median"), median(&self.plain), "ns", self.cpu),
            Figure::plain(format!("{name}: cell, median"), median(&self.cell), "ns", self.cpu),
            Figure::plain(format!("{name}: cell / plain, median of rounds"), median(&ratios), "", self.cpu)
                .with_target(Target::AtMost(1.2)),
        ]
    }
}

/// Tells and asks, on the sender's thread and across threads.
pub(super) async fn per_message() -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (where_, own_thread) in [("same thread", false), ("other thread", true)] {
        let placement = if own_thread { Placement::OwnThread } else { Placement::Local };
        let (tree, cell) = tree(Setup::at(placement)).await?;
        let (arbiter, plain) = start_plain(own_thread);
        let (mut tells, mut asks) = (Series::new(), Series::new());
        for _ in 0..ROUNDS {
            let a = plain_tells(&plain).await?;
            tells.add(a, cell_tells(&cell).await?, TELLS);
            let a = plain_asks(&plain).await?;
            asks.add(a, cell_asks(&cell).await?, ASKS);
        }
        figures.extend(tells.figures(&format!("tell, {where_}")));
        figures.extend(asks.figures(&format!("ask, {where_}")));
        if let Some(arbiter) = arbiter {
            arbiter.stop();
        }
        tree.shutdown(GRACE).await;
    }
    Ok(figures)
}

#[expect(clippy::disallowed_methods, reason = "the peer that is measured is plain actix")]
fn start_plain(own_thread: bool) -> (Option<Arbiter>, Addr<Plain>) {
    if own_thread {
        let arbiter = Arbiter::new();
        let addr = Plain::start_in_arbiter(&arbiter.handle(), |_| Plain::default());
        (Some(arbiter), addr)
    } else {
        (None, Plain::default().start())
    }
}

#[expect(clippy::disallowed_methods, reason = "the peer that is measured is plain actix")]
async fn plain_tells(addr: &Addr<Plain>) -> anyhow::Result<Duration> {
    let before = process_cpu();
    for _ in 0..TELLS / TELLS_PER_BATCH {
        for _ in 0..TELLS_PER_BATCH {
            addr.do_send(Add);
        }
        tokio::task::yield_now().await;
    }
    addr.send(Add).await?;
    Ok(process_cpu().saturating_sub(before))
}

async fn cell_tells(handle: &Handle<Supervised>) -> anyhow::Result<Duration> {
    let before = process_cpu();
    for _ in 0..TELLS / TELLS_PER_BATCH {
        for _ in 0..TELLS_PER_BATCH {
            handle.tell(Add)?;
        }
        tokio::task::yield_now().await;
    }
    handle.ask(Add, ASK).await?;
    Ok(process_cpu().saturating_sub(before))
}

#[expect(clippy::disallowed_methods, reason = "the peer that is measured is plain actix")]
async fn plain_asks(addr: &Addr<Plain>) -> anyhow::Result<Duration> {
    let before = process_cpu();
    for _ in 0..ASKS {
        addr.send(Add).await?;
    }
    Ok(process_cpu().saturating_sub(before))
}

async fn cell_asks(handle: &Handle<Supervised>) -> anyhow::Result<Duration> {
    let before = process_cpu();
    for _ in 0..ASKS {
        handle.ask(Add, ASK).await?;
    }
    Ok(process_cpu().saturating_sub(before))
}

fn nanos_each(time: Duration, messages: u32) -> f64 {
    time.as_secs_f64() * 1e9 / f64::from(messages.max(1))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
