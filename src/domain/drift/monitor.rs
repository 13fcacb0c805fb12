//! One series under watch: learns, watches, opens an episode when it has changed, closes it when it is back.
//!
//! The baseline stays what it is while an episode is open and afterwards; [`Monitor::relearn`] is the only way to
//! another. An episode is over only after a stretch of values far below the thresholds (hysteresis). Memory is bounded by
//! the baseline's length while learning, and by that of the detectors' windows afterwards.

use super::baseline::{Baseline, Learning};
use super::gauge::Gauge;
use super::river::River;
use super::settings::MonitorSettings;
use super::watch::Watch;
use crate::domain::detectors::exact_number;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What an observation brought.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Nothing.
    Quiet,
    /// There is a baseline now.
    Learned,
    /// The series has changed: an episode is open.
    Opened(Box<super::gauge::Finding>),
    /// It is back.
    Closed,
    /// The number was not finite: counted, not absorbed.
    Rejected,
}

/// Learning or watching. Watching is the state of a lifetime, so its size is no waste.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Learning(Learning),
    Watching(Box<Watch>),
}

/// Observations that wait to be averaged.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Pending {
    #[serde(with = "exact_number")]
    sum: f64,
    count: u32,
}

/// The monitor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    settings: MonitorSettings,
    phase: Phase,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    river: Option<Box<River>>,
    pending: Pending,
    observations: u64,
    rejected: u64,
}

impl Monitor {
    /// A monitor that has seen nothing.
    #[must_use]
    pub fn new(settings: MonitorSettings) -> Self {
        let (phase, river) = (Phase::Learning(Learning::default()), River::new(&settings));
        Self { settings, phase, river, pending: Pending::default(), observations: 0, rejected: 0 }
    }

    /// Takes one observation.
    pub fn observe(&mut self, x: f64) -> News {
        if !x.is_finite() {
            self.rejected = self.rejected.saturating_add(1);
            return News::Rejected;
        }
        self.observations = self.observations.saturating_add(1);
        let river = self.river.as_mut().and_then(|river| river.update(x));
        let mut news = self.average(x);
        let quiet = news == News::Quiet;
        if let (true, Some(seen), Phase::Watching(watch)) = (quiet, river, &mut self.phase) {
            news = watch.begin(seen, &self.settings);
        }
        if let (News::Opened(finding), Some(river)) = (&mut news, &self.river) {
            finding.gauges.extend(river.gauges());
        }
        news
    }

    /// Waits until there are as many observations as a value is the mean of.
    fn average(&mut self, x: f64) -> News {
        let batch = self.batch();
        self.pending.sum += x / f64::from(batch);
        self.pending.count = self.pending.count.saturating_add(1);
        if self.pending.count < batch {
            return News::Quiet;
        }
        let value = std::mem::take(&mut self.pending).sum;
        match &mut self.phase {
            Phase::Watching(watch) => watch.take(value, &self.settings),
            Phase::Learning(_) => self.learn(value),
        }
    }

    fn learn(&mut self, value: f64) -> News {
        let set = &self.settings;
        let Phase::Learning(learning) = &mut self.phase else { return News::Quiet };
        if !learning.take(value, set.baseline) {
            return News::Quiet;
        }
        let Ok(found) = Baseline::of(&learning.values, learning.batch, set) else {
            // Values too large to compute with: the older half makes room for others.
            let half = learning.values.len() / 2;
            learning.values.drain(..half);
            return News::Quiet;
        };
        if learning.wants_batches(&found, set.batch_max) {
            learning.pair();
            return News::Quiet;
        }
        self.phase = Phase::Watching(Box::new(Watch::new(found, set)));
        News::Learned
    }

    fn batch(&self) -> u32 {
        match &self.phase {
            Phase::Learning(learning) => learning.batch.max(1),
            Phase::Watching(watch) => watch.baseline.batch,
        }
    }

    /// Forgets the baseline and learns another: the operator's decision.
    pub fn relearn(&mut self) {
        self.phase = Phase::Learning(Learning::default());
        self.river = River::new(&self.settings);
        self.pending = Pending::default();
    }

    /// The baseline, once there is one.
    #[must_use]
    pub fn baseline(&self) -> Option<&Baseline> {
        match &self.phase {
            Phase::Learning(_) => None,
            Phase::Watching(watch) => Some(&watch.baseline),
        }
    }

    /// Every detector's statistic against its threshold; while learning those alone that need no baseline.
    #[must_use]
    pub fn gauges(&self) -> Vec<Gauge> {
        let mut gauges = match &self.phase {
            Phase::Learning(_) => Vec::new(),
            Phase::Watching(watch) => watch.gauges(&self.settings),
        };
        gauges.extend(self.river.iter().flat_map(|river| river.gauges()));
        gauges
    }

    /// Whether an episode is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(&self.phase, Phase::Watching(watch) if watch.open)
    }

    /// Values of the baseline so far, and how many are wanted.
    #[must_use]
    pub fn progress(&self) -> (u32, u32) {
        let wanted = self.settings.baseline;
        match &self.phase {
            Phase::Learning(learning) => (u32::try_from(learning.values.len()).unwrap_or(u32::MAX), wanted),
            Phase::Watching(watch) => (watch.baseline.values, wanted),
        }
    }

    /// Finite observations since it was made.
    #[must_use]
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// Observations that were not finite.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// What it was asked to see.
    #[must_use]
    pub fn settings(&self) -> &MonitorSettings {
        &self.settings
    }

    /// The figures that an outsider may compare, by name.
    #[must_use]
    pub fn state(&self) -> Value {
        let phase = match (self.baseline(), self.is_open()) {
            (None, _) => "learning",
            (Some(_), true) => "drift",
            (Some(_), false) => "watching",
        };
        json!({
            "n": self.observations, "phase": phase, "learned": self.progress().0,
            "baseline": self.shown_baseline(), "gauges": self.gauges(),
        })
    }

    /// What is normal, in numbers.
    #[must_use]
    pub fn shown_baseline(&self) -> Option<Value> {
        self.baseline().map(|base| {
            json!({
                "values": base.values, "batch": base.batch, "median": base.median, "mad": base.mad,
                "low": base.low, "high": base.high, "centre": base.centre, "scale": base.scale,
                "resemblance": base.resemblance, "constant": base.constant,
            })
        })
    }
}
