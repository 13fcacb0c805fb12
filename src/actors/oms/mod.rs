//! The order management as a supervised component: the shell of [`crate::domain::oms`].

mod cell;
mod declare;
mod handle;
mod latch;
mod latency;
mod load;
mod mail;
mod readings;
mod show;
mod standstill;
mod upkeep;
mod wiring;

pub use cell::OmsCell;
pub use declare::declare;
pub use handle::{Ask, AskFailure, DrainNow, OmsHandle, Request};
pub use latency::{BOUNDS_US, Histogram, Latencies};
pub use readings::{
    EventStream, Marks, OmsReadings, OmsView, OpenAlert, PriceGate, RiskReading, Stamped, VenueGate,
};
pub use wiring::{Cursors, OmsPlan, Wires};
