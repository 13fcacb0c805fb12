//! Page-Hinkley, equal to river 0.23 bit for bit: the order of the operations is part of the contract.
//!
//! With a frozen reference in place of the running mean (not in river) and `alpha` 1 it is the one-sided CUSUM with
//! `k = delta` and `h = threshold`. On raw units it is blind or noise: standardise first.

use super::step::absorbs;
use super::{Detector, Sides, Step, exact_number, exact_option};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Settings with the defaults of river.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageHinkleySettings {
    /// No detection before so many observations.
    pub min_instances: u32,
    /// Change of the mean that is tolerated, units of the series.
    #[serde(with = "exact_number")]
    pub delta: f64,
    /// Lambda, units of the series.
    #[serde(with = "exact_number")]
    pub threshold: f64,
    /// How much of the sums is kept at each observation.
    #[serde(with = "exact_number")]
    pub alpha: f64,
    /// Which way to look.
    pub mode: Sides,
    /// A mean known beforehand; the running mean when absent, as in river.
    #[serde(default, with = "exact_option")]
    pub reference: Option<f64>,
}

impl Default for PageHinkleySettings {
    fn default() -> Self {
        let (delta, threshold, alpha) = (0.005, 50.0, 1.0 - 0.0001);
        Self { min_instances: 30, delta, threshold, alpha, mode: Sides::Both, reference: None }
    }
}

/// The sums of one run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Sums {
    #[serde(with = "exact_number")]
    n: f64,
    #[serde(with = "exact_number")]
    mean: f64,
    #[serde(with = "exact_number")]
    increase: f64,
    #[serde(with = "exact_number")]
    decrease: f64,
    #[serde(with = "exact_number")]
    min_increase: f64,
    #[serde(with = "exact_number")]
    max_decrease: f64,
}

impl Sums {
    fn fresh(reference: Option<f64>) -> Self {
        // river's extremes begin beyond the first value. Against a known mean the walk begins at 0, and so do they.
        let (min_increase, max_decrease) =
            if reference.is_some() { (0.0, 0.0) } else { (f64::INFINITY, -1.0) };
        Self { n: 0.0, mean: 0.0, increase: 0.0, decrease: 0.0, min_increase, max_decrease }
    }

    /// How far the sums are from their extremes: for a rise and for a fall.
    fn walked(&self) -> (f64, f64) {
        (self.increase - self.min_increase, self.max_decrease - self.decrease)
    }
}

/// The detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageHinkley {
    settings: PageHinkleySettings,
    sums: Sums,
    flagged: bool,
    rejected: u64,
}

impl PageHinkley {
    /// A detector that has seen nothing.
    #[must_use]
    pub fn new(settings: PageHinkleySettings) -> Self {
        let sums = Sums::fresh(settings.reference);
        Self { settings, sums, flagged: false, rejected: 0 }
    }

    /// The statistics for a rise and for a fall, units of the series; nothing before the first observation.
    #[must_use]
    pub fn statistics(&self) -> (f64, f64) {
        let (up, down) = self.sums.walked();
        (up.max(0.0), down.max(0.0))
    }

    /// The threshold in force.
    #[must_use]
    pub const fn threshold(&self) -> f64 {
        self.settings.threshold
    }
}

impl Detector for PageHinkley {
    fn update(&mut self, x: f64) -> Step {
        if !absorbs(x, &mut self.rejected) {
            return Step::Rejected;
        }
        let set = &self.settings;
        if self.flagged {
            self.sums = Sums::fresh(set.reference);
            self.flagged = false;
        }
        let sums = &mut self.sums;
        sums.n += 1.0;
        // Times the reciprocal: a division gives other bits.
        sums.mean += (1.0 / sums.n) * (x - sums.mean);
        let deviation = x - set.reference.unwrap_or(sums.mean);
        sums.increase = set.alpha * sums.increase + deviation - set.delta;
        sums.decrease = set.alpha * sums.decrease + deviation + set.delta;
        if sums.increase < sums.min_increase {
            sums.min_increase = sums.increase;
        }
        if sums.decrease > sums.max_decrease {
            sums.max_decrease = sums.decrease;
        }
        if sums.n < f64::from(set.min_instances) {
            return Step::Quiet;
        }
        let (up, down) = sums.walked();
        let step = set.mode.told(up, down, set.threshold);
        self.flagged = step != Step::Quiet;
        step
    }

    fn rejected(&self) -> u64 {
        self.rejected
    }

    fn state(&self) -> Value {
        let Sums { n, mean, increase, decrease, min_increase, max_decrease } = self.sums;
        json!({
            "n": n,
            "mean": mean,
            "sum_increase": increase,
            "sum_decrease": decrease,
            "min_increase": min_increase,
            "max_decrease": max_decrease,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::detectors::{Cusum, CusumSettings};

    #[test]
    fn numbers_that_are_not_finite_do_not_blind_it() {
        let mut detector = PageHinkley::new(PageHinkleySettings::default());
        let mut clean = detector.clone();
        for i in 0..200 {
            if i % 50 == 7 {
                for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                    assert_eq!(detector.update(bad), Step::Rejected);
                }
            }
            let x = if i < 150 { 0.0 } else { 100.0 };
            assert_eq!(detector.update(x), clean.update(x), "at {i}");
        }
        assert_eq!(detector.state(), clean.state());
        assert_eq!((detector.rejected(), clean.rejected()), (12, 0));
    }

    #[test]
    fn against_a_frozen_mean_it_is_the_cusum() {
        let (delta, threshold) = (0.5, 5.0);
        let reference = Some(0.0);
        let known = PageHinkleySettings {
            min_instances: 1,
            delta,
            threshold,
            alpha: 1.0,
            mode: Sides::Up,
            reference,
        };
        let mut hinkley = PageHinkley::new(known);
        let mut cusum = Cusum::new(CusumSettings { k: delta, h: threshold, sides: Sides::Up });
        let mut random = fastrand::Rng::with_seed(3);
        let mut alarms = 0;
        for _ in 0..200_000 {
            // Multiples of 1/64, so that neither sum is rounded.
            let x = f64::from(random.i32(-128..=128)) / 64.0;
            let step = hinkley.update(x);
            assert_eq!(step, cusum.update(x));
            alarms += i32::from(step != Step::Quiet);
        }
        assert!(alarms > 50, "{alarms}");
    }
}
