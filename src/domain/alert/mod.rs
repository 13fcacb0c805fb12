//! Alerts: the codes, what holds, what was raised of it, whom it went to.

pub mod codes;
mod condition;
mod notice;
mod severity;

pub use condition::{AlertKey, Condition, Locality, REASON_CHARS_MAX, SCOPE_CHARS_MAX, cut};
pub use notice::{ClearedBy, IdempotencyKey, Notice, Stake, Suppressed, Transition};
pub use severity::Severity;
