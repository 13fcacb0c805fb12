//! Alerts as data: how grave one is, and what a person is told about it.

mod notice;
mod severity;

pub use notice::{ClearedBy, IdempotencyKey, Notice, Stake, Suppressed, Transition};
pub use severity::Severity;
