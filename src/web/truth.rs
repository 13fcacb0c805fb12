//! One judgement behind `/livez`, `/readyz`, `/health`, `/metrics` and the status, named by one id.
//!
//! It is the sentinel's: the tree's real state, the order management's, and what was judged of every component, all of
//! one instant. It fails closed: a component that is not running is not healthy, whatever else answers, a phase other
//! than running takes no orders, and when the sentinel is silent nothing that it said before counts.

use crate::actors::sentinel::{OrderPath, SentinelReadings, Snapshot};
use crate::domain::containment::Intent;
use crate::domain::health::{Locality, Severity, Status, Verdict, Verdicts};
use crate::domain::oms::Phase;
use crate::supervision::{Node, NodeKind, NodeState, Tree};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Silence of the journal after which it no longer counts as writable.
const JOURNAL_SILENCE_MAX: Duration = Duration::from_secs(10);
/// The component and gate of the sentinel itself.
const SENTINEL: &str = "sentinel";

/// A condition for trading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// Its name.
    pub name: String,
    /// Whether it is open.
    pub open: bool,
    /// Why not, or what was seen.
    pub reason: String,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Rises with every judgement of this process; that of the last one when nothing is judged any more.
    pub id: u64,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Whether the tree was up and not ending.
    pub up: bool,
    /// The tree.
    pub nodes: Vec<Node>,
    /// The gates, all of them.
    pub gates: Vec<Gate>,
    /// The order path, in a process that has one.
    pub orders: Option<OrderPath>,
    /// What was judged of every component, the sentinel among them.
    pub verdicts: Verdicts,
    /// What was done by itself: what ended, the latest last, then what is under way.
    pub intents: Vec<Intent>,
    /// Is it a judgement that is still good?
    pub judged: bool,
}

impl Truth {
    /// A judgement of the sentinel that is still good.
    fn judged(snapshot: &Snapshot, age: Duration) -> Self {
        let mut verdicts = snapshot.verdicts.clone();
        let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        verdicts.0.push(Verdict::healthy(SENTINEL, "it judges").aged(Some(age_ms)));
        let (nodes, orders) = (snapshot.nodes.clone(), snapshot.orders.clone());
        let sentinel = Gate { name: SENTINEL.to_owned(), open: true, reason: "it judges".to_owned() };
        let judged = Self::of((snapshot.id, snapshot.at), snapshot.up, nodes, orders, (verdicts, sentinel));
        Self { intents: snapshot.intents.clone(), ..judged }
    }

    /// What can be said without the sentinel: the tree and the order path as they show themselves, and of everything
    /// that was judged before only that nobody knows.
    fn unjudged(latest: Option<&Snapshot>, age: Duration, tree: &Tree, orders: Option<OrderPath>) -> Self {
        let seconds = age.as_secs_f64();
        let reason = match latest {
            Some(_) => format!("nothing was judged for {seconds:.1} s"),
            None => format!("nothing was judged yet, {seconds:.1} s after the start"),
        };
        let unknown = |verdict: &Verdict| {
            let words = format!("unknown: {reason}; before that: {}", verdict.reason);
            let verdict = Verdict { runbook: None, ..verdict.clone() };
            Verdict { status: Status::Unknown, severity: Severity::Critical, reason: words, ..verdict }
        };
        let mut verdicts: Vec<Verdict> =
            latest.map(|snapshot| snapshot.verdicts.0.iter().map(unknown).collect()).unwrap_or_default();
        let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        verdicts.push(
            Verdict::bad(SENTINEL, Status::Stalled, Severity::Critical, reason.clone())
                .aged(Some(age_ms))
                .at(Locality::Local)
                .raising("sentinel_stale", "process"),
        );
        let gate = Gate { name: SENTINEL.to_owned(), open: false, reason };
        let id = latest.map_or(0, |snapshot| snapshot.id);
        let name = (id, crate::clock::wall());
        let mut truth = Self::of(name, tree.is_up(), tree.snapshot(), orders, (Verdicts(verdicts), gate));
        truth.judged = false;
        truth
    }

    fn of(
        (id, at): (u64, DateTime<Utc>),
        up: bool,
        nodes: Vec<Node>,
        orders: Option<OrderPath>,
        (verdicts, sentinel): (Verdicts, Gate),
    ) -> Self {
        let tree_gate = Gate {
            name: "tree".to_owned(),
            open: up,
            reason: if up {
                "every component was started".to_owned()
            } else {
                "starting or ending".to_owned()
            },
        };
        let workers = nodes.iter().filter(|node| node.kind == NodeKind::Worker).map(gate);
        let needed = orders.iter().flat_map(order_gates);
        let truths = verdicts.0.iter().filter_map(truth_gate);
        let gates = [tree_gate, sentinel].into_iter().chain(workers).chain(needed).chain(truths).collect();
        Self { id, at, up, nodes, gates, orders, verdicts, intents: Vec::new(), judged: true }
    }

