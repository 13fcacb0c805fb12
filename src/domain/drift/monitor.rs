//! One series under watch: learns, watches, opens an episode when it has changed, closes it when it is back.
//!
//! The baseline stays what it is while an episode is open and afterwards; [`Monitor::relearn`] is the only way to
//! another. An episode is over only after a stretch of values far below the thresholds (hysteresis). Memory is bounded by
//! the baseline's length while learning and constant afterwards.

use super::baseline::{Baseline, Learning};
use super::settings::MonitorSettings;
use crate::domain::detectors::{
    Cusum, CusumSettings, Detector, Direction, Sides, Step, VarianceCusum, VarianceCusumSettings,
    exact_number,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Sums of an open episode go no higher than this many thresholds, so that it ends soon after the change has ended.
const CAP: f64 = 2.0;
/// An episode may end below this part of each threshold.
const CALM: f64 = 0.5;

/// One detector's statistic against its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gauge {
    /// The detector's name.
    pub detector: GaugeName,
    /// What it looks for.
    pub direction: Direction,
    /// Where it stands.
    pub statistic: f64,
    /// From where on it is an alarm.
    pub threshold: f64,
}

/// Which detector a gauge belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GaugeName {
    /// Sums of residuals.
    Cusum,
    /// Sum of their squares.
    VarianceCusum,
}

/// What was found when an episode opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The way of the first alarm.
    pub direction: Direction,
    /// Every detector with its statistic and threshold at that moment.
    pub gauges: Vec<Gauge>,
    /// Observations since the change is estimated to have begun, this one included.
    pub onset_ago: u64,
    /// Estimated size: shift of the mean in standard deviations of the baseline, or how many-fold the spread has become.
    pub size: f64,
    /// Estimated new mean, or new standard deviation, units of the series.
    pub level: f64,
}

/// What an observation brought.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Nothing.
    Quiet,
    /// There is a baseline now.
    Learned,
    /// The series has changed: an episode is open.
    Opened(Box<Finding>),
    /// It is back.
    Closed,
    /// The number was not finite: counted, not absorbed.
    Rejected,
}

/// The part that watches against a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Watch {
    baseline: Baseline,
    up: Cusum,
    down: Cusum,
    wider: VarianceCusum,
    open: bool,
    calm: u32,
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
    pending: Pending,
    observations: u64,
    rejected: u64,
}

impl Watch {
    fn new(baseline: Baseline, set: &MonitorSettings) -> Self {
        let side = |h: f64, sides: Sides| Cusum::new(CusumSettings { k: set.k, h, sides });
        let k = VarianceCusumSettings::allowance(set.grows);
        Self {
            up: side(baseline.threshold_up, Sides::Up),
            down: side(baseline.threshold_down, Sides::Down),
            wider: VarianceCusum::new(VarianceCusumSettings { k, h: baseline.threshold_wider }),
            baseline,
            open: false,
            calm: 0,
        }
    }

    fn gauges(&self, set: &MonitorSettings) -> Vec<Gauge> {
        let mean =
            [(Direction::Up, self.up.sums().0, &self.up), (Direction::Down, self.down.sums().1, &self.down)];
        let mean = mean.into_iter().filter(|_| set.mean).map(|(direction, statistic, cusum)| Gauge {
            detector: GaugeName::Cusum,
            direction,
            statistic,
            threshold: cusum.threshold(),
        });
        let wider = Gauge {
            detector: GaugeName::VarianceCusum,
            direction: Direction::Wider,
            statistic: self.wider.sum(),
            threshold: self.wider.threshold(),
        };
        mean.chain(set.variance.then_some(wider)).collect()
    }

    fn finding(&self, direction: Direction, set: &MonitorSettings) -> Finding {
        let base = &self.baseline;
        let (sum, run, k) = match direction {
            Direction::Up => (self.up.sums().0, self.up.run(), set.k),
            Direction::Down => (self.down.sums().1, self.down.run(), set.k),
            Direction::Wider | Direction::Narrower => {
                (self.wider.sum(), self.wider.run(), VarianceCusumSettings::allowance(set.grows))
            }
        };
        // A run as a float: beyond four billion values its last digits do not matter.
        let mean = sum / f64::from(u32::try_from(run.max(1)).unwrap_or(u32::MAX)) + k;
        let (size, level) = match direction {
            Direction::Up => (mean, base.centre + mean * base.scale),
            Direction::Down => (-mean, base.centre - mean * base.scale),
            Direction::Wider | Direction::Narrower => (mean.sqrt(), mean.sqrt() * base.scale),
        };
        let onset_ago = run.saturating_mul(u64::from(base.batch));
        Finding { direction, gauges: self.gauges(set), onset_ago, size, level }
    }

    /// A new value, a mean of as many observations as the baseline says.
    fn take(&mut self, x: f64, set: &MonitorSettings) -> News {
        let z = self.baseline.residual(x);
        if self.open {
            return self.take_open(z, set);
        }
        let up = self.up.update(z);
        let down = self.down.update(z);
        let wider = self.wider.update(z);
        let mean = [up, down].into_iter().filter(|_| set.mean);
        let spread = [wider].into_iter().filter(|_| set.variance);
        let seen = mean.chain(spread).find_map(|step| match step {
            Step::Detected(direction) => Some(direction),
            Step::Quiet | Step::Rejected => None,
        });
        let Some(direction) = seen.map(|seen| self.named(seen, set)) else { return News::Quiet };
        (self.open, self.calm) = (true, 0);
        News::Opened(Box::new(self.finding(direction, set)))
    }

    /// A mean that moved makes squares grow too, and a large shift is seen by them first: where the mean's sums have come
    /// half their way, the mean is named.
    fn named(&self, seen: Direction, set: &MonitorSettings) -> Direction {
        let half = |sum: f64, cusum: &Cusum| set.mean && sum > cusum.threshold() / 2.0;
        let (up, down) = (self.up.sums().0, self.down.sums().1);
        match seen {
            Direction::Wider if half(up, &self.up) && up > down => Direction::Up,
            Direction::Wider if half(down, &self.down) => Direction::Down,
            other => other,
        }
    }

    fn take_open(&mut self, z: f64, set: &MonitorSettings) -> News {
        self.up.watch(z);
        self.down.watch(z);
        self.wider.watch(z);
        self.up.cap(CAP * self.up.threshold());
        self.down.cap(CAP * self.down.threshold());
        self.wider.cap(CAP * self.wider.threshold());
        let calm = self.gauges(set).iter().all(|gauge| gauge.statistic < CALM * gauge.threshold);
        self.calm = if calm { self.calm.saturating_add(1) } else { 0 };
        if self.calm < set.clear_after {
            return News::Quiet;
        }
        *self = Self::new(self.baseline.clone(), set);
        News::Closed
    }
}

impl Monitor {
    /// A monitor that has seen nothing.
    #[must_use]
    pub fn new(settings: MonitorSettings) -> Self {
        let phase = Phase::Learning(Learning::default());
        Self { settings, phase, pending: Pending::default(), observations: 0, rejected: 0 }
    }

    /// Takes one observation.
    pub fn observe(&mut self, x: f64) -> News {
        if !x.is_finite() {
            self.rejected = self.rejected.saturating_add(1);
            return News::Rejected;
        }
        self.observations = self.observations.saturating_add(1);
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

    /// Every detector's statistic against its threshold; none while learning.
    #[must_use]
    pub fn gauges(&self) -> Vec<Gauge> {
        match &self.phase {
            Phase::Learning(_) => Vec::new(),
            Phase::Watching(watch) => watch.gauges(&self.settings),
        }
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
