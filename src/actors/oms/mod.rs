//! The order management as a supervised component: the shell of [`crate::domain::oms`].

mod handle;
mod latency;
mod readings;

pub use handle::{Ask, AskFailure, DrainNow, OmsHandle, Request};
pub use latency::{BOUNDS_US, Histogram, Latencies};
pub use readings::{EventStream, Marks, OmsReadings, OmsView, OpenAlert, Stamped, VenueGate};
