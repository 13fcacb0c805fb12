//! `plimsoll bench journal`: how fast rows become durable, and how soon a large journal is ready.
//!
//! Everything runs through the real cell, on the disk under `--data-dir`. The floor (a 4 KiB write and `fdatasync`) is
//! measured in the same run, because disks differ by the minute.

use super::report::{Figure, Machine, Report, Target, micros, millis, percentile, process_cpu};
use crate::actors::journal::{
    Append, GROUP_ROWS, Journal, JournalAnswer, JournalReadings, JournalSettings, OpenSession, ReadRows,
    declare_with,
};
use crate::clock;
use crate::db::{Keep, Options, Writer};
use crate::domain::ids::{ClientOrderId, Correlation, StrategyId, Symbol, VenueId};
use crate::domain::journal::{Batch, NewRow, Seq, Snapshot, Ticket};
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::order::{Order, OrderKind, OrderNumber, OrderState, Origin};
use crate::domain::order_types::{Side, TimeInForce};
use crate::domain::time::WallMs;
use crate::supervision::{ChildSpec, Ctx, Handle, Port, Tree, TreeOptions, cell, supervisor};
use actix::{Actor, Handler};
use anyhow::{Context as _, bail};
use clap::Args;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;

/// Writes that the floor is taken from.
const FLOOR_WRITES: usize = 1_000;
/// Appends with one in flight.
const SINGLE: usize = 1_000;
/// Rows of one throughput round.
const GROUPED_ROWS: u64 = 200_000;
/// Batches under way at once, as many as orders may be.
const IN_FLIGHT: u64 = 1_024;
/// Rows of the journal that is started from, and orders that are open in it.
const START_ROWS: u64 = 1_000_000;
const START_OPEN_ORDERS: u64 = 10_000;
/// Rows behind the snapshot in it: half of what the order management writes between two.
const START_TAIL_ROWS: u64 = 25_000;
const PAGE: u32 = 5_000;
const WITHIN: Duration = Duration::from_secs(60);

/// Options of `plimsoll bench journal`.
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// A directory on the disk to be measured; what is written there is removed afterwards.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data_dir: PathBuf,
    /// Rows of the journal that is started from.
    #[arg(long, default_value_t = START_ROWS)]
    start_rows: u64,
}

/// A folder that is removed with what is in it.
struct Scratch(PathBuf);

