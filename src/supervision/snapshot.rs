//! What can be seen of a tree at any moment, from any thread, without asking the control loop.
//!
//! Each node has a card. The control loop writes state changes to it; depth and counts come from the
//! mailbox's own books. So the snapshot stays true while an actor, or the control loop itself, is stuck.

use super::clock::{Moment, TreeClock};
use super::ledger::{DeadLetter, Ledger};
use super::machine::{ChildState, Epoch};
use super::spec::{
    Backoff, ChildSpec, Intensity, OnHang, OnRestart, Placement, Restart, Shutdown, SupervisorSpec,
};
use parking_lot::{Mutex, RwLock};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What kind of node it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A supervisor.
    Supervisor,
    /// A supervised actor.
    Worker,
    /// An ad-hoc background task.
    Task,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// An incarnation was started and is not up yet.
    Starting,
    /// An incarnation is up.
    Running,
    /// Down; a restart is planned.
    Backoff,
    /// Asked to stop.
    Stopping,
    /// Not started, ended or terminated.
    Stopped,
    /// Its failure exceeded the intensity.
    Failed,
}

impl From<ChildState> for NodeState {
    fn from(state: ChildState) -> Self {
        match state {
            ChildState::Starting => Self::Starting,
            ChildState::Running => Self::Running,
            ChildState::Backoff => Self::Backoff,
            ChildState::Stopping => Self::Stopping,
            ChildState::Waiting | ChildState::Stopped => Self::Stopped,
            ChildState::Failed => Self::Failed,
        }
    }
}

/// One node of the tree as `GET /api/v1/supervision` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Node {
    /// Slash-separated from the root.
    pub path: String,
    /// Supervisor, worker or task.
    pub kind: NodeKind,
    /// Where it stands.
    pub state: NodeState,
    /// Current or last incarnation; 0 before the first.
    pub epoch: Epoch,
    /// Incarnations after the first.
    pub restarts: u64,
    /// Time in this state, seconds.
    pub age_seconds: f64,
    /// Messages that wait; exact, also while the actor is blocked.
    pub mailbox_depth: usize,
    /// Messages given to handlers since the tree was built.
    pub handled: u64,
    /// The last abnormal end.
    pub last_failure: Option<String>,
    /// Time since it, seconds.
    pub last_failure_age_seconds: Option<f64>,
    /// Messages not handled to their end, by reason; only reasons that occurred.
    pub dead_letters: BTreeMap<&'static str, u64>,
    /// The limits in force; units are in the names.
    pub limits: BTreeMap<&'static str, serde_json::Value>,
    /// Free facts, such as the kind of workload.
    pub metadata: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Card {
    state: NodeState,
    epoch: Epoch,
    starts: u64,
    since: Moment,
    last_failure: Option<(String, Moment)>,
}

/// The live record behind a [`Node`].
#[derive(Debug)]
pub(super) struct NodeCard {
    /// Rises from card to card: the order in which they are shown, and the key to strike one by.
    serial: u64,
    path: String,
    kind: NodeKind,
    limits: BTreeMap<&'static str, serde_json::Value>,
    metadata: BTreeMap<String, String>,
    ledger: Option<Arc<Ledger>>,
    card: Mutex<Card>,
}

impl NodeCard {
    pub(super) fn worker(path: String, spec: &ChildSpec, ledger: Arc<Ledger>, now: Moment) -> Arc<Self> {
        let metadata = spec.metadata.iter().cloned().collect();
        Self::new(path, NodeKind::Worker, worker_limits(spec), metadata, Some(ledger), now)
    }

    pub(super) fn supervisor(path: String, spec: &SupervisorSpec, now: Moment) -> Arc<Self> {
        Self::new(path, NodeKind::Supervisor, supervisor_limits(spec), BTreeMap::new(), None, now)
    }

    pub(super) fn task(
        path: String,
        metadata: BTreeMap<String, String>,
        limit: Duration,
        now: Moment,
    ) -> Arc<Self> {
        let limits = BTreeMap::from([("shutdown_seconds", seconds(limit))]);
        let card = Self::new(path, NodeKind::Task, limits, metadata, None, now);
        card.started(1, now);
        card.moved(NodeState::Running, now);
        card
    }

    fn new(
        path: String,
        kind: NodeKind,
        limits: BTreeMap<&'static str, serde_json::Value>,
        metadata: BTreeMap<String, String>,
        ledger: Option<Arc<Ledger>>,
        now: Moment,
    ) -> Arc<Self> {
        let card = Card { state: NodeState::Stopped, epoch: 0, starts: 0, since: now, last_failure: None };
        let serial = NEXT_SERIAL.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { serial, path, kind, limits, metadata, ledger, card: Mutex::new(card) })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn started(&self, epoch: Epoch, now: Moment) {
        let mut card = self.card.lock();
        card.epoch = epoch;
        card.starts += 1;
        card.state = NodeState::Starting;
        card.since = now;
    }

    pub(super) fn moved(&self, state: NodeState, now: Moment) {
        let mut card = self.card.lock();
        if card.state != state {
            card.state = state;
            card.since = now;
        }
    }

    pub(super) fn failed(&self, reason: String, now: Moment) {
        self.card.lock().last_failure = Some((reason, now));
    }

    pub(super) fn state(&self) -> NodeState {
        self.card.lock().state
    }

