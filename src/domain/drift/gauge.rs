//! What a detector shows of itself, and what was found when an episode opened.

use crate::domain::detectors::Direction;
use serde::{Deserialize, Serialize};

/// One detector's statistic against its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gauge {
    /// The detector's name.
    pub detector: GaugeName,
    /// What it looks for.
    pub direction: Direction,
    /// Where it stands.
    pub statistic: f64,
    /// From where on it is an alarm.
    pub threshold: f64,
}

/// Which detector a gauge belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GaugeName {
    /// Sums of residuals.
    Cusum,
    /// Sum of their squares.
    VarianceCusum,
    /// Page-Hinkley against the baseline's mean.
    PageHinkley,
    /// ADWIN over values between the baseline's limits.
    Adwin,
    /// Variance of the newest values over the baseline's.
    VarianceRatio,
    /// Page-Hinkley as river has it, on the numbers as they come.
    RiverPageHinkley,
    /// ADWIN as river has it, on the numbers as they come.
    RiverAdwin,
}

impl GaugeName {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cusum => "cusum",
            Self::VarianceCusum => "variance_cusum",
            Self::PageHinkley => "page_hinkley",
            Self::Adwin => "adwin",
            Self::VarianceRatio => "variance_ratio",
            Self::RiverPageHinkley => "river_page_hinkley",
            Self::RiverAdwin => "river_adwin",
        }
    }
}

/// What was found when an episode opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Which detector said so first; `None` in what an earlier release saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detector: Option<GaugeName>,
    /// The way of the first alarm.
    pub direction: Direction,
    /// Every detector with its statistic and threshold at that moment.
    pub gauges: Vec<Gauge>,
    /// Observations since the change is estimated to have begun, this one included.
    pub onset_ago: u64,
    /// Estimated size: shift of the mean in standard deviations of the baseline, or how many-fold the spread has become.
    pub size: f64,
    /// Estimated new mean, or new standard deviation, units of the series.
    pub level: f64,
}

/// What a detector makes of the change that it sees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sight {
    pub(super) detector: GaugeName,
    pub(super) direction: Direction,
    /// The new mean or standard deviation in units of the series, and since how many observations; `None` where the sums
    /// know better.
    pub(super) estimate: Option<Estimate>,
}

/// See [`Sight`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub(super) level: f64,
    pub(super) onset_ago: u64,
}
