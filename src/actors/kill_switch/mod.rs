//! The kill switch: a latch that needs no actor and no database, and the cell that tells others about it.

mod cell;
mod core;
mod disk;
mod handle;
mod watcher;

pub use cell::{KillNews, KillOutlet, declare};
pub use handle::{Engaged, KillSwitch, LatchView, NotDurable, OpenError};
