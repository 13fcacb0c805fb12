//! What of risk must survive a restart: peaks, where the day began, records of trades, and latches.
//!
//! Everything else is rebuilt from orders and positions. Written to the journal, so old forms stay readable.

use super::restraint::Restraint;
use super::statistics::Outcomes;
use super::track::Track;
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::domain::order_types::Side;
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};

/// A strategy stopped by its own executions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latch {
    /// Which.
    pub strategy: StrategyId,
    /// Where the fill was that latched it.
    pub venue: VenueId,
    /// Its instrument.
    pub symbol: Symbol,
    /// Its side.
    pub side: Side,
    /// Fills within the window.
    pub fills: u32,
    /// The window, milliseconds.
    pub window_ms: u64,
    /// When (wall clock).
    pub at: WallMs,
}

impl Latch {
    pub(super) fn describe(&self) -> String {
        let side = match self.side {
            Side::Buy => "buy",
            Side::Sell => "sell",
        };
        format!("{}/{} {side} fills={} window_ms={}", self.venue, self.symbol, self.fills, self.window_ms)
    }
}

/// What is kept of one strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyMarks {
    /// Which.
    pub strategy: StrategyId,
    /// Its profit and loss over time.
    pub track: Track,
    /// Its closed trades.
    #[serde(default)]
    pub outcomes: Outcomes,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RiskMarks {
    /// Profit and loss of all over time.
    pub account: Track,
    /// Per strategy.
    #[serde(default)]
    pub strategies: Vec<StrategyMarks>,
    /// Latches that stand.
    #[serde(default)]
    pub latches: Vec<Latch>,
    /// Cuts that stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restraints: Vec<Restraint>,
}

impl RiskMarks {
    /// What a cold start does not close: only a person lifts a cut, and a new book makes no series normal.
    #[must_use]
    pub fn across_cold_start(self) -> Option<Self> {
        let restraints = self.restraints;
        (!restraints.is_empty()).then(|| Self { restraints, ..Self::default() })
    }
}
