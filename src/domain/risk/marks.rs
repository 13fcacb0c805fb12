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

#[cfg(test)]
mod tests {
    use super::super::testing::{d, strategy, symbol, venue};
    use super::*;

    fn latch(side: Side) -> Latch {
        let (strategy, venue, symbol) = (strategy(0), venue(0), symbol(0));
        Latch { strategy, venue, symbol, side, fills: 5, window_ms: 1_000, at: WallMs(7) }
    }

    #[test]
    fn a_latch_says_what_latched_it() {
        assert_eq!(latch(Side::Buy).describe(), "v0/BTCUSDT buy fills=5 window_ms=1000");
        assert_eq!(latch(Side::Sell).describe(), "v0/BTCUSDT sell fills=5 window_ms=1000");
    }

    #[test]
    fn a_cold_start_keeps_cuts_alone() {
        let cut = Restraint {
            stream: "slippage:s0".to_owned(),
            strategy: strategy(0),
            factor: d("0.5"),
            reason: "it drifted".to_owned(),
            at: WallMs(3),
        };
        let marks = RiskMarks {
            latches: vec![latch(Side::Buy)],
            restraints: vec![cut.clone()],
            ..RiskMarks::default()
        };
        let kept = RiskMarks { restraints: vec![cut], ..RiskMarks::default() };
        assert_eq!(marks.clone().across_cold_start(), Some(kept));
        assert_eq!(RiskMarks { restraints: Vec::new(), ..marks }.across_cold_start(), None);
    }
}
