//! From a budget of false alarms to a threshold.
//!
//! For a walk S = max(0, S + y) whose increments y have a mean below zero, Siegmund (1985) gives
//! ARL0 = (exp(t b) - t b - 1) / (t m), with m = -E[y], t > 0 the root of E[exp(t y)] = 1, and b = h + the mean
//! overshoots. For Gaussian residuals y = z - k this is t = 2k, b = h + 1.166, within 1 % of the exact tables. `t` is
//! found from the increments of a quiet history, so that heavy tails and skew raise the threshold by what they cost.

use crate::domain::kpi::normal_upper_quantile;

/// Mean overshoots of a Gaussian walk, standard deviations.
const OVERSHOOT_MEAN: f64 = 1.166;
/// Mean overshoots of the walk of squares by the growth that it looks for: solved from the computed tables.
const OVERSHOOT_SQUARES: [(f64, f64); 4] = [(1.25, 2.62), (1.5, 3.09), (2.0, 3.88), (3.0, 5.15)];
/// Steps of the bisections: each halves the bracket, so that 80 are below the last bit of what is asked here.
const HALVINGS: u32 = 80;

/// What the increments of a one-sided walk are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Increments {
    /// `-E[y]`, above zero: how fast the walk falls while nothing changes.
    pub fall: f64,
    /// The root `t` of `E[exp(t y)] = 1`, above zero.
    pub exponent: f64,
    /// Mean overshoots over the two boundaries.
    pub overshoot: f64,
}

impl Increments {
    /// Residuals of mean 0 and deviation 1 from a normal distribution, less `k`.
    #[must_use]
    pub fn gaussian(k: f64) -> Self {
        Self { fall: k, exponent: 2.0 * k, overshoot: OVERSHOOT_MEAN }
    }

    /// Squares of such residuals, less the allowance for a deviation that grows `grows`-fold.
    #[must_use]
    pub fn gaussian_squares(grows: f64) -> Self {
        let squared = grows * grows;
        let k = super::VarianceCusumSettings::allowance(grows);
        let overshoot = overshoot_squares(grows);
        Self { fall: k - 1.0, exponent: (1.0 - 1.0 / squared) / 2.0, overshoot }
    }

    /// From recorded increments. `None` when they do not fall on average or never rise: then no walk of theirs has a
    /// rate of false alarms that a threshold could set.
    #[must_use]
    pub fn observed(increments: &[f64], overshoot: f64) -> Option<Self> {
        let n = u32::try_from(increments.len()).ok().filter(|n| *n > 0).map(f64::from)?;
        let fall = -increments.iter().sum::<f64>() / n;
        let highest = increments.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if fall <= 0.0 || highest <= 0.0 || !fall.is_finite() {
            return None;
        }
        let excess = |t: f64| increments.iter().map(|y| (t * y).exp()).sum::<f64>() / n - 1.0;
        // Convex, nothing at 0 and falling there: one root above zero. exp(t * highest) / n > 1 bounds it.
        let (mut low, mut high) = (0.0, (2.0 * n).ln() / highest);
        for _ in 0..HALVINGS {
            let middle = (low + high) / 2.0;
            if excess(middle) < 0.0 { low = middle } else { high = middle }
        }
        Some(Self { fall, exponent: high, overshoot })
    }
}

/// Between two entries of the table on a line, beyond its ends as at its ends.
fn overshoot_squares(grows: f64) -> f64 {
    let mut before: Option<(f64, f64)> = None;
    for (at, overshoot) in OVERSHOOT_SQUARES {
        if grows <= at {
            let Some((low, low_overshoot)) = before else { return overshoot };
            return low_overshoot + (overshoot - low_overshoot) * (grows - low) / (at - low);
        }
        before = Some((at, overshoot));
    }
    before.map_or(0.0, |(_, overshoot)| overshoot)
}

/// Mean observations between false alarms of a one-sided walk with threshold `h`.
#[must_use]
pub fn one_sided_arl0(walk: Increments, h: f64) -> f64 {
    let reach = walk.exponent * (h + walk.overshoot);
    (reach.exp() - reach - 1.0) / (walk.exponent * walk.fall)
}

/// The threshold of a one-sided walk for a budget: at least `arl0` observations between false alarms on average.
/// Never below 0.
#[must_use]
pub fn threshold_for(walk: Increments, arl0: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while one_sided_arl0(walk, high) < arl0 && high < 1e9 {
        high *= 2.0;
    }
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if one_sided_arl0(walk, middle) < arl0 { low = middle } else { high = middle }
    }
    high
}

/// The threshold of a two-sided sum with allowance `k` over Gaussian residuals: each side gets half the false alarms.
#[must_use]
pub fn mean_threshold(k: f64, arl0: f64) -> f64 {
    threshold_for(Increments::gaussian(k), 2.0 * arl0)
}

