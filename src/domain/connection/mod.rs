//! A session with a venue: its states and its rules, pure.

mod machine;
mod types;

pub use machine::{Connection, Effect, Event};
pub use types::{Policy, State, Why};
