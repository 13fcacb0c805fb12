//! The sentinel: gathers evidence, judges it, says what stands, and keeps the lease on the truth.

mod act;
mod cell;
mod gather;
mod plan;
mod readings;
mod report;
mod watch;

pub use act::Hands;
pub use cell::{SentinelWires, Watched, declare};
pub use plan::SentinelPlan;
pub use readings::{OrderPath, SentinelReadings, Snapshot};
pub use watch::SentinelWatch;
