//! What a monitor is asked to see, and how often it may be wrong.

use crate::domain::detectors::{
    AdwinSettings, PageHinkleySettings, ParameterError, Parameters, Sides, exact_number,
};
use serde::{Deserialize, Serialize};

/// Fewest values of a baseline on a live stream: with fewer the thresholds do not hold.
pub const BASELINE_MIN: u32 = 500;
/// Fewest values of a baseline where a person replays a short series and sees the figures.
const BASELINE_REPLAY_MIN: u32 = 50;
/// Most values of a baseline: they are memory of the stream while it learns.
pub const BASELINE_MAX: u32 = 5_000;

/// Settings of a monitor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MonitorSettings {
    /// Budget: observations between two false alarms of this monitor, on average.
    #[serde(with = "exact_number")]
    pub arl0: f64,
    /// Allowance of the mean's sums, standard deviations: half the shift to be seen.
    #[serde(with = "exact_number")]
    pub k: f64,
    /// How many-fold the standard deviation grows that the sum of squares is tuned to.
    #[serde(with = "exact_number")]
    pub grows: f64,
    /// A residual counts as at most so many robust deviations.
    #[serde(with = "exact_number")]
    pub winsor: f64,
    /// Values of the baseline.
    pub baseline: u32,
    /// Most observations of which one mean is taken when neighbours resemble each other; a power of two.
    pub batch_max: u32,
    /// An alarm is over after so many values below half of each threshold.
    pub clear_after: u32,
    /// Which way of the mean harms: the other is not told. What river's detectors see is told whatever stands here.
    #[serde(default)]
    pub sides: Sides,
    /// Whether a sum of residuals watches the mean.
    pub mean: bool,
    /// Whether a sum of their squares watches the spread.
    pub variance: bool,
    /// Whether Page-Hinkley against the baseline's mean watches the mean.
    #[serde(default)]
    pub page_hinkley: bool,
    /// Whether ADWIN watches the mean.
    #[serde(default)]
    pub adwin: bool,
    /// Whether the ratio of variances watches the spread.
    #[serde(default)]
    pub variance_ratio: bool,
    /// Page-Hinkley as river has it, on the numbers as they come: outside of the budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub river_page_hinkley: Option<PageHinkleySettings>,
    /// ADWIN as river has it, on the numbers as they come: outside of the budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub river_adwin: Option<AdwinSettings>,
}

/// Fewest batches between false alarms that a threshold is set for.
const ARL0_MIN: f64 = 100.0;

impl Default for MonitorSettings {
    fn default() -> Self {
        Self {
            arl0: 100_000.0,
            k: 0.5,
            grows: 1.5,
            winsor: 3.0,
            baseline: BASELINE_MIN,
            batch_max: 64,
            clear_after: 200,
            sides: Sides::Both,
            mean: true,
            variance: true,
            page_hinkley: false,
            adwin: false,
            variance_ratio: false,
            river_page_hinkley: None,
            river_adwin: None,
        }
    }
}

impl MonitorSettings {
    /// Does any detector look for a mean that moves?
    pub(super) const fn watches_mean(&self) -> bool {
        let river = self.river_page_hinkley.is_some() || self.river_adwin.is_some();
        self.mean || self.page_hinkley || self.adwin || river
    }

    /// Does any detector look for a spread that changes?
    pub(super) const fn watches_spread(&self) -> bool {
        self.variance || self.variance_ratio
    }

    /// What each detector may have of the budget, in values of `batch` observations: the detectors share the false alarms.
    pub(super) fn budget(&self, batch: u32) -> f64 {
        let all = [self.mean, self.variance, self.page_hinkley, self.adwin, self.variance_ratio];
        let shares: f64 = all.iter().map(|on| f64::from(u8::from(*on))).sum();
        (self.arl0 / f64::from(batch.max(1))).max(ARL0_MIN) * shares.max(1.0)
    }

    /// Reads settings as `key=value`.
    ///
    /// # Errors
    /// When a value cannot be.
    pub fn read(set: &mut Parameters) -> Result<Self, ParameterError> {
        let own = Self::default();
        let least = "a whole number of at least 50";
        Ok(Self {
            arl0: set
                .number("arl0", own.arl0, "a number of at least 100", |x| (100.0..=1e12).contains(&x))?,
            k: set.number("k", own.k, "a number from 0.1 to 2", |x| (0.1..=2.0).contains(&x))?,
            grows: set
                .number("grows", own.grows, "a number from 1.25 to 3", |x| (1.25..=3.0).contains(&x))?,
            winsor: set
                .number("winsor", own.winsor, "a number from 2 to 10", |x| (2.0..=10.0).contains(&x))?,
            baseline: set.count("baseline", own.baseline, BASELINE_REPLAY_MIN, least)?.min(BASELINE_MAX),
            batch_max: set.count("batch_max", own.batch_max, 1, "a whole number of at least 1")?,
            clear_after: set.count("clear_after", own.clear_after, 1, "a whole number of at least 1")?,
            sides: set.sides("sides")?,
            ..own
        })
    }
}
