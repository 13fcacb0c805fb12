//! The evidence: what each component last did, stage by stage. Facts only; no word in it says "healthy".
//!
//! All instants are monotonic milliseconds of one clock, the sentinel's. `None` means never, or not known, which is
//! the same to a judge. A table can be written to a file and judged again.

use crate::domain::connection::State;
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::domain::oms::Phase;
use crate::domain::time::{Mono, WallMs};
use serde::{Deserialize, Serialize};

/// Everything that is known at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// When it was gathered.
    pub at: Mono,
    /// The same on the wall clock; market hours are read from it.
    pub wall: WallMs,
    /// Since when there is anybody who gathers.
    pub began: Mono,
    /// The supervision tree.
    pub tree: TreeWord,
    /// Its workers and supervisors.
    pub nodes: Vec<NodeFact>,
    /// Each configured venue.
    pub venues: Vec<VenueFact>,
    /// The order management; `None` when nothing trades here.
    pub executor: Option<ExecutorFact>,
    /// The journal; `None` when nothing trades here.
    pub journal: Option<JournalFact>,
    /// Each built-in strategy.
    pub strategies: Vec<StrategyFact>,
    /// The alerting path; `None` when this process has none.
    pub alerting: Option<AlertingFact>,
    /// The operator's page and the event streams; `None` when nothing trades here.
    pub page: Option<PageFact>,
    /// The clock sentry.
    pub clock: Option<ClockFact>,
}

/// How far the tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TreeWord {
    /// Not everything was started.
    Starting,
    /// Everything was started.
    Up,
    /// It is ending.
    Ending,
}

/// One node of the tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeFact {
    /// From the root.
    pub path: String,
    /// Does it work, or only supervise?
    pub worker: bool,
    /// Where it stands.
    pub state: NodeWord,
    /// Since when.
    pub since: Mono,
    /// Its incarnation; 0 before the first.
    pub epoch: u64,
    /// Incarnations after the first.
    pub restarts: u64,
    /// Messages that wait.
    pub depth: u64,
    /// Messages handled.
    pub handled: u64,
    /// Its last abnormal end.
    pub last_failure: Option<String>,
    /// When that was.
    pub failed_at: Option<Mono>,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeWord {
    /// Being started.
    Starting,
    /// Up.
    Running,
    /// Down; a restart is planned.
    Backoff,
    /// Asked to stop.
    Stopping,
    /// Not started, ended or terminated.
    Stopped,
    /// Failed too often.
    Failed,
}

/// A stage of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A data frame came over the wire; pings do not count.
    Received,
    /// It could be read.
    Decoded,
    /// It was handed on.
    Published,
    /// Somebody took it and acted on it.
    Consumed,
    /// What followed is on disk.
    Journaled,
    /// A reader of the page or of a stream was told.
    Shown,
}

/// How far a flow came at one stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageFact {
    /// Which.
    pub stage: Stage,
    /// Last progress.
    pub last: Option<Mono>,
    /// What passed, since `epoch` began.
    pub count: u64,
    /// What was lost here, said openly.
    pub lost: u64,
    /// The number that the flow itself carries, where it has one.
    pub sequence: Option<u64>,
    /// Which incarnation counts.
    pub epoch: u64,
}

/// A session with a venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFact {
    /// Where it stands.
    pub state: State,
    /// When its own cell last wrote these facts down.
    pub read_at: Mono,
    /// When it was last seen with an open socket.
    pub open_at: Option<Mono>,
    /// When it was last seen live.
    pub live_at: Option<Mono>,
    /// Any frame, pings included.
    pub last_frame: Option<Mono>,
    /// Dials.
    pub attempts: u64,
    /// Sessions after the first.
    pub reconnects: u64,
    /// Data frames that could not be read.
    pub undecodable: u64,
    /// Received, decoded, published, consumed, and so on.
    pub stages: Vec<StageFact>,
}

impl SessionFact {
    /// One stage.
    #[must_use]
    pub fn stage(&self, stage: Stage) -> Option<&StageFact> {
        self.stages.iter().find(|fact| fact.stage == stage)
    }
}

