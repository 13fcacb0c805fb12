//! What is normal for a series: learned from its first values, then frozen.
//!
//! Median and MAD tell which values are far out; those are cut (winsorised), and mean and deviation of what then stands
//! make the residuals, so that a skewed series has residuals of mean 0 too. Neighbours that resemble each other are
//! averaged in batches, doubled until they no longer do. The thresholds come from the budget and from the residuals of
//! the quiet history itself (see `detectors::design`), less what an estimate from so few values may be wrong by; then the
//! history is replayed and must stay below them.

use super::settings::MonitorSettings;
use crate::domain::detectors::{
    Detector, Increments, Sides, VarianceCusumSettings, VarianceRatio, VarianceRatioSettings, exact_list,
    exact_number, threshold_for, variance_ratio_threshold,
};
use serde::{Deserialize, Serialize};

/// MAD of a normal distribution to its standard deviation.
const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;
/// How far, in standard errors, the estimates are taken to be wrong to our disadvantage: 90 % of baselines are not.
const MARGIN: f64 = 1.281_551_565_544_6;
/// Resemblance of neighbours (lag-1 autocorrelation) above which they are averaged; up to it wider thresholds do. Averaging
/// doubles the time to learn, so an estimate from 500 values (give or take 0.05) must not ask for it by chance.
const RESEMBLANCE_MAX: f64 = 0.25;
/// Residuals are cut for good at this many deviations, whatever the limits: one value must not be an alarm.
const RESIDUAL_MAX: f64 = 6.0;
/// The replayed history must stay this far below the thresholds.
const QUIET_PART: f64 = 0.8;
/// Mean overshoot of the mean's walks, deviations (Siegmund 1985).
const OVERSHOOT_MEAN: f64 = 1.166;
/// Values of the window whose variance is compared with the baseline's.
pub(super) const RATIO_WINDOW: u32 = 100;
/// ADWIN looks for a cut after so many values.
pub(super) const ADWIN_CLOCK: u32 = 8;
/// ADWIN is never surer of a change than this.
const ADWIN_DELTA_MIN: f64 = 1e-300;

/// Why no baseline can be had from these values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// Too few.
    #[error("too few values for a baseline")]
    Few,
    /// Their spread is not a finite number.
    #[error("the values are too large for a baseline")]
    Large,
}

/// The first values of a series.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Learning {
    #[serde(with = "exact_list")]
    pub(super) values: Vec<f64>,
    pub(super) batch: u32,
}

/// What is normal, and from where on it no longer is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Values that it rests on; each the mean of `batch` observations.
    pub values: u32,
    /// Observations per value.
    pub batch: u32,
    /// Median of the values, units of the series.
    #[serde(with = "exact_number")]
    pub median: f64,
    /// Median absolute deviation, units of the series.
    #[serde(with = "exact_number")]
    pub mad: f64,
    /// Values below count as this.
    #[serde(with = "exact_number")]
    pub low: f64,
    /// Values above count as this.
    #[serde(with = "exact_number")]
    pub high: f64,
    /// Mean of the cut values: residual 0.
    #[serde(with = "exact_number")]
    pub centre: f64,
    /// Standard deviation of the cut values: residual 1.
    #[serde(with = "exact_number")]
    pub scale: f64,
    /// How much a value resembles the one before it, from -1 to 1.
    #[serde(with = "exact_number")]
    pub resemblance: f64,
    /// Threshold of the sum for a rise.
    #[serde(with = "exact_number")]
    pub threshold_up: f64,
    /// Threshold of the sum for a fall.
    #[serde(with = "exact_number")]
    pub threshold_down: f64,
    /// Threshold of the sum of squares.
    #[serde(with = "exact_number")]
    pub threshold_wider: f64,
    /// Threshold of the ratio of variances, and of its reciprocal.
    #[serde(default, with = "exact_number")]
    pub threshold_ratio: f64,
    /// ADWIN's confidence.
    #[serde(default, with = "exact_number")]
    pub adwin_delta: f64,
    /// All values were the same: the scale is a guess, and any lasting change is drift.
    pub constant: bool,
}

/// Mean and standard deviation (n - 1), in one pass of each.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let n = u32::try_from(values.len()).ok().filter(|n| *n > 1).map(f64::from)?;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    Some((mean, (squares / (n - 1.0)).sqrt()))
}

fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let even = values.len().is_multiple_of(2);
    let (below, high, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let high = *high;
    let low = if even { below.iter().copied().max_by(f64::total_cmp)? } else { high };
    // Not their sum: two large values must not overflow.
    Some(low / 2.0 + high / 2.0)
}

/// Lag-1 autocorrelation of residuals of mean 0.
fn resemblance(residuals: &[f64]) -> f64 {
    let squares: f64 = residuals.iter().map(|z| z * z).sum();
    let products: f64 = residuals.iter().zip(residuals.iter().skip(1)).map(|(a, b)| a * b).sum();
    if squares > 0.0 { products / squares } else { 0.0 }
}