/// Allowance and threshold of a sum of squares over Gaussian residuals.
#[must_use]
pub fn variance_design(grows: f64, arl0: f64) -> (f64, f64) {
    let h = threshold_for(Increments::gaussian_squares(grows), arl0);
    (super::VarianceCusumSettings::allowance(grows), h)
}

/// The ratio of a window's variance to a known one that is exceeded, or whose reciprocal is undercut, at fewer than one of
/// `arl0` observations. `fourth` is the mean fourth power of residuals of deviation 1 (3 of normal ones), `swell` how many-fold
/// their resemblance to each other swells the variance of a mean. The variance is taken as a scaled chi square of as much
/// relative variance as it has, whose cube root is close to normal (Wilson and Hilferty 1931). Alarms that follow each other
/// within a window are one, so that there are fewer than the budget allows. Above 1.
#[must_use]
pub fn variance_ratio_threshold(window: u32, fourth: f64, swell: f64, arl0: f64) -> f64 {
    let relative = (fourth - 1.0).max(0.1) * swell / f64::from(window.max(2));
    let share = relative / 9.0;
    let far = normal_upper_quantile(0.5 / arl0.max(1.0)).unwrap_or(0.0) * share.sqrt();
    // Of so short a window that nothing is too narrow by chance, the narrow side keeps silent.
    let (high, low) = (1.0 - share + far, (1.0 - share - far).max(0.1));
    high.powi(3).max(low.powi(-3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, wanted: f64, part: f64) {
        assert!((value / wanted - 1.0).abs() < part, "{value} is not {wanted}");
    }

    #[test]
    fn thresholds_are_those_of_the_exact_tables() {
        // Two-sided thresholds by a numerical solution of the integral equation.
        for (k, arl0, h) in [
            (0.5, 500.0, 5.0707),
            (0.5, 1e4, 8.05305),
            (0.5, 1e5, 10.35474),
            (0.5, 1e6, 12.65721),
            (0.25, 500.0, 8.58506),
            (0.25, 1e6, 23.69507),
        ] {
            near(mean_threshold(k, arl0), h, 0.003);
        }
        near(mean_threshold(1.0, 1e5), 5.31155, 0.02);
        for (grows, arl0, h) in [
            (1.25, 9856.0, 31.092),
            (1.5, 500.0, 12.164),
            (1.5, 100_962.0, 30.962),
            (2.0, 10_012.0, 17.629),
            (3.0, 500.0, 7.981),
        ] {
            near(variance_design(grows, arl0).1, h, 0.01);
        }
    }

    #[test]
    fn the_exponent_of_recorded_increments_is_that_of_their_distribution() {
        let mut random = fastrand::Rng::with_seed(11);
        let mut normal = || {
            let (radius, angle) =
                ((-2.0 * (1.0 - random.f64()).ln()).sqrt(), random.f64() * std::f64::consts::TAU);
            radius * angle.cos()
        };
        let increments: Vec<f64> = (0..200_000).map(|_| normal() - 0.5).collect();
        let seen = Increments::observed(&increments, OVERSHOOT_MEAN).unwrap();
        near(seen.exponent, 1.0, 0.02);
        near(seen.fall, 0.5, 0.02);
        // A coin with 1 up against 3 down: exp(t) = 3 by the gambler's ruin.
        let coin = [1.0, -1.0, -1.0, -1.0];
        near(Increments::observed(&coin, 0.0).unwrap().exponent, 3.0_f64.ln(), 1e-12);
    }

    #[test]
    fn a_ratio_is_exceeded_as_seldom_as_the_budget_says() {
        // Chi square of 100 degrees: 0.9995 quantile 153.167, 0.0005 quantile 59.896.
        let ratio = variance_ratio_threshold(100, 3.0, 1.0, 1_000.0);
        near(ratio, 100.0 / 59.896, 0.003);
        assert!(variance_ratio_threshold(100, 3.0, 1.0, 1e5) > ratio, "a larger budget");
        assert!(variance_ratio_threshold(100, 6.0, 1.0, 1_000.0) > ratio, "heavier tails");
        assert!(variance_ratio_threshold(100, 3.0, 2.0, 1_000.0) > ratio, "neighbours that resemble");
        assert!(variance_ratio_threshold(400, 3.0, 1.0, 1_000.0) < ratio, "a longer window");
        assert!(variance_ratio_threshold(2, 3.0, 1.0, 1e9).is_finite());
    }

    #[test]
    fn what_does_not_fall_or_never_rises_has_no_threshold() {
        assert_eq!(Increments::observed(&[], 0.0), None);
        assert_eq!(Increments::observed(&[1.0, 1.0], 0.0), None);
        assert_eq!(Increments::observed(&[-1.0, -0.5], 0.0), None);
        assert_eq!(Increments::observed(&[f64::NAN, -1.0], 0.0), None);
    }
}
