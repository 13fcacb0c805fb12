//! Logs and metrics: who is told what, in which shape.

mod json;
mod logs;
pub mod metrics;
<<<<<<< HEAD
pub mod order_metrics;
=======
mod run_log;
>>>>>>> main

pub use logs::{Deployment, Format, install};
pub use run_log::{RunFolder, RunLog};
