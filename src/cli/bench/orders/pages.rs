//! `plimsoll bench pages`: what fifty open pages of the desk cost the order path.
//!
//! Rounds with and without the pages follow each other in turn on one runtime, so that what the machine does besides
//! strikes both; the figure is the median over the pairs. The pages' own side reads here too, on a thread of this
//! process, which real browsers would not: what is measured is the upper bound.

use super::super::exchange::Exchange;
use super::super::report::{Figure, Machine, Report, Target, process_cpu};
use super::desk::{self, Desk, Runtime};
use super::drive::{self, closed};
use super::{OPEN_ORDERS, OrdersArgs};
use crate::clock;
use anyhow::{Context as _, bail};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Pages that are open at once.
const PAGES: usize = 50;
/// Rounds of each kind.
const PAIRS: usize = 9;
/// Orders of one round, and how many are in flight.
const ROUND: (usize, usize) = (12_000, 64);
/// Longest wait for the pages to have their first edition.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause before a page asks for a seat again.
const SEAT_PAUSE: Duration = Duration::from_millis(100);

/// Measures.
///
/// # Errors
/// When a process or a page cannot be started, or an order takes another way than planned.
pub fn measure(args: &OrdersArgs) -> anyhow::Result<Report> {
    let machine = Machine::read();
    let exchange = Exchange::spawn(&["--orders-per-10s", "10000000", "--weight-per-minute", "100000000"])?;
    let desk = Desk::open(&args.data_dir, &exchange.address)?;
    let runtime = desk.run(desk::top(&exchange.address)?)?;
    let local = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = tokio::task::LocalSet::new().block_on(&local, async {
        let _counterpart = runtime.counterpart(&exchange.address).await?;
        runtime.until_ready().await?;
        drive::rest(&runtime, OPEN_ORDERS).await?;
        compare(&runtime).await
    })?;
    runtime.stop()?;
    Ok(Report { machine, figures })
}

/// Orders a second and CPU seconds of one round.
struct Round {
    rate: f64,
    cpu: Duration,
}

async fn round(runtime: &Runtime) -> anyhow::Result<Round> {
    let before = process_cpu();
    let run = closed(runtime, ROUND.1, ROUND.0).await?;
    Ok(Round { rate: run.rate(), cpu: process_cpu().saturating_sub(before) })
}

async fn compare(runtime: &Runtime) -> anyhow::Result<Vec<Figure>> {
    closed(runtime, ROUND.1, ROUND.0).await?;
    let (mut alone, mut watched, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    let (mut bytes, mut took) = (0_u64, Duration::ZERO);
    for pair in 0..PAIRS {
        let first = if pair.is_multiple_of(2) { Some(round(runtime).await?) } else { None };
        let pages = Pages::open(runtime.address).await?;
        let (read_before, began) = (pages.read(), clock::monotonic());
        let with = round(runtime).await?;
        bytes = bytes.saturating_add(pages.read().saturating_sub(read_before));
        took = took.saturating_add(clock::monotonic().saturating_duration_since(began));
        pages.close()?;
        let without = match first {
            Some(first) => first,
            None => round(runtime).await?,
        };
        costs.push((1.0 - with.rate / without.rate) * 100.0);
        alone.push(without);
        watched.push(with);
    }
    let cpu = |rounds: &[Round]| rounds.iter().map(|round| round.cpu).sum::<Duration>();
    let rate = |rounds: &[Round]| median(rounds.iter().map(|round| round.rate).collect());
    let (cpu_alone, cpu_watched) = (cpu(&alone), cpu(&watched));
    let share = (cpu_watched.as_secs_f64() / cpu_alone.as_secs_f64() - 1.0) * 100.0;
    let read = f64::from(u32::try_from(bytes.div_euclid(1_024)).unwrap_or(u32::MAX));
    let each = read / took.as_secs_f64() / f64::from(u32::try_from(PAGES)?);
    Ok(vec![
        Figure::plain("orders booked durable, no page open", rate(&alone), "/s", cpu_alone),
        Figure::plain(
            format!("orders booked durable, {PAGES} pages open"),
            rate(&watched),
            "/s",
            cpu_watched,
        ),
        Figure::plain(
            format!("rate that {PAGES} pages cost, median of pairs"),
            median(costs),
            "%",
            cpu_watched,
        )
        .with_target(Target::AtMost(5.0)),
        Figure::plain("CPU more with the pages, their readers included", share, "%", cpu_watched),
        Figure::plain("read by each page", each, "KiB/s", cpu_watched),
    ])
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len().div_euclid(2)).copied().unwrap_or(f64::NAN)
}

