//! `plimsoll bench alerts`: the figures of the alerts, and the receiver that they are measured with.

mod measure;
mod sink;

pub use measure::{AlertsArgs, measure};
