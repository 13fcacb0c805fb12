//! The driver: asks for orders through the in-process handle and waits for what is published about them.

use super::desk::{Runtime, SYMBOL};
use crate::actors::oms::{Ask, EventStream, OmsHandle};
use crate::clock;
use crate::domain::ids::{ClientOrderId, StrategyId, Symbol, VenueId};
use crate::domain::money::{Price, Quantity};
use crate::domain::oms::{Answer, Change};
use crate::domain::order::{OrderKind, OrderRequest, OrderState};
use crate::domain::order_types::{Side, TimeInForce};
use anyhow::{Context as _, bail};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Longest wait for one order.
const PATIENCE: Duration = Duration::from_secs(20);
/// The exchange's least notional is worth less than this.
const QUANTITY: &str = "0.00010";

thread_local! {
    /// Names the orders of this process; never repeats.
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// What a run took.
pub(super) struct Run {
    /// From the request to the published, durable fill of each order, sorted.
    pub(super) took: Vec<Duration>,
    wall: Duration,
}

impl Run {
    pub(super) fn count(&self) -> f64 {
        f64::from(u32::try_from(self.took.len()).unwrap_or(u32::MAX))
    }

    pub(super) fn rate(&self) -> f64 {
        self.count() / self.wall.as_secs_f64()
    }
}

/// Who waits for which order.
type Waiting = Rc<RefCell<HashMap<ClientOrderId, oneshot::Sender<Instant>>>>;

/// Hands every wanted change to whoever waits for it, until the stream ends or is lost.
async fn dispatch(
    mut stream: EventStream,
    waiting: Waiting,
    wanted: fn(OrderState) -> bool,
) -> anyhow::Result<()> {
    loop {
        let stamped = stream.recv().await.context("changes were missed")?;
        let Change::Order(order) = &stamped.change else { continue };
        let over = order.state.is_final() && order.state != OrderState::Filled;
        if over {
            bail!("{} ended {}: {:?}", order.client_order_id, order.state.word(), order.reason);
        }
        if wanted(order.state) && order.is_booked() {
            let waiter = waiting.borrow_mut().remove(&order.client_order_id);
            // Whoever gave up reports that itself.
            let _ = waiter.map(|waiter| waiter.send(clock::monotonic()));
        }
    }
}

fn request(name: u64, side: Side, price: Price) -> anyhow::Result<OrderRequest> {
    Ok(OrderRequest {
        client_order_id: Some(ClientOrderId::new(&format!("b{name}"))?),
        venue: VenueId::new("paper")?,
        symbol: Symbol::new(SYMBOL)?,
        side,
        kind: OrderKind::Limit,
        quantity: Quantity::parse(QUANTITY)?,
        price: Some(price),
        time_in_force: Some(TimeInForce::Gtc),
        stop_loss: None,
        reduce_only: false,
        strategy: StrategyId::new("bench")?,
        correlation: None,
    })
}

/// Asks for one order and waits until it is where it should be; answers how long that took since `began`.
async fn one(
    oms: OmsHandle,
    waiting: Waiting,
    order: OrderRequest,
    began: Instant,
) -> anyhow::Result<Duration> {
    let id = order.client_order_id.clone().context("it was named")?;
    let (tell, told) = oneshot::channel();
    waiting.borrow_mut().insert(id.clone(), tell);
    match oms.ask(Ask::Submit(order), PATIENCE).await {
        Ok(Answer::Accepted(_)) => {}
        other => bail!("{id} was not accepted: {other:?}"),
    }
    let at =
        tokio::time::timeout(PATIENCE, told).await.with_context(|| format!("{id} came to nothing"))??;
    Ok(at.saturating_duration_since(began))
}

fn next() -> u64 {
    NEXT.with(|next| {
        next.set(next.get().saturating_add(1));
        next.get()
    })
}

/// Buys at the resting ask or sells at the resting bid, in turn.
fn taking(runtime: &Runtime) -> anyhow::Result<OrderRequest> {
    let name = next();
    if name.is_multiple_of(2) {
        request(name, Side::Buy, runtime.top.1)
    } else {
        request(name, Side::Sell, runtime.top.0)
    }
}

/// `wide` callers, each with one order in flight, `count` orders in all.
pub(super) async fn closed(runtime: &Runtime, wide: usize, count: usize) -> anyhow::Result<Run> {
    let waiting = Waiting::default();
    let dispatching =
        dispatch(runtime.readings.subscribe(), Rc::clone(&waiting), |s| s == OrderState::Filled);
    let left = Cell::new(count);
    let began = clock::monotonic();
    let lane = || async {
        let mut took = Vec::new();
        while let Some(rest) = left.get().checked_sub(1) {
            left.set(rest);
            took.push(
                one(runtime.oms.clone(), Rc::clone(&waiting), taking(runtime)?, clock::monotonic()).await?,
            );
        }
        anyhow::Ok(took)
    };
    let lanes = futures_util::future::try_join_all((0..wide).map(|_| lane()));
    let mut took: Vec<Duration> = tokio::select! {
        done = lanes => done?.into_iter().flatten().collect(),
        lost = dispatching => { lost?; bail!("the stream of changes ended") }
    };
    let wall = clock::monotonic().saturating_duration_since(began);
    took.sort_unstable();
    Ok(Run { took, wall })
}

/// `rate` orders a second for a while, whatever becomes of the earlier ones; timed from when each was due.
pub(super) async fn open(runtime: &Runtime, rate: u32, lasts: Duration) -> anyhow::Result<Run> {
    let waiting = Waiting::default();
    let dispatching =
        dispatch(runtime.readings.subscribe(), Rc::clone(&waiting), |s| s == OrderState::Filled);
    let step = Duration::from_secs(1).checked_div(rate).context("a rate of zero")?;
    let count = lasts.as_secs_f64() / step.as_secs_f64();
    let began = clock::monotonic();
    let driving = async {
        let (mut lanes, mut took, mut due) = (JoinSet::new(), Vec::new(), began);
        let mut sent = 0.0;
        while sent < count {
            tokio::time::sleep_until(due.into()).await;
            lanes.spawn_local(one(runtime.oms.clone(), Rc::clone(&waiting), taking(runtime)?, due));
            due = due.checked_add(step).unwrap_or(due);
            sent += 1.0;
            while let Some(done) = lanes.try_join_next() {
                took.push(done??);
            }
        }
        while let Some(done) = lanes.join_next().await {
            took.push(done??);
        }
        anyhow::Ok(took)
    };
    let mut took = tokio::select! {
        done = driving => done?,
        lost = dispatching => { lost?; bail!("the stream of changes ended") }
    };
    let wall = clock::monotonic().saturating_duration_since(began);
    took.sort_unstable();
    Ok(Run { took, wall })
}

/// Leaves `count` orders working far from the market.
pub(super) async fn rest(runtime: &Runtime, count: usize) -> anyhow::Result<()> {
    let waiting = Waiting::default();
    let dispatching =
        dispatch(runtime.readings.subscribe(), Rc::clone(&waiting), |s| s == OrderState::Working);
    let placing = async {
        for _ in 0..count {
            let order = request(next(), Side::Buy, runtime.far()?)?;
            one(runtime.oms.clone(), Rc::clone(&waiting), order, clock::monotonic()).await?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        done = placing => done,
        lost = dispatching => { lost?; bail!("the stream of changes ended") }
    }
}
