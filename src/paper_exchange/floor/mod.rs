//! The floor: the exchange's whole state on one thread, and what it announces to whom.
//!
//! `state` owns it, `publish` routes the engine's events to sessions, `boards` turns market events into
//! streams, `registry` knows who is connected.

mod boards;
pub mod candles;
pub mod depth;
mod publish;
pub mod registry;
mod state;
pub mod streams;

pub use boards::Board;
pub(crate) use publish::{scope_side, strike_session};
pub use state::{BuildError, Floor, FloorStats, SharedFloor};
