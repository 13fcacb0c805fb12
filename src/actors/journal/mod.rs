//! The journal: the one component that writes, in groups, and says what is durable.
//!
//! [`mail`](self) are its messages, `queue` decides (pure), `cell` performs, `readings` is what others may see.

mod cell;
mod mail;
mod queue;
mod readings;
mod session;

pub use cell::{Journal, declare, declare_with};
pub use mail::{Append, AppendTelemetry, JournalAnswer, JournalFailure, OpenSession, ReadRows, Session};
pub use queue::{BACKLOG_ROWS_MAX, GROUP_ROWS};
pub use readings::{JournalReading, JournalReadings, JournalSettings};
