//! What happens on a market, as data: the common language of recordings, the synthetic market and the floor.
//!
//! Shapes only. Ids are the market's own; the floor shifts them by what our accounts add.

use crate::paper_exchange::engine::{Price, Qty, Side, Symbol};
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
