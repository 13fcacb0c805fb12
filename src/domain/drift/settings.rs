//! What a monitor is asked to see, and how often it may be wrong.

use crate::domain::detectors::{ParameterError, Parameters, exact_number};
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
    /// Whether the mean is watched.
    pub mean: bool,
    /// Whether the spread is watched.
    pub variance: bool,
}

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
            mean: true,
            variance: true,
        }
    }
}

impl MonitorSettings {
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
            ..own
        })
    }
}