    /// Whether every gate is open.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.gates.iter().all(|gate| gate.open)
    }

    /// The names of the closed gates.
    pub fn failing(&self) -> impl Iterator<Item = &Gate> {
        self.gates.iter().filter(|gate| !gate.open)
    }
}

/// What trading rests on and no other gate asks for: sessions, feeds and what lies between them, clocks, strategies.
fn truth_gate(verdict: &Verdict) -> Option<Gate> {
    const RESTS_ON: [&str; 6] = ["ingest/", "publish/", "feed/", "execution/", "clock", "strategy/"];
    let needed = RESTS_ON.iter().any(|kind| verdict.component.starts_with(kind));
    needed.then(|| Gate {
        name: format!("truth/{}", verdict.component),
        open: verdict.severity != Severity::Critical && verdict.status != Status::Unknown,
        reason: verdict.reason.clone(),
    })
}

/// A worker is a gate: running, or declined to start because there was nothing to do.
fn gate(node: &Node) -> Gate {
    let declined = node.state == NodeState::Stopped && node.epoch > 0 && node.last_failure.is_none();
    let open = node.state == NodeState::Running || declined;
    let state = serde_json::to_value(node.state).ok().and_then(|v| v.as_str().map(str::to_owned));
    let state = state.unwrap_or_default();
    let reason = match (&node.last_failure, open) {
        (Some(failure), false) => format!("{state} for {:.1} s: {failure}", node.age_seconds),
        _ => format!("{state} for {:.1} s", node.age_seconds),
    };
    Gate { name: node.path.clone(), open, reason }
}

/// What the order path needs: a phase that takes orders, a journal that can write, each venue, each price.
fn order_gates(path: &OrderPath) -> Vec<Gate> {
    let oms = &path.oms;
    let phase = Gate {
        name: "phase".to_owned(),
        open: oms.phase == Phase::Running,
        reason: match serde_json::to_value(oms.phase) {
            Ok(serde_json::Value::String(word)) if oms.reason.is_empty() => word,
            Ok(serde_json::Value::String(word)) => format!("{word}: {}", oms.reason),
            _ => oms.reason.clone(),
        },
    };
    let cannot = match (&path.journal.failure, path.journal_idle) {
        (Some(failure), _) => Some(failure.clone()),
        (None, None) => Some("nothing was written yet".to_owned()),
        // An idle journal proves itself with a small write every two seconds.
        (None, Some(idle)) if idle > JOURNAL_SILENCE_MAX => {
            Some(format!("the last write was {:.1} s ago", idle.as_secs_f64()))
        }
        (None, Some(_)) if !path.journal.writable || !oms.journal_writable => {
            Some("it cannot be written".to_owned())
        }
        (None, Some(_)) => None,
    };
    let journal = Gate {
        name: "journal".to_owned(),
        open: cannot.is_none(),
        reason: cannot.unwrap_or_else(|| "writable".to_owned()),
    };
    let venues = oms.gates.iter().map(|gate| Gate {
        name: format!("venue/{}", gate.venue),
        open: gate.open,
        reason: gate.reason.clone(),
    });
    // Without a price the risk chain lets nothing through.
    let prices = oms.prices.iter().map(|price| Gate {
        name: format!("price/{}/{}", price.venue, price.symbol),
        open: price.known,
        reason: if price.known { "known" } else { "no book in step" }.to_owned(),
    });
    [phase, journal].into_iter().chain(venues).chain(prices).collect()
}

/// Keeps what was last made of a judgement, so that many askers cost one.
#[derive(Default)]
pub(super) struct Truths(Mutex<Option<Arc<Truth>>>);

