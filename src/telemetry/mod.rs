//! Logs and metrics: who is told what, in which shape.

mod json;
mod logs;
pub mod metrics;
pub mod order_metrics;

pub use logs::{Deployment, Format, install};
