//! The drift sentry's decisions: what is normal for a series, and whether it still is.
//!
//! A [`Monitor`] learns a baseline, sets its thresholds from a budget of false alarms, and watches. The baseline is
//! frozen from then on; only a person replaces it. [`replay`] runs any detector over a series from a file.

mod baseline;
mod catalogue;
mod monitor;
mod replay;
mod settings;

pub use baseline::{Baseline, BaselineError, Learning};
pub use catalogue::{DETECTORS, build};
pub use monitor::{Finding, Gauge, GaugeName, Monitor, News};
pub use replay::{Replayed, replay};
pub use settings::{BASELINE_MIN, MonitorSettings};
