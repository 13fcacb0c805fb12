//! Page's cumulative sums, two-sided: S = max(0, S + x - k) for a rise, S = max(0, S - x - k) for a fall, alarm above
//! h (Page 1954). Fed with residuals of mean 0 and deviation 1; `k` is half the shift to be seen, in deviations.

use super::step::absorbs;
use super::{Detector, Sides, Step, exact_number};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Settings; both in standard deviations of the residuals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CusumSettings {
    /// Allowance: what each observation may be off without being held against it.
    #[serde(with = "exact_number")]
    pub k: f64,
    /// Threshold; an alarm is strictly above it.
    #[serde(with = "exact_number")]
    pub h: f64,
    /// Which way to look.
    pub sides: Sides,
}

impl Default for CusumSettings {
    fn default() -> Self {
        Self { k: 0.5, h: 5.0, sides: Sides::Both }
    }
}

/// One side: the sum, and what has been added since it was last nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Side {
    #[serde(with = "exact_number")]
    pub(super) sum: f64,
    /// Observations since the sum was last nothing: the estimate of when the change began.
    pub(super) run: u64,
}

impl Side {
    pub(super) fn add(&mut self, increment: f64) {
        let next = self.sum + increment;
        if next > 0.0 {
            self.sum = next;
            self.run = self.run.saturating_add(1);
        } else {
            *self = Self::default();
        }
    }
}

/// The detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cusum {
    settings: CusumSettings,
    up: Side,
    down: Side,
    n: u64,
    flagged: bool,
    rejected: u64,
}

impl Cusum {
    /// A detector that has seen nothing.
    #[must_use]
    pub fn new(settings: CusumSettings) -> Self {
        Self { settings, up: Side::default(), down: Side::default(), n: 0, flagged: false, rejected: 0 }
    }

    /// The threshold in force.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.settings.h
    }

    /// The sums for a rise and for a fall.
    #[must_use]
    pub fn sums(&self) -> (f64, f64) {
        (self.up.sum, self.down.sum)
    }

    /// How many observations ago the change began that is seen now, by the larger of the two sums.
    #[must_use]
    pub fn run(&self) -> u64 {
        if self.up.sum >= self.down.sum { self.up.run } else { self.down.run }
    }

    /// Cuts the sums, so that a change that lasted for long is over soon after it is over.
    pub fn cap(&mut self, at: f64) {
        self.up.sum = self.up.sum.min(at);
        self.down.sum = self.down.sum.min(at);
    }

    /// One observation without the fresh start after a detection: for a change that is being watched.
    pub fn watch(&mut self, x: f64) {
        self.flagged = false;
        self.n = self.n.saturating_add(1);
        self.up.add(x - self.settings.k);
        self.down.add(-x - self.settings.k);
    }
}

impl Detector for Cusum {
    fn update(&mut self, x: f64) -> Step {
        if !absorbs(x, &mut self.rejected) {
            return Step::Rejected;
        }
        if self.flagged {
            (self.up, self.down, self.n) = (Side::default(), Side::default(), 0);
        }
        self.watch(x);
        let step = self.settings.sides.told(self.up.sum, self.down.sum, self.settings.h);
        self.flagged = step != Step::Quiet;
        step
    }

    fn rejected(&self) -> u64 {
        self.rejected
    }

    fn state(&self) -> Value {
        json!({
            "n": self.n,
            "sum_up": self.up.sum,
            "sum_down": self.down.sum,
            "run_up": self.up.run,
            "run_down": self.down.run,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::detectors::Direction;

    #[test]
    fn sums_by_hand() {
        let mut cusum = Cusum::new(CusumSettings { k: 0.5, h: 2.0, sides: Sides::Both });
        for (x, up, down, step) in [
            (1.0, 0.5, 0.0, Step::Quiet),
            (-1.0, 0.0, 0.5, Step::Quiet),
            (1.5, 1.0, 0.0, Step::Quiet),
            (1.5, 2.0, 0.0, Step::Quiet),
            (0.75, 2.25, 0.0, Step::Detected(Direction::Up)),
            (-3.0, 0.0, 2.5, Step::Detected(Direction::Down)),
            (0.0, 0.0, 0.0, Step::Quiet),
        ] {
            assert_eq!(cusum.update(x), step, "at {x}");
            assert_eq!(cusum.sums(), (up, down), "at {x}");
        }
        assert_eq!(cusum.update(f64::NAN), Step::Rejected);
        assert_eq!(cusum.rejected(), 1);
    }

    #[test]
    fn the_onset_is_where_the_sum_left_zero() {
        let mut cusum = Cusum::new(CusumSettings { h: 3.0, ..CusumSettings::default() });
        for _ in 0..20 {
            assert_eq!(cusum.update(0.0), Step::Quiet);
        }
        let mut taken = 1;
        while cusum.update(1.5) == Step::Quiet {
            taken += 1;
        }
        assert_eq!((cusum.run(), taken), (4, 4));
    }

    #[test]
    fn one_side_alone_does_not_see_the_other() {
        for (sides, x) in [(Sides::Up, -4.0), (Sides::Down, 4.0)] {
            let mut cusum = Cusum::new(CusumSettings { sides, ..CusumSettings::default() });
            assert!((0..50).all(|_| cusum.update(x) == Step::Quiet));
            assert!(matches!(
                (0..50).map(|_| cusum.update(-x)).find(|s| *s != Step::Quiet),
                Some(Step::Detected(_))
            ));
        }
    }
}