/// Open pages, read on a thread of their own.
struct Pages {
    read: Arc<AtomicU64>,
    stop: tokio::sync::oneshot::Sender<()>,
    thread: std::thread::JoinHandle<anyhow::Result<()>>,
}

impl Pages {
    /// Opens them and waits until each has its first edition.
    async fn open(listen: SocketAddr) -> anyhow::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (tell, mut ready) = tokio::sync::mpsc::channel(PAGES);
        let counter = Arc::clone(&read);
        let thread = std::thread::Builder::new().name("pages".to_owned()).spawn(move || {
            let local = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            local.block_on(async move {
                let mut pages = JoinSet::new();
                for _ in 0..PAGES {
                    pages.spawn(page(listen, Arc::clone(&counter), tell.clone()));
                }
                drop(tell);
                tokio::select! {
                    // Dropped means that the bench has failed: the pages end all the same.
                    _ = stopped => Ok(()),
                    Some(ended) = pages.join_next() => match ended {
                        Ok(Err(why)) => Err(why),
                        Ok(Ok(())) => bail!("a page's stream ended"),
                        Err(why) => bail!("a page ended: {why}"),
                    },
                }
            })
        })?;
        let pages = Self { read, stop, thread };
        for _ in 0..PAGES {
            let waited = tokio::time::timeout(PATIENCE, ready.recv()).await;
            if waited.context("a page had no edition in time")?.is_none() {
                // Its thread knows why.
                pages.close()?;
                bail!("a page ended before its first edition");
            }
        }
        Ok(pages)
    }

    fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    fn close(self) -> anyhow::Result<()> {
        // Gone already means that a page failed, which the thread's answer says.
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| anyhow::anyhow!("the pages' thread panicked"))?
    }
}

/// Opens one page and reads its stream until the other side ends it. The runtime learns with its next word that the pages
/// of the round before are gone: until then there may be no seat.
async fn page(
    listen: SocketAddr,
    counter: Arc<AtomicU64>,
    ready: tokio::sync::mpsc::Sender<()>,
) -> anyhow::Result<()> {
    let mut buffer = vec![0_u8; 64 * 1024];
    let began = clock::monotonic();
    let mut stream = loop {
        match open(listen, &mut buffer).await? {
            Some(stream) => break stream,
            None if clock::monotonic().saturating_duration_since(began) > PATIENCE => {
                bail!("there is no seat")
            }
            None => tokio::time::sleep(SEAT_PAUSE).await,
        }
    };
    // Nobody listens any more when the bench was given up.
    ready.send(()).await.ok();
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        counter.fetch_add(u64::try_from(count)?, Ordering::Relaxed);
    }
}

/// A stream whose first edition was read; `None` when there was no seat.
async fn open(listen: SocketAddr, buffer: &mut [u8]) -> anyhow::Result<Option<TcpStream>> {
    let mut stream = TcpStream::connect(listen).await?;
    let request = format!("GET /desk/events HTTP/1.1\r\nHost: {listen}\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut heard = Vec::new();
    loop {
        let count = stream.read(buffer).await?;
        heard.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let text = String::from_utf8_lossy(&heard);
        let status = text.lines().next().filter(|_| text.contains("\r\n\r\n"));
        match status {
            Some(status) if status.contains(" 503 ") => return Ok(None),
            Some(status) if !status.contains(" 200 ") => bail!("a page was answered {status}"),
            Some(_) if text.contains("event: full") => return Ok(Some(stream)),
            _ if count == 0 => bail!("a page's stream ended before its first edition"),
            _ => {}
        }
    }
}