/// How far a window's variance of residuals ever was from 1, as a factor; a standstill counts as far, not as endless.
fn most_apart(residuals: &[f64]) -> f64 {
    const FAR: f64 = 100.0;
    let mut window = VarianceRatio::new(VarianceRatioSettings {
        window: RATIO_WINDOW,
        ratio: f64::MAX,
        known: Some(1.0),
        ..VarianceRatioSettings::default()
    });
    let apart = |z: &f64| {
        window.update(*z);
        window.ratio().map(|ratio| ratio.max(1.0 / ratio).min(FAR))
    };
    residuals.iter().filter_map(apart).fold(1.0, f64::max)
}

impl Learning {
    /// A value; true when there are enough for a try.
    pub(super) fn take(&mut self, x: f64, wanted: u32) -> bool {
        self.values.push(x);
        u32::try_from(self.values.len()).is_ok_and(|n| n >= wanted)
    }

    /// Takes means of two neighbours for them: half the values, twice the observations in each.
    pub(super) fn pair(&mut self) {
        let halves = self.values.chunks_exact(2).map(|pair| pair.iter().map(|x| x / 2.0).sum()).collect();
        self.values = halves;
        self.batch = self.batch.max(1).saturating_mul(2);
    }

    /// Whether neighbours resemble each other too much, or most values are the same, so that more must be averaged.
    pub(super) fn wants_batches(&self, found: &Baseline, max: u32) -> bool {
        let coarse = found.mad <= 0.0 && !found.constant;
        self.batch.max(1).saturating_mul(2) <= max && (found.resemblance > RESEMBLANCE_MAX || coarse)
    }
}

impl Baseline {
    /// The baseline of quiet values, each the mean of `batch` observations.
    ///
    /// # Errors
    /// When there are fewer than two, or they are too large to compute with.
    pub fn of(values: &[f64], batch: u32, set: &MonitorSettings) -> Result<Self, BaselineError> {
        let mut sorted = values.to_vec();
        let centre = median(&mut sorted).ok_or(BaselineError::Few)?;
        sorted.iter_mut().for_each(|x| *x = (*x - centre).abs());
        let mad = median(&mut sorted).ok_or(BaselineError::Few)?;
        let (plain_mean, plain_sigma) = moments(values).ok_or(BaselineError::Few)?;
        // Where more than half of the values are the same the median deviation says nothing.
        let (middle, sigma) =
            if mad > 0.0 { (centre, mad * MAD_TO_SIGMA) } else { (plain_mean, plain_sigma) };
        let (low, high) = (middle - set.winsor * sigma, middle + set.winsor * sigma);
        let cut: Vec<f64> = values.iter().map(|x| x.clamp(low.min(high), high.max(low))).collect();
        let (mean, deviation) = moments(&cut).ok_or(BaselineError::Few)?;
        if ![low, high, mean, deviation].iter().all(|x| x.is_finite()) {
            return Err(BaselineError::Large);
        }
        let constant = deviation <= mean.abs() * 1e-12;
        let scale = if constant { (mean.abs() * 1e-6).max(1e-9) } else { deviation };
        let (low, high) = if constant { (mean - 3.0 * scale, mean + 3.0 * scale) } else { (low, high) };
        let mut found = Self {
            values: u32::try_from(values.len()).unwrap_or(u32::MAX),
            batch: batch.max(1),
            median: centre,
            mad,
            low,
            high,
            centre: mean,
            scale,
            resemblance: 0.0,
            threshold_up: 0.0,
            threshold_down: 0.0,
            threshold_wider: 0.0,
            threshold_ratio: 0.0,
            adwin_delta: 0.0,
            constant,
        };
        let residuals: Vec<f64> = values.iter().map(|x| found.residual(*x)).collect();
        found.resemblance = resemblance(&residuals);
        found.calibrate(&residuals, set);
        Ok(found)
    }

    /// The standardised residual of a value: mean 0 and deviation 1 while nothing changes.
    #[must_use]
    pub fn residual(&self, x: f64) -> f64 {
        ((x.clamp(self.low, self.high) - self.centre) / self.scale).clamp(-RESIDUAL_MAX, RESIDUAL_MAX)
    }

