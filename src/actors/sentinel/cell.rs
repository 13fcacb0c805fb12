//! The sentinel's shell: on every tick it gathers evidence, lets the judge judge, says what stands, shows it, and only
//! then renews the lease that the order path needs.
//!
//! It owns the snapshot behind the health routes and the conditions of health on the alert board. It promises: what is
//! shown was judged by [`judge`] from the evidence shown beside it; the lease is renewed after a judgement whose
//! consequences were handed on, and by nothing else. It receives no messages. When it dies or hangs, the lease runs
//! out, [`super::watch`] says so without it, and its successor goes on with what was said. It decides nothing about
//! orders.

use super::gather::Gatherer;
use super::plan::SentinelPlan;
use super::readings::Snapshot;
use super::report::Reporter;
use crate::actors::Readings;
use crate::domain::health::{TreeWord, judge};
use crate::supervision::{Backoff, Cell, ChildSpec, Ctx, Handle, HangLimits, OnHang, Placement, cell};
use actix::{Actor, AsyncContext};
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A tick is well under a millisecond; whoever hangs this long is replaced.
const HANDLER_MAX: Duration = Duration::from_secs(2);
/// First pause before a replacement; trading stands while there is none.
const BACKOFF: Duration = Duration::from_millis(50);

/// Everything that it reads; set once, before the tree starts, when all of it is known.
pub type SentinelWires = Arc<OnceLock<Readings>>;

/// See the module's head.
pub struct Sentinel {
    plan: SentinelPlan,
    wires: SentinelWires,
    gatherer: Gatherer,
    reporter: Arc<Mutex<Reporter>>,
}

impl Actor for Sentinel {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.tick();
        ctx.run_interval(self.plan.tick, |sentinel, _| sentinel.tick());
    }
}

impl Sentinel {
    fn tick(&mut self) {
        let Some(readings) = self.wires.get() else { return };
        let began = crate::clock::monotonic();
        let gathered = self.gatherer.gather(readings, began);
        let verdicts = judge(&gathered.table, &self.plan.health, gathered.table.at);
        // What ends is meant to; what stood before is left as it was said.
        if gathered.table.tree != TreeWord::Ending {
            self.reporter.lock().tell(&readings.alerts, gathered.table.wall, &verdicts, |_| None);
        }
        let shown = &readings.sentinel;
        shown.publish(Snapshot {
            id: shown.next_id(),
            at: crate::clock::wall(),
            judged: began,
            up: gathered.table.tree == TreeWord::Up,
            nodes: gathered.nodes,
            orders: gathered.orders,
            table: gathered.table,
            verdicts,
        });
        // From the instant at which the evidence was taken: a slow judgement is not a fresh one.
        self.plan.lease.renew(began, self.plan.lasts);
    }
}

/// Declares the cell.
#[must_use]
pub fn declare(plan: SentinelPlan, wires: SentinelWires) -> (Handle<Sentinel>, Cell<Sentinel>) {
    let reporter = Arc::new(Mutex::new(Reporter::default()));
    cell("sentinel", spec(), move |_: &mut Ctx<Sentinel>| {
        let began = wires.get().map_or_else(crate::clock::monotonic, |readings| readings.sentinel.began());
        Ok(Sentinel {
            plan: plan.clone(),
            wires: Arc::clone(&wires),
            gatherer: Gatherer::new(began),
            reporter: Arc::clone(&reporter),
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
