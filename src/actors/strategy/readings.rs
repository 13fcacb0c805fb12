//! What a strategy's cell shows of itself to readers on other threads.

use parking_lot::RwLock;
use std::sync::Arc;
use std::time::Instant;

/// What a strategy's cell has done, for readers on other threads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StrategyReading {
    /// Was it told where it stands?
    pub greeted: bool,
    /// May it trade now?
    pub trading: bool,
    /// Inputs that it was told.
    pub inputs: u64,
    /// Orders that it asked for.
    pub submits: u64,
    /// Cancels that it asked for.
    pub cancels: u64,
    /// Requests that found the port full or closed, or came while it may not trade.
    pub dropped: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Market events that it missed.
    pub missed: u64,
    /// Market events that it took, those of other instruments included.
    pub market: u64,
    /// When it last took one.
    pub market_at: Option<Instant>,
    /// Timers that were not armed because too many were.
    pub timers_dropped: u64,
}

/// The latest reading of one strategy.
#[derive(Debug, Clone, Default)]
pub struct StrategyReadings(pub(super) Arc<RwLock<StrategyReading>>);

impl StrategyReadings {
    /// The latest.
    #[must_use]
    pub fn latest(&self) -> StrategyReading {
        self.0.read().clone()
    }
}
