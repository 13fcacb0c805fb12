//! Logs and metrics: who is told what, in which shape.

pub mod alert_metrics;
mod drift_metrics;
pub mod guard_metrics;
mod health_metrics;
mod json;
mod logs;
pub mod metrics;
pub mod order_metrics;
mod outlet;
mod run_log;

pub use logs::{Deployment, Format, install};
pub use outlet::{flush_logs, lines_lost};
pub use run_log::{RunFolder, RunLog};
