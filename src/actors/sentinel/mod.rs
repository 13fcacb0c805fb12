//! The sentinel: gathers evidence, judges it, says what stands, and keeps the lease on the truth.

mod act;
mod cell;
mod contain;
mod gather;
mod ledger;
mod plan;
mod readings;
mod record;
mod report;
mod watch;

pub use act::{Books, Hands};
pub use cell::{SentinelWires, Watched, declare};
pub use plan::SentinelPlan;
pub use readings::{OrderPath, SentinelReadings, Snapshot};
pub use record::{EVIDENCE_FILE, Entry};
pub use watch::SentinelWatch;
