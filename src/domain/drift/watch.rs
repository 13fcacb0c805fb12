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
    Cusum, CusumSettings, Detector, Direction, Sides, Step, VarianceCusum, VarianceCusumSettings,
};
use serde::{Deserialize, Serialize};

/// Sums of an open episode go no higher than this many thresholds, so that it ends soon after the change has ended.
const CAP: f64 = 2.0;
/// An episode may end below this part of each threshold.
const CALM: f64 = 0.5;

/// One side of the mean takes a residual. The side that does no harm tells nothing and goes no higher than its threshold:
/// it is kept for what it says of the spread, and forgets soon.
fn of_mean(side: &mut Cusum, direction: Direction, z: f64, set: &MonitorSettings) -> Step {
    if set.sides.sees(direction) {
        return side.update(z);
    }
    side.watch(z);
    side.cap(side.threshold());
    Step::Quiet
}

/// What a residual says of the spread. While the mean is off, values on that side are far out because of it: they count as
/// an ordinary deviation.
fn of_spread(z: f64, off: Option<Direction>) -> f64 {
    match off {
        Some(Direction::Up) => z.min(1.0),
        Some(Direction::Down) => z.max(-1.0),
        _ => z,
    }
}

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
            GaugeName::Cusum => set.mean && set.sides.sees(gauge.direction),
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
        let up = of_mean(&mut self.up, Direction::Up, z, set);
        let down = of_mean(&mut self.down, Direction::Down, z, set);
        let off = self.off(set);
        let sums = [
            (GaugeName::Cusum, set.mean, up),
            (GaugeName::Cusum, set.mean, down),
            (GaugeName::VarianceCusum, set.variance, self.wider.update(of_spread(z, off))),
        ];
        let second = self.second(x, z, off);
        let first = sums.into_iter().filter(|(_, asked, _)| *asked).find_map(|(detector, _, step)| {
            step.direction().map(|direction| Sight { detector, direction, estimate: None })
        });
        let named = [first, second].into_iter().flatten().map(|seen| self.named(seen, set));
        let harmful = named.into_iter().find(|seen| self.harms(seen, set));
        harmful.map_or(News::Quiet, |seen| self.begin(seen, set))
    }

    /// Is it a change that is told? A mean that comes back from the side that does no harm moves the harmful way, and is
    /// none before it is as far beyond the baseline's as the sums allow each value to be.
    fn harms(&self, seen: &Sight, set: &MonitorSettings) -> bool {
        let Baseline { centre, scale, .. } = self.baseline;
        let is_beyond = |estimate: &Estimate| match seen.direction {
            Direction::Up => estimate.level > centre + set.k * scale,
            Direction::Down => estimate.level < centre - set.k * scale,
            Direction::Wider | Direction::Narrower => true,
        };
        set.sides == Sides::Both
            || set.sides.sees(seen.direction) && seen.estimate.as_ref().is_none_or(is_beyond)
    }

    /// Whether the mean is off to the side that does no harm, and to which.
    fn off(&self, set: &MonitorSettings) -> Option<Direction> {
        let far = |sum: f64, cusum: &Cusum| sum > cusum.threshold() * CALM;
        match set.sides {
            Sides::Both => None,
            Sides::Up => far(self.down.sums().1, &self.down).then_some(Direction::Down),
            Sides::Down => far(self.up.sums().0, &self.up).then_some(Direction::Up),
        }
    }

    fn second(&mut self, x: f64, z: f64, off: Option<Direction>) -> Option<Sight> {
        let spread = off.is_none().then_some(z);
        self.seconds.as_mut()?.update(&self.baseline, x, z, spread)
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
        let off = self.off(set);
        self.wider.watch(of_spread(z, off));
        self.up.cap(CAP * self.up.threshold());
        self.down.cap(CAP * self.down.threshold());
        self.wider.cap(CAP * self.wider.threshold());
        // What they see now belongs to the episode.
        self.second(x, z, off);
        let counts = |gauge: &Gauge| match gauge.detector {
            GaugeName::Cusum => set.watches_mean() && set.sides.sees(gauge.direction),
            _ => set.watches_spread(),
        };
        let sums = self.sums();
        let mut counted = sums.iter().filter(|gauge| counts(gauge));
        let calm = counted.all(|gauge| gauge.statistic < CALM * gauge.threshold)
            && (off.is_some() || self.seconds.as_ref().is_none_or(|seconds| seconds.is_calm()));
        self.calm = if calm { self.calm.saturating_add(1) } else { 0 };
        if self.calm < set.clear_after {
            return News::Quiet;
        }
        *self = Self::new(self.baseline.clone(), set);
        News::Closed
    }
}
