//! Detectors of change in a series of numbers: one file each, pure, serialisable, deterministic.
//!
//! | name | sees | thresholds |
//! |---|---|---|
//! | `page_hinkley` | a mean that moves, river 0.23 bit for bit | raw |
//! | `adwin` | a mean that moves, window that adapts, river 0.23 bit for bit | a confidence |
//! | `cusum` | a mean that moves, of standardised residuals | raw, or from a budget of false alarms |
//! | `variance_cusum` | a spread that grows, of standardised residuals | the same |
//! | `variance_ratio` | a spread that differs from that of a reference | raw |
//!
//! None of them asks for the time. A number that is not finite is counted and never absorbed. After a detection a
//! detector starts afresh at its next observation, so that its state tells of the detection until then.

mod adwin;
mod cusum;
mod design;
mod exact;
mod page_hinkley;
mod parameters;
mod series;
mod variance_cusum;
mod variance_ratio;

pub use adwin::{Adwin, AdwinSettings};
pub use cusum::{Cusum, CusumSettings};
pub use design::{Increments, mean_threshold, one_sided_arl0, threshold_for, variance_design};
pub use exact::{list as exact_list, number as exact_number};
pub use page_hinkley::{PageHinkley, PageHinkleySettings};
pub use parameters::{ParameterError, Parameters};
pub use series::{MAX_SERIES, SeriesError, read_series};
pub use variance_cusum::{VarianceCusum, VarianceCusumSettings};
pub use variance_ratio::{VarianceRatio, VarianceRatioSettings};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where the series went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Its mean rose.
    Up,
    /// Its mean fell.
    Down,
    /// Its spread grew.
    Wider,
    /// Its spread shrank.
    Narrower,
}

/// What one observation brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing to tell.
    Quiet,
    /// The series has changed.
    Detected(Direction),
    /// The number was not finite: counted, not absorbed.
    Rejected,
}

/// Which way a two-sided detector looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// For a rise and for a fall.
    #[default]
    Both,
    /// For a rise alone.
    Up,
    /// For a fall alone.
    Down,
}

/// One detector.
pub trait Detector {
    /// Takes one observation.
    fn update(&mut self, x: f64) -> Step;
    /// How many observations were not finite.
    fn rejected(&self) -> u64;
    /// The figures that an outsider may compare, by name.
    fn state(&self) -> Value;
}