/// One instrument's market data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedFact {
    /// Instrument.
    pub symbol: Symbol,
    /// Last data of it, as its session saw it.
    pub last_data: Option<Mono>,
    /// When it last reached the board that everybody reads prices from.
    pub heard: Option<Mono>,
    /// Is its book in step with the venue's?
    pub in_step: bool,
    /// When the book was last seen in step.
    pub in_step_at: Option<Mono>,
    /// The book's last update.
    pub update_id: u64,
    /// Times the book was lost.
    pub resyncs: u64,
}

/// A venue's heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatFact {
    /// Missed intervals in a row.
    pub in_a_row: u32,
    /// Good answers.
    pub beats: u64,
    /// Of the last answer.
    pub latency_ms: Option<u64>,
    /// When `beats` last rose.
    pub last_beat: Option<Mono>,
    /// How often it asks.
    pub interval_ms: u64,
}

/// One venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueFact {
    /// Which.
    pub venue: VenueId,
    /// Its market session; `None` before the first word of it.
    pub market: Option<SessionFact>,
    /// Its order session; `None` before the first word of it.
    pub orders: Option<SessionFact>,
    /// Its instruments, as configured.
    pub feeds: Vec<FeedFact>,
    /// Why no orders go there; `None` when they do.
    pub closed: Option<String>,
    /// Its heartbeat; `None` when there is none.
    pub heartbeat: Option<HeartbeatFact>,
    /// Its clock minus ours, milliseconds; `None` before the first measurement.
    pub clock_offset_ms: Option<i64>,
}

/// The order management.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutorFact {
    /// How far it is.
    pub phase: Phase,
    /// When it last said so.
    pub renewed: Option<Mono>,
    /// Counts its changes of state.
    pub version: u64,
    /// Changes that it has told.
    pub changes: u64,
}

impl ExecutorFact {
    /// May new orders be taken?
    #[must_use]
    pub const fn is_armed(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::ReduceOnly)
    }
}

/// The journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalFact {
    /// It can write, as far as the last attempt says.
    pub writable: bool,
    /// When a write last succeeded.
    pub last_write: Option<Mono>,
    /// Why it cannot, or cannot be trusted.
    pub failure: Option<String>,
    /// Rows that wait.
    pub waiting: u64,
    /// Its last row.
    pub head: u64,
    /// Less than the limit is free on its disk.
    pub disk_low: bool,
    /// Free bytes on its disk.
    pub free_bytes: Option<u64>,
}

/// One built-in strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyFact {
    /// Which.
    pub strategy: StrategyId,
    /// Where it trades.
    pub venue: VenueId,
    /// What it trades.
    pub symbol: Symbol,
    /// Was it told where it stands?
    pub greeted: bool,
    /// May it trade now, by its own knowledge?
    pub trading: bool,
    /// Market events that it took.
    pub market: StageFact,
}

/// The alerting path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertingFact {
    /// When the router last judged its conditions.
    pub judged: Option<Mono>,
    /// When a transition was last committed, or nothing was to be committed.
    pub committed: Option<Mono>,
    /// Its oldest delivery that is due and not made.
    pub overdue_since: Option<Mono>,
    /// Each channel.
    pub channels: Vec<ChannelFact>,
}

/// One way out of the building.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelFact {
    /// Its name.
    pub name: String,
    /// Last confirmed delivery.
    pub delivered: Option<Mono>,
    /// Failures in a row.
    pub failures: u64,
    /// What the last one said.
    pub last_error: Option<String>,
}

/// The operator's page and the event streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFact {
    /// When what it reads from was last renewed.
    pub source: Option<Mono>,
    /// Changes told to streams: how many, the last one's number, and what fell behind.
    pub shown: StageFact,
    /// Streams that are open.
    pub streams: u64,
    /// When a read for the page last failed.
    pub read_failed: Option<Mono>,
}

/// The clock sentry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockFact {
    /// When it last looked.
    pub looked: Mono,
    /// The last step beyond its limit, milliseconds, positive when the wall clock jumped ahead; and when.
    pub stepped: Option<(i64, Mono)>,
}