impl Scratch {
    fn make(below: &Path) -> anyhow::Result<Self> {
        let path = below.join(format!("bench-journal-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that cannot be removed is named after this process; somebody will find it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Measures everything.
///
/// # Errors
/// When the disk or the cell does not do what it should.
pub fn measure(args: &JournalArgs) -> anyhow::Result<Report> {
    let machine = Machine::read();
    let scratch = Scratch::make(&args.data_dir)?;
    let mut figures = floor(&scratch.0)?;
    actix_rt::System::new().block_on(async {
        figures.extend(single(&scratch.0.join("single")).await?);
        for group_rows in [64, 256, GROUP_ROWS, 1_024] {
            figures.push(grouped(&scratch.0.join(format!("group-{group_rows}")), group_rows).await?);
        }
        let large = scratch.0.join("start");
        figures.push(fill(&large, args.start_rows)?);
        figures.push(start(&large, args.start_rows).await?);
        anyhow::Ok(())
    })?;
    Ok(Report { machine, figures })
}

fn floor(dir: &Path) -> anyhow::Result<Vec<Figure>> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(dir.join("floor"))?;
    let block = [7_u8; 4096];
    let mut figures = Vec::new();
    for (name, append) in [("append", true), ("overwrite", false)] {
        let (mut took, cpu_began) = (Vec::with_capacity(FLOOR_WRITES), process_cpu());
        for n in 0..FLOOR_WRITES {
            let place = if append { u64::try_from(n)? } else { u64::try_from(n % 64)? };
            let began = clock::monotonic();
            file.write_all_at(&block, place.saturating_mul(4096))?;
            file.sync_data()?;
            took.push(clock::monotonic().saturating_duration_since(began));
        }
        took.sort_unstable();
        let cpu = process_cpu().saturating_sub(cpu_began);
        for (word, share) in [("p50", 50), ("p99", 99)] {
            let name = format!("floor: 4 KiB {name} + fdatasync, {word}");
            figures.push(Figure::plain(name, millis(percentile(&took, share)), "ms", cpu));
        }
    }
    Ok(figures)
}

struct Listener(mpsc::UnboundedSender<JournalAnswer>);

impl Actor for Listener {
    type Context = Ctx<Self>;
}

impl Handler<JournalAnswer> for Listener {
    type Result = ();
    fn handle(&mut self, answer: JournalAnswer, _: &mut Self::Context) {
        // The measurement may be over.
        let _ = self.0.send(answer);
    }
}

struct Desk {
    tree: Tree,
    journal: Handle<Journal>,
    answers: mpsc::UnboundedReceiver<JournalAnswer>,
    port: Port<JournalAnswer>,
}

impl Desk {
    async fn start(dir: &Path, group_rows: usize) -> anyhow::Result<Self> {
        let keep = Keep { rows: u64::MAX, slice: u64::MAX };
        let settings = JournalSettings { keep, group_rows, ..JournalSettings::default() };
        let (journal, journal_cell) = declare_with(dir.to_owned(), JournalReadings::default(), settings);
        let (sender, answers) = mpsc::unbounded_channel();
        let (listener, listener_cell) =
            cell("listener", ChildSpec::default(), move |_: &mut Ctx<Listener>| Ok(Listener(sender.clone())));
        let root = supervisor("bench").child(journal_cell).child(listener_cell);
        let tree = Tree::start(root, TreeOptions::default())?;
        tree.up().await.map_err(|ended| anyhow::anyhow!("the tree ended: {ended:?}"))?;
        Ok(Self { tree, journal, answers, port: listener.port() })
    }

    async fn open(&self) -> anyhow::Result<crate::actors::journal::Session> {
        Ok(self.journal.ask(OpenSession, WITHIN).await??)
    }

    fn send(&self, session: u64, batch: Batch) -> anyhow::Result<()> {
        let append = Append { session, batches: vec![batch], done: self.port.clone() };
        Ok(self.journal.tell(append)?)
    }

    async fn durable(&mut self) -> anyhow::Result<u64> {
        match tokio::time::timeout(WITHIN, self.answers.recv()).await?.context("no answer")? {
            JournalAnswer::Durable { ticket, .. } => Ok(ticket.0),
            other => bail!("not durable: {other:?}"),
        }
    }
}

async fn single(dir: &Path) -> anyhow::Result<Vec<Figure>> {
    let mut desk = Desk::start(dir, GROUP_ROWS).await?;
    let session = desk.open().await?.number;
    let (mut took, mut cpu_began) = (Vec::with_capacity(SINGLE), process_cpu());
    for n in 0..SINGLE.saturating_mul(2) {
        if n == SINGLE {
            took.clear();
            cpu_began = process_cpu();
        }
        let began = clock::monotonic();
        desk.send(session, batch(u64::try_from(n)?.saturating_add(1), 1)?)?;
        desk.durable().await?;
        took.push(clock::monotonic().saturating_duration_since(began));
    }
    let cpu = process_cpu().saturating_sub(cpu_began);
    took.sort_unstable();
    desk.tree.shutdown(WITHIN).await;
    let at = |share| micros(percentile(&took, share)) / 1e3;
    Ok(vec![
        Figure::plain("one row durable, 1 in flight, p50", at(50), "ms", cpu),
        Figure::plain("one row durable, 1 in flight, p99", at(99), "ms", cpu),
    ])
}

async fn grouped(dir: &Path, group_rows: usize) -> anyhow::Result<Figure> {
    let mut desk = Desk::start(dir, group_rows).await?;
    let session = desk.open().await?.number;
    let (began, cpu_began) = (clock::monotonic(), process_cpu());
    let (mut sent, mut durable) = (0_u64, 0_u64);
    while durable < GROUPED_ROWS {
        while sent < GROUPED_ROWS && sent.saturating_sub(durable) < IN_FLIGHT {
            sent = sent.saturating_add(1);
            desk.send(session, batch(sent, 1)?)?;
        }
        durable = desk.durable().await?;
    }
    let wall = clock::monotonic().saturating_duration_since(began);
    let cpu = process_cpu().saturating_sub(cpu_began);
    desk.tree.shutdown(WITHIN).await;
    let rate = rate(GROUPED_ROWS, wall);
    let name = format!("rows durable, groups of up to {group_rows}");
    let figure = Figure::plain(name, rate, "rows/s", cpu);
    Ok(if group_rows == GROUP_ROWS { figure.with_target(Target::AtLeast(40_000.0)) } else { figure })
}

/// Makes the journal that is started from.
fn fill(dir: &Path, rows: u64) -> anyhow::Result<Figure> {
    const SLICE: u64 = 10_000;
    let (began, cpu_began) = (clock::monotonic(), process_cpu());
    let mut writer = Writer::open(dir, Options::default())?;
    let mut ticket = 0_u64;
    while writer.head().seq.0 < rows {
        ticket = ticket.saturating_add(1);
        let left = rows.saturating_sub(writer.head().seq.0);
        let mut next = batch(ticket, SLICE.min(left))?;
        if ticket == 1 {
            next.orders = (1..=START_OPEN_ORDERS).map(order).collect::<anyhow::Result<_>>()?;
        }
        if left <= START_TAIL_ROWS.saturating_add(SLICE) && left > START_TAIL_ROWS {
            next.rows.truncate(usize::try_from(left.saturating_sub(START_TAIL_ROWS))?);
            let orders = (1..=START_OPEN_ORDERS).map(order).collect::<anyhow::Result<Vec<_>>>()?;
            next.snapshot = Some(Snapshot { state: serde_json::to_string(&orders)?, refusals_seen: 0 });
        }
        writer.append(&[next])?;
    }
    let wall = clock::monotonic().saturating_duration_since(began);
    let cpu = process_cpu().saturating_sub(cpu_began);
    Ok(Figure::plain("rows durable, the writer alone, groups of 10,000", rate(rows, wall), "rows/s", cpu))
}

/// From nothing to everything read: open, check, snapshot, and the rows behind it.
async fn start(dir: &Path, rows: u64) -> anyhow::Result<Figure> {
    let (began, cpu_began) = (clock::monotonic(), process_cpu());
    let desk = Desk::start(dir, GROUP_ROWS).await?;
    let session = desk.open().await?;
    let (snapshot_at, state) = session.snapshot.context("the snapshot is missing")?;
    let orders: Vec<Order> = serde_json::from_str(&state)?;
    if u64::try_from(orders.len())? != START_OPEN_ORDERS || session.head.0 != rows {
        bail!("{} orders and {} rows were read back", orders.len(), session.head.0);
    }
    let mut at = snapshot_at;
    while at < session.head {
        let page = desk.journal.ask(ReadRows { after: at, limit: PAGE }, WITHIN).await??;
        at = page.last().map_or(Seq(u64::MAX), |row| row.seq);
    }
    let wall = clock::monotonic().saturating_duration_since(began);
    let cpu = process_cpu().saturating_sub(cpu_began);
    desk.tree.shutdown(WITHIN).await;
    let name = format!("start: {rows} rows, {START_OPEN_ORDERS} open orders, opened, verified and read");
    Ok(Figure::plain(name, wall.as_secs_f64(), "s", cpu).with_target(Target::AtMost(3.0)))
}

fn rate(count: u64, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

fn batch(ticket: u64, rows: u64) -> anyhow::Result<Batch> {
    let row = |n: u64| {
        let payload = format!(
            r#"{{"number":{n},"client_order_id":"plabcdef-{n:08}","venue":"paper","symbol":"BTCUSDT","side":"buy","type":"limit","quantity":"0.00120000","price":"60000.10000000","time_in_force":"gtc","strategy":"quoter","executed":"0.00000000","booked":"0.00000000","state":"submitted","attempts":1}}"#
        );
        let correlation = Correlation::new(&format!("plabcdef-{n:08}"))?;
        anyhow::Ok(NewRow { kind: "intent", correlation, at: WallMs(1_700_000_000_000), payload })
    };
    let first = ticket.saturating_mul(100_000);
    let rows = (first..first.saturating_add(rows)).map(row).collect::<anyhow::Result<_>>()?;
    Ok(Batch { ticket: Ticket(ticket), rows, ..Batch::default() })
}

fn order(number: u64) -> anyhow::Result<Order> {
    Ok(Order {
        number: OrderNumber(number),
        client_order_id: ClientOrderId::new(&format!("bench-{number}"))?,
        venue_client_order_id: ClientOrderId::new(&format!("plabcdef-{number:08}"))?,
        venue_order_id: Some(number.into()),
        venue: VenueId::new("paper")?,
        symbol: Symbol::new("BTCUSDT")?,
        side: Side::Buy,
        kind: OrderKind::Limit,
        quantity: Quantity::parse("0.00120000")?,
        price: Some(Price::parse("60000.10000000")?),
        time_in_force: Some(TimeInForce::Gtc),
        stop_loss: None,
        reduce_only: false,
        strategy: StrategyId::new("quoter")?,
        correlation: Correlation::new(&format!("bench-{number}"))?,
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
        created_at: WallMs(1),
        updated_at: WallMs(1),
    })
}