    pub(super) fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    pub(super) fn node(&self, now: Moment) -> Node {
        let card = self.card.lock();
        let age = |since: Moment| now.since(since).as_secs_f64();
        let dead = |ledger: &Arc<Ledger>| {
            DeadLetter::ALL
                .iter()
                .map(|reason| (reason.name(), ledger.dead_letters(*reason)))
                .filter(|(_, n)| *n > 0)
                .collect()
        };
        Node {
            path: self.path.clone(),
            kind: self.kind,
            state: card.state,
            epoch: card.epoch,
            restarts: card.starts.saturating_sub(1),
            age_seconds: age(card.since),
            mailbox_depth: self.ledger.as_ref().map_or(0, |l| l.depth()),
            handled: self.ledger.as_ref().map_or(0, |l| l.handled()),
            last_failure: card.last_failure.as_ref().map(|(reason, _)| reason.clone()),
            last_failure_age_seconds: card.last_failure.as_ref().map(|(_, at)| age(*at)),
            dead_letters: self.ledger.as_ref().map(dead).unwrap_or_default(),
            limits: self.limits.clone(),
            metadata: self.metadata.clone(),
        }
    }
}

/// All cards of a tree, in start order; dynamic children and tasks follow.
#[derive(Debug, Default)]
pub(super) struct Cards(RwLock<BTreeMap<u64, Arc<NodeCard>>>);

static NEXT_SERIAL: AtomicU64 = AtomicU64::new(0);

impl Cards {
    pub(super) fn add(&self, card: Arc<NodeCard>) {
        self.0.write().insert(card.serial, card);
    }

    pub(super) fn remove(&self, card: &Arc<NodeCard>) {
        self.0.write().remove(&card.serial);
    }

    pub(super) fn all(&self) -> Vec<Arc<NodeCard>> {
        self.0.read().values().cloned().collect()
    }

    pub(super) fn nodes(&self, clock: &TreeClock) -> Vec<Node> {
        let now = clock.now();
        self.all().iter().map(|card| card.node(now)).collect()
    }
}

fn seconds(duration: Duration) -> serde_json::Value {
    serde_json::json!(duration.as_secs_f64())
}

fn intensity(limits: &mut BTreeMap<&'static str, serde_json::Value>, intensity: Intensity) {
    limits.insert("restarts_max", serde_json::json!(intensity.max_restarts));
    limits.insert("restart_period_seconds", seconds(intensity.period));
}

fn backoff(limits: &mut BTreeMap<&'static str, serde_json::Value>, backoff: &Backoff) {
    limits.insert("backoff_base_seconds", seconds(backoff.base));
    limits.insert("backoff_cap_seconds", seconds(backoff.cap));
    limits.insert("backoff_reset_seconds", seconds(backoff.reset_after));
}

fn restart_name(restart: Restart) -> serde_json::Value {
    serde_json::json!(match restart {
        Restart::Permanent => "permanent",
        Restart::Transient => "transient",
        Restart::Temporary => "temporary",
    })
}

fn worker_limits(spec: &ChildSpec) -> BTreeMap<&'static str, serde_json::Value> {
    let mut limits = BTreeMap::from([
        ("restart", restart_name(spec.restart)),
        ("start_timeout_seconds", seconds(spec.start_timeout)),
        ("hang_handler_seconds", seconds(spec.hang.handler)),
        ("hang_wait_seconds", seconds(spec.hang.wait)),
        ("mailbox_capacity", serde_json::json!(spec.mailbox.capacity)),
    ]);
    let on_hang = match spec.hang.action {
        OnHang::Replace => "replace",
        OnHang::Abort => "abort",
    };
    limits.insert("on_hang", serde_json::json!(on_hang));
    let shutdown = match spec.shutdown {
        Shutdown::Graceful(within) => seconds(within),
        Shutdown::BrutalKill => serde_json::json!("brutal_kill"),
        Shutdown::Infinity => serde_json::json!("infinity"),
    };
    limits.insert("shutdown_seconds", shutdown);
    let placement = match &spec.placement {
        Placement::OwnThread => "own_thread".to_owned(),
        Placement::Shared(name) => format!("shared:{name}"),
        Placement::Local => "local".to_owned(),
    };
    limits.insert("placement", serde_json::json!(placement));
    let on_restart = match spec.mailbox.on_restart {
        OnRestart::Keep => "keep".to_owned(),
        OnRestart::Drop => "drop".to_owned(),
        OnRestart::KeepYoungerThan(age) => format!("keep_younger_than {}s", age.as_secs_f64()),
    };
    limits.insert("mailbox_on_restart", serde_json::json!(on_restart));
    backoff(&mut limits, &spec.backoff);
    if let Some(own) = spec.intensity {
        intensity(&mut limits, own);
    }
    limits
}

fn supervisor_limits(spec: &SupervisorSpec) -> BTreeMap<&'static str, serde_json::Value> {
    let strategy = match spec.strategy {
        super::spec::Strategy::OneForOne => "one_for_one",
        super::spec::Strategy::OneForAll => "one_for_all",
        super::spec::Strategy::RestForOne => "rest_for_one",
    };
    let mut limits = BTreeMap::from([
        ("strategy", serde_json::json!(strategy)),
        ("restart", restart_name(spec.restart)),
        ("children_max", serde_json::json!(spec.children_max)),
    ]);
    intensity(&mut limits, spec.intensity);
    backoff(&mut limits, &spec.backoff);
    limits
}
