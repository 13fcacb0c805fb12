//! What the screen shows of the process itself: strategies, parts, components, incidents, drift, and what happened.

use super::model::{Ms, Severity};

/// A strategy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Strategy {
    /// Its name.
    pub(crate) name: String,
    /// Switched on?
    pub(crate) enabled: bool,
    /// Does it trade now?
    pub(crate) trading: Option<bool>,
    /// Orders asked for, refused.
    pub(crate) submits: u64,
    /// Requests refused.
    pub(crate) refused: u64,
    /// Market events that it missed.
    pub(crate) missed: u64,
}

/// A part of the process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    /// From the root, separated by slashes.
    pub(crate) path: String,
    /// Its state on the wire.
    pub(crate) state: String,
    /// Does it work?
    pub(crate) good: bool,
    /// Is it on its way?
    pub(crate) moving: bool,
    /// Incarnations after the first.
    pub(crate) restarts: u64,
    /// In this state since.
    pub(crate) since: Ms,
    /// Messages that wait.
    pub(crate) waiting: usize,
    /// The last abnormal end.
    pub(crate) last_failure: Option<String>,
}

/// A component as the health judge sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Component {
    /// Its name.
    pub(crate) name: String,
    /// `healthy`, `stale` ...
    pub(crate) status: String,
    /// How bad.
    pub(crate) severity: Option<Severity>,
    /// Why.
    pub(crate) reason: String,
    /// Where the fault lies.
    pub(crate) locality: String,
    /// What may safely be done.
    pub(crate) safe_actions: Vec<String>,
    /// How old what the verdict stands on is.
    pub(crate) evidence_at: Option<Ms>,
}

/// Alerts with one cause.
#[derive(Debug, Clone, Default)]
pub(crate) struct Incident {
    /// What began it.
    pub(crate) title: String,
    /// When it began.
    pub(crate) opened_at: Ms,
    /// When it ended.
    pub(crate) closed_at: Option<Ms>,
    /// Alerts in it.
    pub(crate) alerts: usize,
    /// Times to detect, notify, acknowledge and clear, in words.
    pub(crate) times: String,
}

/// A stream that is watched for drift.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drift {
    /// Its name.
    pub(crate) name: String,
    /// Which detector.
    pub(crate) detector: String,
    /// Where its statistic stands.
    pub(crate) statistic: Option<f64>,
    /// From where on it is a detection.
    pub(crate) threshold: Option<f64>,
    /// Observations.
    pub(crate) n: u64,
    /// Since when a detection stands.
    pub(crate) open_since: Option<Ms>,
    /// What it does about it, or what it is waiting for, in words.
    pub(crate) note: String,
}

/// Whose doing an event was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// An operator's.
    Operator,
    /// An operator's that was refused.
    Refused,
    /// The desk's state changed.
    #[default]
    State,
    /// A fill.
    Fill,
    /// An alert.
    Alert,
    /// A strategy was switched.
    Strategy,
}

/// Something that happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Event {
    /// Unlike every other's.
    pub(crate) key: String,
    /// When.
    pub(crate) at: Ms,
    /// Whose doing.
    pub(crate) kind: EventKind,
    /// Who.
    pub(crate) who: String,
    /// What.
    pub(crate) what: String,
    /// Why, or with what result.
    pub(crate) detail: String,
}
