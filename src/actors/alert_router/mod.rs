//! The alert router as a supervised component: the shell of [`crate::domain::alert::router`].
//!
//! `cell` translates and performs, `desk` is how others ask, `courier` hands work to the journal in order, `sending`
//! sends, `spool` is the file of last resort, `readings` is what others may see,
//! `show` how alerts look outside.

mod cell;
mod courier;
mod declare;
mod desk;
mod readings;
mod sending;
pub mod show;
mod spool;

pub use cell::{AlertRouter, AlertSetup};
pub use declare::declare;
pub use desk::{AlertDesk, AlertRequest, shown};
pub use readings::{AlertReading, AlertReadings, ChannelHealth};
