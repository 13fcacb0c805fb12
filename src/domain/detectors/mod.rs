//! Detectors of change in a series of numbers: one file each, pure, serialisable, deterministic.
//!
//! | name | sees | thresholds |
//! |---|---|---|
//! | `page_hinkley` | a mean that moves, river 0.23 bit for bit | raw |
//! | `adwin` | a mean that moves, window that adapts, river 0.23 bit for bit | a confidence |
//! | `cusum` | a mean that moves, of standardised residuals | raw, or from a budget of false alarms |
//! | `variance_cusum` | a spread that grows, of standardised residuals | the same |
//! | `variance_ratio` | a spread that differs from that of a reference | raw, or from a budget |
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
mod step;
mod variance_cusum;
mod variance_ratio;

pub use adwin::{Adwin, AdwinSettings};
pub use cusum::{Cusum, CusumSettings};
pub use design::{
    Increments, mean_threshold, one_sided_arl0, threshold_for, variance_design, variance_ratio_threshold,
};
pub use exact::{list as exact_list, number as exact_number, option as exact_option};
pub use page_hinkley::{PageHinkley, PageHinkleySettings};
pub use parameters::{ParameterError, Parameters};
pub use series::{MAX_SERIES, SeriesError, read_series};
pub use step::{Direction, Sides, Step};
pub use variance_cusum::{VarianceCusum, VarianceCusumSettings};
pub use variance_ratio::{VarianceRatio, VarianceRatioSettings};

use serde_json::Value;

/// One detector.
pub trait Detector {
    /// Takes one observation.
    fn update(&mut self, x: f64) -> Step;
    /// How many observations were not finite.
    fn rejected(&self) -> u64;
    /// The figures that an outsider may compare, by name.
    fn state(&self) -> Value;
}
