//! The sentinel's shell: on every tick it gathers evidence, lets the judge judge, says what stands, shows it, and only
//! then renews the lease that the order path needs.
//!
//! It owns the snapshot behind the health routes and the conditions of health on the alert board. It promises: what is
//! shown was judged by [`judge`] from the evidence shown beside it; the lease is renewed after a judgement whose
//! consequences were handed on, and by nothing else. It receives nothing from others. When it dies or hangs, the lease runs
//! out, [`super::watch`] says so without it, and its successor goes on with what was said and done. It places no order,
//! and what it asks for by itself is listed in the configuration.

use super::act::{Hands, Refused};
use super::gather::Gatherer;
use super::plan::SentinelPlan;
use super::readings::Snapshot;
use super::report::Reporter;
use crate::actors::Readings;
use crate::domain::anomaly::Anomalies;
use crate::domain::containment::{Containment, Effect, Outcome};
use crate::domain::health::{TreeWord, judge};
use crate::domain::time::Mono;
use crate::supervision::{Backoff, Cell, ChildSpec, Ctx, Handle, HangLimits, OnHang, Placement, cell};
use actix::{Actor, AsyncContext, Handler};
use parking_lot::Mutex;
use std::rc::Rc;
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
struct Memory {
    reporter: Reporter,
    containment: Containment,
    anomalies: Anomalies,
}

/// See the module's head.
pub struct Sentinel {
    plan: SentinelPlan,
    wires: SentinelWires,
    gatherer: Gatherer,
    memory: Arc<Mutex<Memory>>,
    now: Mono,
    tasks: JoinSet<()>,
}

impl Actor for Sentinel {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.tick(ctx);
        ctx.run_interval(self.plan.tick, |sentinel, ctx| sentinel.tick(ctx));
    }
}

impl Handler<Refused> for Sentinel {
    type Result = ();

    fn handle(&mut self, refused: Refused, ctx: &mut Ctx<Self>) {
        let effects = self.memory.lock().containment.refused(self.now, refused.number, refused.why);
        self.perform(effects, ctx);
    }
}

impl Sentinel {
    fn tick(&mut self, ctx: &mut Ctx<Self>) {
        let Some(watched) = self.wires.get().cloned() else { return };
        let readings = &watched.readings;
        let began = crate::clock::monotonic();
        let gathered = self.gatherer.gather(readings, began);
        let mut verdicts = judge(&gathered.table, &self.plan.health, gathered.table.at);
        let unusual = self.memory.lock().anomalies.step(&gathered.table, &self.plan.health, &verdicts);
        verdicts.0.extend(unusual);
        self.now = gathered.table.at;
        let mut effects = Vec::new();
        // What ends is meant to; what stood before is left as it was said.
        if gathered.table.tree != TreeWord::Ending {
            let standing = watched.hands.standing(gathered.orders.as_ref());
            let mut memory = self.memory.lock();
            let Memory { reporter, containment, .. } = &mut *memory;
            effects = containment.step(self.now, &gathered.table, &verdicts, &standing);
            let wall = gathered.table.wall;
            reporter.tell(&readings.alerts, wall, &verdicts, |key| containment.contained(key));
        }
        // Before anything else: what contains must not wait for what is shown.
        self.perform(effects, ctx);
        let shown = &readings.sentinel;
        shown.publish(Snapshot {
            id: shown.next_id(),
            at: crate::clock::wall(),
            judged: began,
            up: gathered.table.tree == TreeWord::Up,
            intents: self.memory.lock().containment.intents(),
            nodes: gathered.nodes,
            orders: gathered.orders,
            table: gathered.table,
            verdicts,
        });
        // From the instant at which the evidence was taken: a slow judgement is not a fresh one.
        self.plan.lease.renew(began, self.plan.lasts);
    }

    fn perform(&mut self, effects: Vec<Effect>, ctx: &Ctx<Self>) {
        while self.tasks.try_join_next().is_some() {}
        let Some(watched) = self.wires.get() else { return };
        for effect in effects {
            match effect {
                Effect::Do(intent) => {
                    tracing::warn!(
                        event = "containment",
                        action = intent.action.word(),
                        because = intent.because,
                        precondition = intent.precondition,
                        verify = intent.verify,
                        "contained by itself"
                    );
                    let (hands, own) = (watched.hands.clone(), ctx.handle());
                    self.tasks.spawn_local(async move {
                        let number = intent.number;
                        if let Err(why) = hands.carry_out(Rc::new(intent)).await {
                            // Closed means that this incarnation has ended; the deadline ends the intent then.
                            let _ = own.tell(Refused { number, why });
                        }
                    });
                }
                Effect::Ended(intent) => match &intent.outcome {
                    Outcome::Failed(why) => tracing::error!(
                        event = "containment",
                        action = intent.action.word(),
                        because = intent.because,
                        why,
                        runbook = "armed_on_stale_truth",
                        "a containment has failed"
                    ),
                    Outcome::Verified | Outcome::Open => tracing::info!(
                        event = "containment",
                        action = intent.action.word(),
                        because = intent.because,
                        seen = intent.verify,
                        "a containment was seen to work"
                    ),
                },
                Effect::Exhausted { because, action } => tracing::error!(
                    event = "containment",
                    action = action.word(),
                    because,
                    runbook = "armed_on_stale_truth",
                    "the budget is used up: nothing more is done by itself, a person must act"
                ),
            }
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
        let began = wires.get().map(|watched| watched.readings.sentinel.began());
        let began = began.unwrap_or_else(crate::clock::monotonic);
        Ok(Sentinel {
            plan: plan.clone(),
            wires: Arc::clone(&wires),
            gatherer: Gatherer::new(began),
            memory: Arc::clone(&memory),
            now: Mono(0),
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
