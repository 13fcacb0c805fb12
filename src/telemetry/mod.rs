//! Logs and metrics: who is told what, in which shape.

pub mod alert_metrics;
pub mod guard_metrics;
mod health_metrics;
mod json;
mod logs;
pub mod metrics;
pub mod order_metrics;
mod run_log;

pub use logs::{Deployment, Format, install};
pub use run_log::{RunFolder, RunLog};
