//! The journal: the one component that writes, in groups, and says what is durable.
//!
//! `mail` are its messages, `queue` decides (pure), `cell` performs, `alerts`, `upkeep`, `retention`, `controls`,
//! `performance` and `drift` are what it does beside, `readings` is what others may see, `courier` is how they hand it
//! work that must not be lost.

mod alerts;
mod cell;
mod controls;
mod courier;
mod declare;
mod drift;
mod mail;
mod performance;
mod queue;
mod readings;
mod retention;
mod session;
mod upkeep;

pub use cell::Journal;
pub(in crate::actors) use courier::{Courier, Receipt};
pub use declare::{declare, declare_with};
pub use mail::{
    Append, AppendAlerts, AppendControls, AppendPerformance, AppendTelemetry, JournalAnswer, JournalFailure,
    OpenSession, ReadRows, SaveDrift, Session,
};
pub use queue::{BACKLOG_ROWS_MAX, GROUP_ROWS};
pub use readings::{JournalReading, JournalReadings, JournalSettings};
