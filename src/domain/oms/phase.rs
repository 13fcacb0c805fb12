//! How far the order management is from taking orders.

use serde::{Deserialize, Serialize};

/// Only `Running` takes every new order that risk allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing was compared yet.
    #[default]
    Starting,
    /// Orders, fills and balances are being compared with the venues'.
    Reconciling,
    /// Orders are taken.
    Running,
    /// By an operator's word: no new entries; what only reduces a position may go out when it says so of itself.
    Paused,
    /// By an operator's word: only orders that make a position smaller.
    ReduceOnly,
    /// No new orders until an operator resets; cancels work.
    Halted,
    /// The end has begun: no new orders, ever again in this run.
    Draining,
}

impl Phase {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Reconciling => "reconciling",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::ReduceOnly => "reduce_only",
            Self::Halted => "halted",
            Self::Draining => "draining",
        }
    }
}
