//! What the market did: trades, best quotes, and the state of the book that we keep.
//!
//! These are the events a market-data session publishes. They carry the venue's sequence numbers, so that a
//! consumer can compare what it holds with what was sent.

use super::ids::{Symbol, TradeId};
use super::money::{Price, Quantity};
use super::order_types::Side;
use super::time::WallMs;
use serde::{Deserialize, Serialize};

/// A price and what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Price.
    pub price: Price,
    /// Quantity.
    pub quantity: Quantity,
}

/// Best bid and ask of a book at one update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Top {
    /// The book's update id.
    pub update_id: u64,
    /// Highest bid.
    pub bid: Level,
    /// Lowest ask.
    pub ask: Level,
}

impl Top {
    /// Halfway between bid and ask; `None` on overflow.
    #[must_use]
    pub fn mid(&self) -> Option<Price> {
        self.bid.price.midpoint(self.ask.price)
    }

    /// Ask minus bid; `None` when the book is crossed.
    #[must_use]
    pub fn spread(&self) -> Option<Price> {
        self.ask.price.checked_sub(self.bid.price)
    }
}

/// A trade of the public market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicTrade {
    /// Instrument.
    pub symbol: Symbol,
    /// The venue's number.
    pub trade_id: TradeId,
    /// Price.
    pub price: Price,
    /// Base quantity.
    pub quantity: Quantity,
    /// Who took: a buyer's aggression lifts the ask.
    pub aggressor: Side,
    /// The venue's time.
    pub at: WallMs,
}

/// What a market-data session tells its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarketEvent {
    /// A trade.
    Trade(PublicTrade),
    /// The venue's own best quote.
    Quote {
        /// Instrument.
        symbol: Symbol,
        /// Best bid and ask.
        top: Top,
    },
    /// Our book after a diff or a snapshot. `None` while one side is empty.
    Book {
        /// Instrument.
        symbol: Symbol,
        /// Best bid and ask of the book we keep.
        top: Option<Top>,
    },
    /// Our book is no longer trusted; a resync has begun.
    BookLost {
        /// Instrument.
        symbol: Symbol,
        /// Why.
        why: BookLoss,
    },
    /// A message of a kind that this version does not know.
    Unrecognised {
        /// Its name or stream, bounded.
        kind: super::order_types::OtherWord,
    },
}

/// Why a book is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum BookLoss {
    /// A diff is missing between what we hold and what came.
    #[error("gap: the book is at {held}, the next diff begins at {got}")]
    Gap {
        /// Last update applied.
        held: u64,
        /// First update of the diff.
        got: u64,
    },
    /// Bid at or above ask after a diff.
    #[error("crossed at update {at}")]
    Crossed {
        /// The update.
        at: u64,
    },
    /// More levels than a book may have.
    #[error("more than {limit} levels on a side")]
    TooDeep {
        /// The bound.
        limit: usize,
    },
    /// The connection was lost.
    #[error("disconnected")]
    Disconnected,
    /// Too many diffs waited for a snapshot.
    #[error("more than {limit} diffs waited for a snapshot")]
    BufferFull {
        /// The bound.
        limit: usize,
    },
}