    /// A value's place between the two limits, 0 to 1: ADWIN's bound is one for values of that range.
    pub(super) fn place(&self, x: f64) -> f64 {
        ((x.clamp(self.low, self.high) - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The value at such a place.
    pub(super) fn at(&self, place: f64) -> f64 {
        self.low + place * (self.high - self.low)
    }

    fn calibrate(&mut self, residuals: &[f64], set: &MonitorSettings) {
        let n = f64::from(self.values.max(2));
        let arl0 = set.budget(self.batch);
        // A sum over values that resemble each other varies more than one over strangers.
        let alike = self.resemblance.clamp(0.0, 0.9);
        let swell = (1.0 + alike) / (1.0 - alike);
        let off_centre = MARGIN * (swell / n).sqrt();
        // Two sides share the false alarms; a side that is not told has none.
        let told = if set.sides == Sides::Both { 2.0 } else { 1.0 };
        let side = |sign: f64| {
            let steps: Vec<f64> = residuals.iter().map(|z| sign * z - set.k + off_centre).collect();
            let gaussian = Increments::gaussian((set.k - off_centre).max(0.05));
            let mut walk = Increments::observed(&steps, OVERSHOOT_MEAN)
                .filter(|seen| seen.exponent < gaussian.exponent)
                .unwrap_or(gaussian);
            walk.exponent /= swell;
            threshold_for(walk, told * arl0)
        };
        (self.threshold_up, self.threshold_down) = (side(1.0), side(-1.0));
        let fourth = residuals.iter().map(|z| z.powi(4)).sum::<f64>() / n;
        let too_narrow = 1.0 + MARGIN * ((fourth - 1.0).max(0.0) * swell / n).sqrt();
        let k = VarianceCusumSettings::allowance(set.grows);
        let steps: Vec<f64> = residuals.iter().map(|z| z * z * too_narrow - k).collect();
        let gaussian = Increments::gaussian_squares(set.grows);
        let mut walk = Increments::observed(&steps, gaussian.overshoot)
            .filter(|seen| seen.exponent < gaussian.exponent)
            .unwrap_or(gaussian);
        walk.exponent /= swell;
        self.threshold_wider = threshold_for(walk, arl0);
        let ratio = variance_ratio_threshold(RATIO_WINDOW, fourth, swell, arl0);
        self.threshold_ratio = ratio * too_narrow;
        // Each look is wrong with at most this probability; neighbours that resemble each other make its exponent smaller.
        let per_look = (f64::from(ADWIN_CLOCK) / arl0).min(0.5);
        self.adwin_delta = per_look.powf(swell).max(ADWIN_DELTA_MIN);
        self.replay_quiet(residuals, set);
    }

    /// The history that was quiet must be quiet: thresholds are raised where it comes near them.
    fn replay_quiet(&mut self, residuals: &[f64], set: &MonitorSettings) {
        let k = VarianceCusumSettings::allowance(set.grows);
        let (mut up, mut down, mut wider) = (0.0_f64, 0.0_f64, 0.0_f64);
        let mut highest = (0.0_f64, 0.0_f64, 0.0_f64);
        for z in residuals {
            up = (up + z - set.k).max(0.0);
            down = (down - z - set.k).max(0.0);
            wider = (wider + z * z - k).max(0.0);
            highest = (highest.0.max(up), highest.1.max(down), highest.2.max(wider));
        }
        self.threshold_up = self.threshold_up.max(highest.0 / QUIET_PART);
        self.threshold_down = self.threshold_down.max(highest.1 / QUIET_PART);
        self.threshold_wider = self.threshold_wider.max(highest.2 / QUIET_PART);
        if set.variance_ratio {
            self.threshold_ratio = self.threshold_ratio.max(most_apart(residuals) / QUIET_PART);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_moments_by_hand() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&mut []), None);
        assert_eq!(moments(&[1.0, 2.0, 3.0]), Some((2.0, 1.0)));
        assert!((resemblance(&[1.0, -1.0, 1.0, -1.0]) + 0.75).abs() < 1e-15);
    }

    #[test]
    fn residuals_of_a_skewed_series_have_mean_zero_and_deviation_one() {
        let mut random = fastrand::Rng::with_seed(4);
        let waits: Vec<f64> = (0..2000).map(|_| -(1.0 - random.f64()).ln() * 250.0).collect();
        let found = Baseline::of(&waits, 1, &MonitorSettings::default()).unwrap();
        let residuals: Vec<f64> = waits.iter().map(|x| found.residual(*x)).collect();
        let (mean, deviation) = moments(&residuals).unwrap();
        assert!(mean.abs() < 1e-9 && (deviation - 1.0).abs() < 1e-9, "{mean} {deviation}");
        assert!(found.threshold_up > found.threshold_down, "the long tail asks for more: {found:?}");
    }

    #[test]
    fn far_out_values_do_not_move_it() {
        let mut random = fastrand::Rng::with_seed(6);
        let mut values: Vec<f64> = (0..500).map(|_| random.f64()).collect();
        let clean = Baseline::of(&values, 1, &MonitorSettings::default()).unwrap();
        values.iter_mut().step_by(100).for_each(|x| *x = 1e9);
        let dirty = Baseline::of(&values, 1, &MonitorSettings::default()).unwrap();
        assert!((clean.centre - dirty.centre).abs() < 0.05 && (clean.scale / dirty.scale - 1.0).abs() < 0.2);
    }

    #[test]
    fn what_cannot_be_a_baseline_is_said() {
        let set = MonitorSettings::default();
        assert_eq!(Baseline::of(&[], 1, &set), Err(BaselineError::Few));
        assert_eq!(Baseline::of(&[1.0], 1, &set), Err(BaselineError::Few));
        let huge = [f64::MAX, -f64::MAX, f64::MAX, -f64::MAX];
        assert_eq!(Baseline::of(&huge, 1, &set), Err(BaselineError::Large));
        let flat = Baseline::of(&[3.25; 500], 1, &set).unwrap();
        assert!(flat.constant && flat.scale > 0.0 && flat.residual(3.25) == 0.0);
    }
}
