//! Anomalies: what is unusual, beside the hard rules of health. Warnings only.
//!
//! Each compares an observed figure with a baseline of the same session, by robust statistics: median and median
//! absolute deviation, so that one outlier moves nothing. A baseline stands still while its anomaly is open, so that an
//! outage cannot become normal; nothing is said before there is enough history; memory and alarms per hour are
//! bounded. Each verdict shows baseline, observed value and threshold.

mod baseline;
mod flow;
mod limiter;
mod rate;
mod watch;

pub use baseline::{Baseline, Spread};
pub use watch::{Anomalies, AnomalySettings};
