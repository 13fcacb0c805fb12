//! The market that strangers make: recorded or synthetic, one event after the other.
//!
//! A [`Feed`] is a pull iterator over timed events, deterministic for its source. It never sleeps: the
//! driver paces it, and the floor applies it to the engine. Ids only rise, also from loop to loop.

mod capture;
mod pace;
mod replay;
mod synthetic;
mod synthetic_book;

pub use capture::{CaptureError, CaptureReader, Line, Record};
pub use pace::{Pace, PaceError, Speed};
pub use replay::{AtEnd, Replay};
pub use synthetic::{Synthetic, SyntheticSymbol};

use super::engine::{Price, Qty, Side, Symbol};
use std::collections::BTreeMap;

/// One price level: price and absolute quantity.
pub type Level = (Price, Qty);

/// Something that happened on the market. Ids are the market's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarketEvent {
    /// The visible book changed, or (`replace`) starts anew.
    Book {
        /// The symbol.
        symbol: Symbol,
        /// True: these are all levels there are.
        replace: bool,
        /// Id of the last update contained.
        last_update_id: u64,
        /// Bids with absolute quantities; zero removes.
        bids: Vec<Level>,
        /// Asks with absolute quantities; zero removes.
        asks: Vec<Level>,
    },
    /// Strangers traded.
    Trade {
        /// The symbol.
        symbol: Symbol,
        /// Rising.
        trade_id: u64,
        /// Trade price.
        price: Price,
        /// Base quantity.
        quantity: Qty,
        /// Who took.
        aggressor: Side,
    },
    /// Best bid and ask, between two book changes.
    Ticker {
        /// The symbol.
        symbol: Symbol,
        /// The book's id at that moment.
        update_id: u64,
        /// Best bid.
        bid: Level,
        /// Best ask.
        ask: Level,
    },
}

/// An event and when it is due, in nanoseconds since the feed's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timed {
    /// Due time.
    pub at_ns: u64,
    /// What happens.
    pub event: MarketEvent,
}

/// The last ids a symbol has used; a feed that resumes starts above them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct LastIds {
    /// Last book update id.
    pub update_id: u64,
    /// Last trade id.
    pub trade_id: u64,
}

/// The last ids of each symbol.
pub type Resume = BTreeMap<Symbol, LastIds>;

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
