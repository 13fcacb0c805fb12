//! What the sentry shows: a copy of every stream for readers on other threads, renewed about twice a second.

use crate::domain::drift::{
    Consequence, Episode, Gauge, Policy, Rebaselined, Stream, StreamName, Streams, Tallies,
};
use crate::domain::ids::StrategyId;
use crate::domain::time::WallMs;
use parking_lot::RwLock;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One stream as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct StreamView {
    /// Its name.
    pub name: StreamName,
    /// `learning`, `watching` or `drift`.
    pub state: &'static str,
    /// Whose it is, where it is somebody's.
    pub strategy: Option<StrategyId>,
    /// Values of the baseline so far.
    pub learned: u32,
    /// Values that a baseline needs.
    pub wanted: u32,
    /// Finite observations.
    pub observations: u64,
    /// Observations that were not finite: counted, never absorbed.
    pub rejected: u64,
    /// The last finite observation.
    pub last: Option<f64>,
    /// When it was last heard.
    pub heard_at: Option<String>,
    /// Alerts that there ever were.
    pub detections: u64,
    /// Each detector's statistic against its threshold.
    pub detectors: Vec<Gauge>,
    /// The largest of statistic over threshold; 1 and more is drift.
    pub level: f64,
    /// What is normal: centre, scale, thresholds.
    pub baseline: Option<Value>,
    /// Since when an alert stands.
    pub open_since: Option<String>,
    /// What was found when it opened.
    pub finding: Option<Value>,
    /// The budget: observations between false alarms.
    pub arl0: f64,
    /// What follows from drift.
    pub consequence: Consequence,
    /// The page that helps.
    pub runbook: String,
    /// The last time that a person replaced the baseline.
    pub rebaselined: Option<Rebaselined>,
}

fn rfc(at: WallMs) -> Option<String> {
    at.rfc3339()
}

impl StreamView {
    fn new(name: &StreamName, stream: &Stream, policy: &Policy) -> Self {
        let monitor = &stream.monitor;
        let (learned, wanted) = monitor.progress();
        let detectors = monitor.gauges();
        let ratio =
            |gauge: &Gauge| if gauge.threshold > 0.0 { gauge.statistic / gauge.threshold } else { 0.0 };
        let state = match (monitor.baseline(), monitor.is_open()) {
            (None, _) => "learning",
            (Some(_), true) => "drift",
            (Some(_), false) => "watching",
        };
        Self {
            name: name.clone(),
            state,
            strategy: stream.strategy.clone(),
            learned,
            wanted,
            observations: monitor.observations(),
            rejected: monitor.rejected(),
            last: stream.last,
            heard_at: stream.heard.and_then(rfc),
            detections: stream.detections,
            level: detectors.iter().map(ratio).fold(0.0, f64::max),
            detectors,
            baseline: monitor.shown_baseline(),
            open_since: stream.open.as_ref().and_then(|episode| rfc(episode.since)),
            finding: stream
                .open
                .as_ref()
                .and_then(|Episode { finding, .. }| serde_json::to_value(finding).ok()),
            arl0: policy.monitor.arl0,
            consequence: policy.consequence,
            runbook: policy.runbook.clone(),
            rebaselined: stream.rebaselined.clone(),
        }
    }
}

/// All streams as they are shown.
#[derive(Debug, Clone, Default)]
pub struct DriftView {
    /// By name.
    pub streams: BTreeMap<StreamName, Arc<StreamView>>,
    /// Observations and streams that found no room.
    pub refused: u64,
    /// Observations that were dropped before they reached the sentry.
    pub dropped: u64,
    /// How many streams there may be.
    pub streams_max: usize,
    /// What was counted in this process, by kind of stream.
    pub tallies: Tallies,
    /// Were the streams of the run before read?
    pub loaded: bool,
}

/// See the module's head.
#[derive(Debug, Clone, Default)]
pub struct DriftReadings(Arc<RwLock<Arc<DriftView>>>);

impl DriftReadings {
    /// The latest copy.
    #[must_use]
    pub fn latest(&self) -> Arc<DriftView> {
        Arc::clone(&self.0.read())
    }

    /// Shows `streams`; those of `changed` anew, the others as they were.
    pub(super) fn show(
        &self,
        streams: &Streams,
        changed: &std::collections::BTreeSet<StreamName>,
        dropped: u64,
        loaded: bool,
    ) {
        let before = self.latest();
        let view = |(name, stream): (&StreamName, &Stream)| {
            let old = before.streams.get(name).filter(|_| !changed.contains(name)).cloned();
            let view = old.unwrap_or_else(|| Arc::new(StreamView::new(name, stream, streams.policy(name))));
            (name.clone(), view)
        };
        let next = DriftView {
            streams: streams.iter().map(view).collect(),
            refused: streams.refused(),
            dropped,
            streams_max: streams.most(),
            tallies: streams.tallies(),
            loaded,
        };
        *self.0.write() = Arc::new(next);
    }
}
