//! A series against its baseline: the sums of residuals and of their squares, and what watches beside them.
//!
//! The baseline stays what it is while an episode is open and afterwards. The sums run whatever was asked for: they tell
//! how large a change is and whether it is over, also where another detector saw it.

use super::baseline::Baseline;
use super::gauge::{Estimate, Finding, Gauge, GaugeName, Sight};
use super::monitor::News;
use super::second::Seconds;
use super::settings::MonitorSettings;
use crate::domain::detectors::{
    Cusum, CusumSettings, Detector, Direction, Sides, VarianceCusum, VarianceCusumSettings,
};
use serde::{Deserialize, Serialize};

/// Sums of an open episode go no higher than this many thresholds, so that it ends soon after the change has ended.
const CAP: f64 = 2.0;
/// An episode may end below this part of each threshold.
const CALM: f64 = 0.5;

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Watch {
    pub(super) baseline: Baseline,
    up: Cusum,
    down: Cusum,
    wider: VarianceCusum,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<Box<Seconds>>,
    pub(super) open: bool,
    calm: u32,
}

impl Watch {
    pub(super) fn new(baseline: Baseline, set: &MonitorSettings) -> Self {
        let side = |h: f64, sides: Sides| Cusum::new(CusumSettings { k: set.k, h, sides });
        let k = VarianceCusumSettings::allowance(set.grows);
        Self {
            up: side(baseline.threshold_up, Sides::Up),
            down: side(baseline.threshold_down, Sides::Down),
            wider: VarianceCusum::new(VarianceCusumSettings { k, h: baseline.threshold_wider }),
            seconds: Seconds::new(&baseline, set),
            baseline,
            open: false,
            calm: 0,
        }
    }

    /// The three sums with their thresholds.
    fn sums(&self) -> [Gauge; 3] {
        let gauge =
            |detector, direction, statistic, threshold| Gauge { detector, direction, statistic, threshold };
        [
            gauge(GaugeName::Cusum, Direction::Up, self.up.sums().0, self.up.threshold()),
            gauge(GaugeName::Cusum, Direction::Down, self.down.sums().1, self.down.threshold()),
            gauge(GaugeName::VarianceCusum, Direction::Wider, self.wider.sum(), self.wider.threshold()),
        ]
    }

    /// Every detector that was asked for.
    pub(super) fn gauges(&self, set: &MonitorSettings) -> Vec<Gauge> {
        let asked = |gauge: &Gauge| match gauge.detector {
            GaugeName::Cusum => set.mean,
            _ => set.variance,
        };
        let seconds = self.seconds.as_ref().map(|seconds| seconds.gauges()).unwrap_or_default();
        self.sums().into_iter().filter(asked).chain(seconds).collect()
    }

    /// What is seen, in numbers: by the detector's own estimate, or where it has none by the sums'.
    fn finding(&self, seen: Sight, set: &MonitorSettings) -> Finding {
        let base = &self.baseline;
        let (sum, run, k) = match seen.direction {
            Direction::Up => (self.up.sums().0, self.up.run(), set.k),
            Direction::Down => (self.down.sums().1, self.down.run(), set.k),
            Direction::Wider | Direction::Narrower => {
                (self.wider.sum(), self.wider.run(), VarianceCusumSettings::allowance(set.grows))
            }
        };
        // A run as a float: beyond four billion values its last digits do not matter.
        let mean = sum / f64::from(u32::try_from(run.max(1)).unwrap_or(u32::MAX)) + k;
        let by_sums = Estimate {
            level: match seen.direction {
                Direction::Up => base.centre + mean * base.scale,
                Direction::Down => base.centre - mean * base.scale,
                Direction::Wider | Direction::Narrower => mean.sqrt() * base.scale,
            },
            onset_ago: run.saturating_mul(u64::from(base.batch)),
        };
        let size = |estimate: &Estimate| match seen.direction {
            Direction::Up | Direction::Down => (estimate.level - base.centre) / base.scale,
            Direction::Wider | Direction::Narrower => estimate.level / base.scale,
        };
        let estimate = seen.estimate.unwrap_or(by_sums);
        Finding {
            detector: Some(seen.detector),
            direction: seen.direction,
            gauges: self.gauges(set),
            onset_ago: estimate.onset_ago,
            size: size(&estimate),
            level: estimate.level,
        }
    }

    /// A new value, a mean of as many observations as the baseline says.
    pub(super) fn take(&mut self, x: f64, set: &MonitorSettings) -> News {
        let z = self.baseline.residual(x);
        if self.open {
            return self.take_open(x, z, set);
        }
        let sums = [
            (GaugeName::Cusum, set.mean, self.up.update(z)),
            (GaugeName::Cusum, set.mean, self.down.update(z)),
            (GaugeName::VarianceCusum, set.variance, self.wider.update(z)),
        ];
        let second = self.seconds.as_mut().and_then(|seconds| seconds.update(&self.baseline, x, z));
        let first = sums.into_iter().filter(|(_, asked, _)| *asked).find_map(|(detector, _, step)| {
            step.direction().map(|direction| Sight { detector, direction, estimate: None })
        });
        let Some(seen) = first.or(second) else { return News::Quiet };
        let seen = self.named(seen, set);
        self.begin(seen, set)
    }

    /// An episode opens, unless one is open.
    pub(super) fn begin(&mut self, seen: Sight, set: &MonitorSettings) -> News {
        if self.open {
            return News::Quiet;
        }
        (self.open, self.calm) = (true, 0);
        News::Opened(Box::new(self.finding(seen, set)))
    }

    /// A mean that moved makes squares grow too, and a large shift is seen by them first: where the mean's sums have come
    /// half their way, the mean is named.
    fn named(&self, seen: Sight, set: &MonitorSettings) -> Sight {
        let half = |sum: f64, cusum: &Cusum| set.watches_mean() && sum > cusum.threshold() / 2.0;
        let (up, down) = (self.up.sums().0, self.down.sums().1);
        let mean = match seen.direction {
            Direction::Wider if half(up, &self.up) && up > down => Direction::Up,
            Direction::Wider if half(down, &self.down) => Direction::Down,
            _ => return seen,
        };
        Sight { direction: mean, estimate: None, ..seen }
    }

    fn take_open(&mut self, x: f64, z: f64, set: &MonitorSettings) -> News {
        self.up.watch(z);
        self.down.watch(z);
        self.wider.watch(z);
        self.up.cap(CAP * self.up.threshold());
        self.down.cap(CAP * self.down.threshold());
        self.wider.cap(CAP * self.wider.threshold());
        if let Some(seconds) = &mut self.seconds {
            // What they see now belongs to the episode.
            seconds.update(&self.baseline, x, z);
        }
        let counts = |gauge: &Gauge| match gauge.detector {
            GaugeName::Cusum => set.watches_mean(),
            _ => set.watches_spread(),
        };
        let sums = self.sums();
        let mut counted = sums.iter().filter(|gauge| counts(gauge));
        let calm = counted.all(|gauge| gauge.statistic < CALM * gauge.threshold)
            && self.seconds.as_ref().is_none_or(|seconds| seconds.is_calm());
        self.calm = if calm { self.calm.saturating_add(1) } else { 0 };
        if self.calm < set.clear_after {
            return News::Quiet;
        }
        *self = Self::new(self.baseline.clone(), set);
        News::Closed
    }
}
