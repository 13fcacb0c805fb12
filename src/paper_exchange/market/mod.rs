//! The market that strangers make: recorded or synthetic, one event after the other.
//!
//! A [`Feed`] is a pull iterator over timed events, deterministic for its source. It never sleeps: the
//! driver paces it, and the floor applies it to the engine. Ids only rise, also from loop to loop.

mod capture;
mod event;
mod pace;
mod replay;
mod synthetic;
mod synthetic_book;

pub use capture::{CaptureError, CaptureReader, Line, Record};
pub use event::{LastIds, Level, MarketEvent, Resume, Timed};
pub use pace::{Pace, PaceError, Speed};
pub use replay::{AtEnd, Replay};
pub use synthetic::{Synthetic, SyntheticSymbol};

use super::engine::Symbol;

/// A source of market events.
pub trait Feed: Send {
    /// The symbols it will speak of, sorted.
    fn symbols(&self) -> Vec<Symbol>;

    /// The next event; `None` when the market ends.
    ///
    /// # Errors
    /// [`CaptureError`] when a recording cannot be read on.
    fn next(&mut self) -> Result<Option<Timed>, CaptureError>;
}
