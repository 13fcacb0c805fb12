//! The sentinel's shell: on every tick it gathers evidence, lets the judge judge, says what stands, shows it, and only
//! then renews the lease that the order path needs.
//!
//! It owns the snapshot behind the health routes and the conditions of health on the alert board. It promises: what is
//! shown was judged by [`judge`] from the evidence shown beside it; the lease is renewed after a judgement whose
//! consequences were handed on, and by nothing else. It receives nothing from others but the answers to what it asked for
//! ([`super::contain`]). When it dies or hangs, the lease runs
//! out, [`super::watch`] says so without it, and its successor goes on with what was said and done. It places no order,
//! and what it asks for by itself is listed in the configuration.

use super::act::Hands;
use super::gather::Gatherer;
use super::ledger::Ledger;
use super::plan::SentinelPlan;
use super::readings::Snapshot;
use super::record::Recorder;
use super::report::Reporter;
use crate::actors::Readings;
use crate::domain::anomaly::Anomalies;
use crate::domain::containment::{Containment, Now};
use crate::domain::health::{Table, TreeWord, Verdicts, judge};
use crate::supervision::{Backoff, Cell, ChildSpec, Ctx, Handle, HangLimits, OnHang, Placement, cell};
use actix::{Actor, AsyncContext};
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::JoinSet;

/// A tick is well under a millisecond; whoever hangs this long is replaced.
const HANDLER_MAX: Duration = Duration::from_secs(2);
/// First pause before a replacement; trading stands while there is none.
const BACKOFF: Duration = Duration::from_millis(50);

/// Everything that it reads; set once, before the tree starts, when all of it is known.
pub type SentinelWires = Arc<OnceLock<Watched>>;

/// What it reads and what it may do.
#[derive(Clone)]
pub struct Watched {
    /// What every component shows.
    pub readings: Readings,
    /// Its ends on those that act for it.
    pub hands: Hands,
}

/// What outlives an incarnation: what was said and what was done, so that none is said or done twice.
#[derive(Default)]
pub(super) struct Memory {
    reporter: Reporter,
    pub(super) containment: Containment,
    pub(super) ledger: Ledger,
    anomalies: Anomalies,
    recorder: Option<Recorder>,
}

/// See the module's head.
pub struct Sentinel {
    plan: SentinelPlan,
    pub(super) wires: SentinelWires,
    pub(super) gatherer: Gatherer,
    pub(super) memory: Arc<Mutex<Memory>>,
    pub(super) tasks: JoinSet<()>,
}

impl Actor for Sentinel {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.begin_books(ctx);
        self.tick(ctx);
        ctx.run_interval(self.plan.tick, |sentinel, ctx| sentinel.tick(ctx));
    }
}

impl Sentinel {
    fn tick(&mut self, ctx: &mut Ctx<Self>) {
        let Some(watched) = self.wires.get().cloned() else { return };
        let readings = &watched.readings;
        let began = crate::clock::monotonic();
        let gathered = self.gatherer.gather(readings, began);
        let mut verdicts = judge(&gathered.table, &self.plan.health, gathered.table.at);
        self.keep(&gathered.table, &verdicts);
        let unusual = self.memory.lock().anomalies.step(&gathered.table, &self.plan.health, &verdicts);
        verdicts.0.extend(unusual);
        let mut effects = Vec::new();
        // What ends is meant to; what stood before is left as it was said.
        if gathered.table.tree != TreeWord::Ending {
            let standing = watched.hands.standing(gathered.orders.as_ref());
            let mut memory = self.memory.lock();
            let Memory { reporter, containment, ledger, .. } = &mut *memory;
            let wall = gathered.table.wall;
            // Before it is known what was done and spent, nothing is: a moment after the start.
            if ledger.is_loaded {
                let now = Now { mono: gathered.table.at, wall };
                effects = containment.step(now, &gathered.table, &verdicts, &standing);
            }
            reporter.tell(&readings.alerts, wall, &verdicts, |key| containment.contained(key));
        }
        // Before anything else: what contains must not wait for what is shown.
        self.perform(effects, ctx);
        self.hand_over_again(ctx);
        let shown = &readings.sentinel;
        shown.publish(Snapshot {
            id: shown.next_id(),
            at: crate::clock::wall(),
            judged: began,
            up: gathered.up,
            intents: self.memory.lock().containment.intents(),
            nodes: gathered.nodes,
            orders: gathered.orders,
            table: gathered.table,
            verdicts,
        });
        // From the instant at which the evidence was taken: a slow judgement is not a fresh one.
        self.plan.lease.renew(began, self.plan.lasts);
    }

    /// Keeps the evidence behind what changed. What anomalies say rests on more than one table and is not kept.
    fn keep(&self, table: &Table, verdicts: &Verdicts) {
        if let Some(recorder) = &mut self.memory.lock().recorder {
            recorder.note(&self.plan.health, table, verdicts);
        }
    }
}

/// Declares the cell.
#[must_use]
pub fn declare(plan: SentinelPlan, wires: SentinelWires) -> (Handle<Sentinel>, Cell<Sentinel>) {
    let containment = Containment::new(plan.containment.clone());
    let anomalies = Anomalies::new(plan.anomalies);
    let memory = Arc::new(Mutex::new(Memory { containment, anomalies, ..Memory::default() }));
    cell("sentinel", spec(), move |_: &mut Ctx<Sentinel>| {
        let mut held = memory.lock();
        if held.recorder.is_none() {
            held.recorder = plan.record_in.as_deref().and_then(Recorder::start);
        }
        drop(held);
        let began = wires.get().map(|watched| watched.readings.sentinel.began());
        let began = began.unwrap_or_else(crate::clock::monotonic);
        Ok(Sentinel {
            plan: plan.clone(),
            wires: Arc::clone(&wires),
            gatherer: Gatherer::new(began),
            memory: Arc::clone(&memory),
            tasks: JoinSet::new(),
        })
    })
}

fn spec() -> ChildSpec {
    ChildSpec {
        placement: Placement::OwnThread,
        hang: HangLimits { handler: HANDLER_MAX, wait: HANDLER_MAX, action: OnHang::Replace },
        backoff: Backoff::exponential(BACKOFF, HANDLER_MAX),
        metadata: vec![("workload".to_owned(), "judges all evidence, keeps the lease".to_owned())],
        ..ChildSpec::default()
    }
}
