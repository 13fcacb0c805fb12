//! The gate before the venue: only this module can make an [`Approved`] order, and nothing else can be sent.

mod approved;

pub use approved::Approved;