impl Truths {
    /// The judgement that is good now, or what can be said without one.
    pub(super) fn current(
        &self,
        now: Instant,
        sentinel: &SentinelReadings,
        tree: &Tree,
        orders: impl FnOnce() -> Option<OrderPath>,
    ) -> Arc<Truth> {
        let (latest, age) = (sentinel.latest(), sentinel.age(now));
        let Some(snapshot) = latest.as_ref().filter(|_| age <= sentinel.lasts()) else {
            return Arc::new(Truth::unjudged(latest.as_deref(), age, tree, orders()));
        };
        let mut slot = self.0.lock();
        if let Some(truth) = slot.as_ref().filter(|truth| truth.id == snapshot.id) {
            return Arc::clone(truth);
        }
        let truth = Arc::new(Truth::judged(snapshot, age));
        *slot = Some(Arc::clone(&truth));
        truth
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::journal::JournalReading;
    use crate::actors::oms::{OmsView, VenueGate};
    use std::collections::BTreeMap;

    fn node(path: &str, state: NodeState, last_failure: Option<&str>) -> Node {
        Node {
            path: path.to_owned(),
            kind: NodeKind::Worker,
            state,
            epoch: 1,
            restarts: 0,
            age_seconds: 1.0,
            mailbox_depth: 0,
            handled: 0,
            last_failure: last_failure.map(str::to_owned),
            last_failure_age_seconds: None,
            dead_letters: BTreeMap::new(),
            limits: BTreeMap::new(),
            metadata: BTreeMap::new(),
        }
    }

    fn of(up: bool, nodes: Vec<Node>, orders: Option<OrderPath>) -> Truth {
        let sentinel = Gate { name: SENTINEL.to_owned(), open: true, reason: String::new() };
        Truth::of((1, crate::clock::wall()), up, nodes, orders, (Verdicts::default(), sentinel))
    }

    #[test]
    fn only_running_components_and_an_up_tree_are_ready() {
        let running = node("r/a", NodeState::Running, Some("long ago"));
        assert!(of(true, vec![running.clone()], None).is_ready());
        assert!(!of(false, vec![running], None).is_ready(), "the tree must be up");
        for state in [NodeState::Starting, NodeState::Backoff, NodeState::Stopping, NodeState::Failed] {
            let truth = of(true, vec![node("r/a", state, Some("boom"))], None);
            let failing: Vec<&Gate> = truth.failing().collect();
            assert_eq!(failing.len(), 1, "{state:?}");
            assert!(failing[0].reason.contains("boom"), "{:?}", failing[0]);
        }
        assert!(of(true, vec![node("r/a", NodeState::Stopped, None)], None).is_ready(), "declined");
        assert!(!of(true, vec![node("r/a", NodeState::Stopped, Some("x"))], None).is_ready());
    }

    #[test]
    fn orders_need_a_running_phase_a_journal_and_every_venue() {
        let venue = |open| VenueGate {
            venue: crate::domain::ids::VenueId::new("paper").unwrap(),
            open,
            reason: "x".to_owned(),
        };
        let good = OrderPath {
            oms: OmsView {
                phase: Phase::Running,
                journal_writable: true,
                gates: vec![venue(true)],
                ..OmsView::default()
            },
            journal: JournalReading { writable: true, ..JournalReading::default() },
            journal_idle: Some(Duration::from_secs(2)),
        };
        let failing = |change: fn(&mut OrderPath)| {
            let mut path = good.clone();
            change(&mut path);
            let truth = of(true, Vec::new(), Some(path));
            truth.failing().map(|gate| gate.name.clone()).collect::<Vec<_>>()
        };
        assert!(failing(|_| {}).is_empty());
        assert_eq!(failing(|path| path.oms.phase = Phase::Halted), ["phase"]);
        assert_eq!(failing(|path| path.oms.journal_writable = false), ["journal"]);
        assert_eq!(failing(|path| path.journal.writable = false), ["journal"]);
        assert_eq!(failing(|path| path.journal.failure = Some("full".to_owned())), ["journal"]);
        assert_eq!(failing(|path| path.journal_idle = Some(Duration::from_secs(11))), ["journal"]);
        assert_eq!(failing(|path| path.journal_idle = None), ["journal"]);
        assert_eq!(
            failing(|path| path.oms.gates.iter_mut().for_each(|gate| gate.open = false)),
            ["venue/paper"]
        );
        assert_eq!(failing(|path| path.oms = OmsView::default()), ["phase", "journal"], "nothing is assumed");
    }

    #[test]
    fn what_trading_rests_on_is_a_gate_and_nothing_unknown_is_open() {
        let sentinel = || Gate { name: SENTINEL.to_owned(), open: true, reason: String::new() };
        let failing = |verdict: Verdict| {
            let verdicts = Verdicts(vec![verdict]);
            let truth = Truth::of((1, crate::clock::wall()), true, Vec::new(), None, (verdicts, sentinel()));
            truth.failing().map(|gate| gate.name.clone()).collect::<Vec<_>>()
        };
        let feed = |status, severity| Verdict::bad("feed/paper/X", status, severity, "x");
        assert_eq!(failing(feed(Status::Stale, Severity::Critical)), ["truth/feed/paper/X"]);
        assert_eq!(failing(feed(Status::Unknown, Severity::Warning)), ["truth/feed/paper/X"]);
        assert!(failing(feed(Status::Degraded, Severity::Warning)).is_empty());
        assert!(failing(Verdict::bad("dashboard", Status::Stale, Severity::Critical, "x")).is_empty());
    }
}
