//! A plain comparison of spreads: the variance of the newest window over that of the first observations, or over one that
//! is known.
//!
//! It assumes nothing about tails: with a ratio given, nothing is promised about false alarms. A ratio from a budget comes
//! from `variance_ratio_threshold`.

use super::step::absorbs;
use super::{Detector, Step, exact_list, exact_number, exact_option};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VarianceRatioSettings {
    /// Observations of the reference, the first ones; at least 2.
    pub reference: u32,
    /// Observations of the newest window; at least 2.
    pub window: u32,
    /// Alarm above this ratio, or below its reciprocal; above 1.
    #[serde(with = "exact_number")]
    pub ratio: f64,
    /// A variance known beforehand, above 0; that of the first observations when absent.
    #[serde(default, with = "exact_option")]
    pub known: Option<f64>,
}

impl Default for VarianceRatioSettings {
    fn default() -> Self {
        Self { reference: 500, window: 100, ratio: 2.0, known: None }
    }
}

/// Mean and sum of squared deviations, by Welford's update.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Moments {
    n: u32,
    #[serde(with = "exact_number")]
    mean: f64,
    #[serde(with = "exact_number")]
    squares: f64,
}

impl Moments {
    fn add(&mut self, x: f64) {
        self.n = self.n.saturating_add(1);
        let off = x - self.mean;
        self.mean += off / f64::from(self.n);
        self.squares += off * (x - self.mean);
    }

    /// Undefined for fewer than two observations.
    fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| self.squares / (f64::from(self.n) - 1.0))
    }
}

/// The detector; its memory is the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VarianceRatio {
    settings: VarianceRatioSettings,
    reference: Moments,
    #[serde(with = "window")]
    newest: VecDeque<f64>,
    flagged: bool,
    rejected: u64,
}

impl VarianceRatio {
    /// A detector that has seen nothing.
    #[must_use]
    pub fn new(settings: VarianceRatioSettings) -> Self {
        let (reference, newest) = (Moments::default(), VecDeque::new());
        Self { settings, reference, newest, flagged: false, rejected: 0 }
    }

    /// Newest variance over the reference's; `None` until both are known and the reference moves at all.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let window = usize::try_from(self.settings.window).unwrap_or(usize::MAX);
        let base = self.settings.known.or_else(|| self.reference.variance()).filter(|base| *base > 0.0)?;
        if self.newest.len() < window {
            return None;
        }
        let mut newest = Moments::default();
        self.newest.iter().for_each(|x| newest.add(*x));
        newest.variance().map(|variance| variance / base)
    }

    /// The ratio above which, or below whose reciprocal, it is an alarm.
    #[must_use]
    pub const fn threshold(&self) -> f64 {
        self.settings.ratio
    }

    /// Observations of the newest window.
    #[must_use]
    pub const fn window(&self) -> u32 {
        self.settings.window
    }
}

impl Detector for VarianceRatio {
    fn update(&mut self, x: f64) -> Step {
        if !absorbs(x, &mut self.rejected) {
            return Step::Rejected;
        }
        if self.flagged {
            // What comes after a change is the reference of the next.
            (self.reference, self.flagged) = (Moments::default(), false);
            self.newest.clear();
        }
        if self.settings.known.is_none() && self.reference.n < self.settings.reference {
            self.reference.add(x);
            return Step::Quiet;
        }
        let window = usize::try_from(self.settings.window).unwrap_or(usize::MAX);
        while self.newest.len() >= window.max(1) {
            self.newest.pop_front();
        }
        self.newest.push_back(x);
        let Some(ratio) = self.ratio() else { return Step::Quiet };
        let (wider, narrower) = (ratio > self.settings.ratio, ratio * self.settings.ratio < 1.0);
        self.flagged = wider || narrower;
        Step::of_spread(wider, narrower)
    }

    fn rejected(&self) -> u64 {
        self.rejected
    }

    fn state(&self) -> Value {
        json!({
            "reference_n": self.reference.n,
            "reference_variance": self.reference.variance(),
            "window_n": self.newest.len(),
            "ratio": self.ratio(),
        })
    }
}

/// The window as a list of floats.
mod window {
    use super::{VecDeque, exact_list};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(window: &VecDeque<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        let list: Vec<f64> = window.iter().copied().collect();
        exact_list::serialize(&list, serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VecDeque<f64>, D::Error> {
        exact_list::deserialize(deserializer).map(VecDeque::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::detectors::Direction;

    #[test]
    fn a_spread_that_doubles_or_halves_is_seen_and_one_that_stays_is_not() {
        for (scale, wanted) in [(2.0, Some(Direction::Wider)), (0.5, Some(Direction::Narrower)), (1.0, None)]
        {
            let mut random = fastrand::Rng::with_seed(5);
            let set = VarianceRatioSettings { ratio: 2.5, ..VarianceRatioSettings::default() };
            let mut detector = VarianceRatio::new(set);
            let mut seen = None;
            for i in 0..1500 {
                let x = random.f64() - 0.5;
                if let Step::Detected(direction) = detector.update(if i < 1000 { x } else { x * scale }) {
                    assert!(i > 1000, "false alarm at {i}");
                    seen = seen.or(Some(direction));
                }
            }
            assert_eq!(seen, wanted, "scale {scale}");
        }
    }

    #[test]
    fn against_a_known_variance_it_needs_a_window_alone_and_keeps_its_yardstick() {
        let set = VarianceRatioSettings { window: 4, ratio: 3.0, known: Some(1.0), reference: 500 };
        let mut detector = VarianceRatio::new(set);
        let mut steps = Vec::new();
        for _ in 0..2 {
            steps.extend([3.0, -3.0, 3.0, -3.0].map(|x| detector.update(x)));
        }
        let wider = Step::Detected(Direction::Wider);
        let (quiet, again) = ([Step::Quiet; 3], [wider]);
        assert_eq!(steps, [&quiet[..], &again, &quiet, &again].concat());
        assert_eq!(detector.ratio(), Some(12.0), "36 over 3");
        let back: VarianceRatio = serde_json::from_str(&serde_json::to_string(&detector).unwrap()).unwrap();
        assert_eq!(back, detector);
    }

    #[test]
    fn a_constant_reference_has_no_ratio() {
        let mut detector =
            VarianceRatio::new(VarianceRatioSettings { reference: 5, window: 5, ratio: 2.0, known: None });
        assert!((0..30).all(|_| detector.update(3.25) == Step::Quiet));
        assert_eq!(detector.ratio(), None);
        assert_eq!(detector.update(f64::NAN), Step::Rejected);
    }
}
