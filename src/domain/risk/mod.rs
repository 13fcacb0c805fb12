//! The gate before the venue: only this module can make an [`Approved`] order, and nothing else can be sent.

mod approved;
mod gate;

pub use approved::Approved;
pub use gate::{Inputs, PriceGuard, approve};
