//! The supervised components, one per file, and the tree they hang in.
//!
//! ```text
//! plimsoll                     one_for_one
//! └── infra                    one_for_one   what every later component leans on
//!     ├── clock_sentry         does the wall clock jump?
//!     └── process_monitor      memory, descriptors, threads
//! ```
//!
//! `connector` (orders and user data of one venue) and `market_data` (books, quotes and trades of one venue) are
//! cells that hang in no tree yet: they need the component that feeds them. The connector will share its arbiter
//! with it, because the hot pair is fastest on one thread. So are the `strategy` cells, one supervisor each.

pub mod clock_sentry;
pub mod connector;
pub mod market_data;
pub mod oms;
pub mod process_monitor;
pub mod run_control;
pub mod strategy;

use crate::supervision::{SupervisorDecl, supervisor};
use clock_sentry::ClockReadings;
use oms::OmsReadings;
use process_monitor::ProcessReadings;
use run_control::RunControl;
use std::time::Duration;

/// What the components publish for those who show it.
#[derive(Clone, Default)]
pub struct Readings {
    /// From the clock sentry.
    pub clock: ClockReadings,
    /// From the process monitor.
    pub process: ProcessReadings,
    /// From the order management.
    pub oms: OmsReadings,
    /// Words to the process itself.
    pub run: RunControl,
}

/// Declares the whole tree.
#[must_use]
pub fn tree(readings: &Readings) -> SupervisorDecl {
    let infra = supervisor("infra")
        .intensity(5, Duration::from_secs(60))
        .child(clock_sentry::declare(readings.clock.clone()))
        .child(process_monitor::declare(readings.process.clone()));
    supervisor("plimsoll").intensity(3, Duration::from_secs(300)).child(infra)
}
