//! Alerts: the codes, what holds, what was raised of it, whom it went to.
//!
//! [`router`] decides; everything else are the records that it keeps and the settings that it follows.

mod budget;
pub mod codes;
mod condition;
mod delivery;
mod fact;
pub mod life;
mod lines;
mod notice;
mod record;
mod retention;
pub mod router;
mod settings;
mod severity;
mod silence;
mod statistics;

pub use budget::Budget;
pub use condition::{AlertKey, Condition, Held, Locality, REASON_CHARS_MAX, SCOPE_CHARS_MAX, cut};
pub use delivery::{Confirm, Delivery, DeliveryState, later, pause_ms};
pub use fact::{AlertFact, History, KIND, What};
pub use lines::{ChannelRecord, LineError, Trouble, batch};
pub use notice::{ClearedBy, IdempotencyKey, Notice, Stake, Suppressed, Transition};
pub use record::{Ack, Alert, EVIDENCE_BYTES_MAX, Hidden, MOMENTS_MAX, Moment};
pub use retention::{Case, may_go, silence_may_go};
pub use settings::{ChannelPlan, Policy, Retry, Rule, Settings, Speaker, Step, Tier};
pub use severity::Severity;
pub use silence::{PATTERN_CHARS_MAX, SILENCES_MAX, Silence, matches};
pub use statistics::{Median, Medians, REMEMBERED, Statistics};
