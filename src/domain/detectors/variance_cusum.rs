//! A cumulative sum for a spread that grows: S = max(0, S + z*z - k), alarm above h, with z of mean 0 and deviation 1
//! and k = 2 ln(s) s*s / (s*s - 1) for a deviation that grows s-fold (the likelihood ratio's own reference value).

use super::cusum::Side;
use super::step::absorbs;
use super::{Detector, Step, exact_number};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Settings, in squares of the standard deviation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VarianceCusumSettings {
    /// Allowance.
    #[serde(with = "exact_number")]
    pub k: f64,
    /// Threshold; an alarm is strictly above it.
    #[serde(with = "exact_number")]
    pub h: f64,
}

impl VarianceCusumSettings {
    /// The allowance that fits a deviation that grows `grows`-fold (above 1).
    #[must_use]
    pub fn allowance(grows: f64) -> f64 {
        2.0 * grows.ln() * grows * grows / (grows * grows - 1.0)
    }
}

impl Default for VarianceCusumSettings {
    fn default() -> Self {
        // Growth by half, one false alarm in 10,000 observations.
        Self { k: Self::allowance(1.5), h: 22.709_184_248_320_536 }
    }
}

/// The detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VarianceCusum {
    settings: VarianceCusumSettings,
    side: Side,
    n: u64,
    flagged: bool,
    rejected: u64,
}

impl VarianceCusum {
    /// A detector that has seen nothing.
    #[must_use]
    pub fn new(settings: VarianceCusumSettings) -> Self {
        Self { settings, side: Side::default(), n: 0, flagged: false, rejected: 0 }
    }

    /// The threshold in force.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.settings.h
    }

    /// The sum.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.side.sum
    }

    /// How many observations ago the change began that is seen now.
    #[must_use]
    pub fn run(&self) -> u64 {
        self.side.run
    }

    /// Cuts the sum, so that a change that lasted for long is over soon after it is over.
    pub fn cap(&mut self, at: f64) {
        self.side.sum = self.side.sum.min(at);
    }

    /// One observation without the fresh start after a detection: for a change that is being watched.
    pub fn watch(&mut self, z: f64) {
        self.flagged = false;
        self.n = self.n.saturating_add(1);
        self.side.add(z * z - self.settings.k);
    }
}

impl Detector for VarianceCusum {
    fn update(&mut self, z: f64) -> Step {
        if !absorbs(z, &mut self.rejected) {
            return Step::Rejected;
        }
        if self.flagged {
            (self.side, self.n) = (Side::default(), 0);
        }
        self.watch(z);
        self.flagged = self.side.sum > self.settings.h;
        Step::of_spread(self.flagged, false)
    }

    fn rejected(&self) -> u64 {
        self.rejected
    }

    fn state(&self) -> Value {
        json!({ "n": self.n, "sum": self.side.sum, "run": self.side.run })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::detectors::Direction;

    #[test]
    fn sums_by_hand() {
        let mut detector = VarianceCusum::new(VarianceCusumSettings { k: 1.5, h: 4.0 });
        for (z, sum, step) in [
            (1.0, 0.0, Step::Quiet),
            (-2.0, 2.5, Step::Quiet),
            (1.0, 2.0, Step::Quiet),
            (2.0, 4.5, Step::Detected(Direction::Wider)),
            (2.0, 2.5, Step::Quiet),
        ] {
            assert_eq!(detector.update(z), step);
            assert!((detector.sum() - sum).abs() < 1e-15);
        }
        assert_eq!(detector.update(f64::INFINITY), Step::Rejected);
    }

    #[test]
    fn the_allowance_is_that_of_the_likelihood_ratio() {
        for (grows, k) in [(1.5, 1.459_674_389_189_392), (2.0, 1.848_392_481_493_187_4)] {
            assert!((VarianceCusumSettings::allowance(grows) - k).abs() < 1e-14);
        }
    }
}
