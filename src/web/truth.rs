//! One judgement behind `/livez`, `/readyz`, `/health`, `/metrics` and the status, named by one id.
//!
//! It is derived from the tree's real state and from the order management's, and fails closed: a component that is
//! not running is not healthy, whatever else answers, and a phase other than running takes no orders.

use crate::actors::journal::JournalReading;
use crate::actors::oms::OmsView;
use crate::domain::oms::Phase;
use crate::supervision::{Node, NodeKind, NodeState, Tree};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one judgement serves.
const SERVES_FOR: Duration = Duration::from_millis(250);
/// Silence of the journal after which it no longer counts as writable.
const JOURNAL_SILENCE_MAX: Duration = Duration::from_secs(10);

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

/// The order path as last heard.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderPath {
    /// The order management.
    pub oms: OmsView,
    /// The journal.
    pub journal: JournalReading,
    /// Since the journal last wrote something; `None` before its first write.
    pub journal_idle: Option<Duration>,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Rises with every judgement of this process.
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
}

impl Truth {
    /// Judges the tree as it is now, and the order path as last heard.
    #[must_use]
    pub fn judge(id: u64, tree: &Tree, orders: Option<OrderPath>) -> Self {
        Self::of(id, tree.is_up(), tree.snapshot(), orders)
    }

    fn of(id: u64, up: bool, nodes: Vec<Node>, orders: Option<OrderPath>) -> Self {
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
        let gates = std::iter::once(tree_gate).chain(workers).chain(needed).collect();
        Self { id, at: crate::clock::wall(), up, nodes, gates, orders }
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

/// Keeps the latest judgement, so that the routes that show it agree, and many askers cost one.
#[derive(Default)]
pub(super) struct Truths(Mutex<Latest>);

#[derive(Default)]
struct Latest {
    id: u64,
    made: Option<(Instant, Arc<Truth>)>,
}

impl Truths {
    pub(super) fn current(&self, now: Instant, judge: impl FnOnce(u64) -> Truth) -> Arc<Truth> {
        let mut slot = self.0.lock();
        if let Some((made, truth)) = &slot.made
            && now.saturating_duration_since(*made) < SERVES_FOR
        {
            return Arc::clone(truth);
        }
        slot.id += 1;
        let truth = Arc::new(judge(slot.id));
        slot.made = Some((now, Arc::clone(&truth)));
        truth
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::oms::VenueGate;
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

    #[test]
    fn only_running_components_and_an_up_tree_are_ready() {
        let running = node("r/a", NodeState::Running, Some("long ago"));
        assert!(Truth::of(1, true, vec![running.clone()], None).is_ready());
        assert!(!Truth::of(1, false, vec![running], None).is_ready(), "the tree must be up");
        for state in [NodeState::Starting, NodeState::Backoff, NodeState::Stopping, NodeState::Failed] {
            let truth = Truth::of(1, true, vec![node("r/a", state, Some("boom"))], None);
            let failing: Vec<&Gate> = truth.failing().collect();
            assert_eq!(failing.len(), 1, "{state:?}");
            assert!(failing[0].reason.contains("boom"), "{:?}", failing[0]);
        }
        assert!(Truth::of(1, true, vec![node("r/a", NodeState::Stopped, None)], None).is_ready(), "declined");
        assert!(!Truth::of(1, true, vec![node("r/a", NodeState::Stopped, Some("x"))], None).is_ready());
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
            let truth = Truth::of(1, true, Vec::new(), Some(path));
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
    fn askers_within_a_quarter_second_see_the_same_judgement() {
        let truths = Truths::default();
        let start = crate::clock::monotonic();
        let ask = |at| truths.current(at, |id| Truth::of(id, true, Vec::new(), None)).id;
        assert_eq!([ask(start), ask(start + SERVES_FOR / 2), ask(start + SERVES_FOR)], [1, 1, 2]);
    }
}
