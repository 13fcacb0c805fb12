//! The journal: the one component that writes, in groups, and says what is durable.
//!
//! `mail` are its messages, `queue` decides (pure), `cell` performs, `alerts`, `upkeep` and `controls` are what it does beside, `readings` is
//! what others may see.

mod alerts;
mod cell;
mod controls;
mod declare;
mod mail;
mod queue;
mod readings;
mod session;
mod upkeep;

pub use cell::Journal;
pub use declare::{declare, declare_with};
pub use mail::{
    Append, AppendAlerts, AppendControls, AppendTelemetry, JournalAnswer, JournalFailure, OpenSession,
    ReadRows, Session,
};
pub use queue::{BACKLOG_ROWS_MAX, GROUP_ROWS};
pub use readings::{JournalReading, JournalReadings, JournalSettings};
