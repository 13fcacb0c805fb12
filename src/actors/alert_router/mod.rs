//! The alert router as a supervised component: the shell of [`crate::domain::alert::router`].
//!
//! `cell` translates and performs, `outbox` talks to the channels through `sending`, `desk` is how others ask, `load` is
//! where it begins, `spool` is the file of last resort, `readings` is what others may see, `show` how alerts look
//! outside.

mod cell;
mod declare;
mod desk;
mod load;
mod outbox;
mod readings;
mod sending;
pub mod show;
mod spool;

pub use cell::{AlertRouter, AlertSetup};
pub use declare::declare;
pub use desk::{AlertDesk, AlertRequest, shown};
pub use readings::{AlertReading, AlertReadings, ChannelHealth};
