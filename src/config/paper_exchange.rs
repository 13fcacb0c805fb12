//! Settings of the paper exchange inside this process.
//!
//! Owns the keys under `paper_exchange`. Whether it runs follows from the venues' addresses.

use super::problems::Problems;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Allowed speed of the embedded market, in thousandths of real time.
pub const SPEED_PERMILLE: RangeInclusive<u64> = 1..=1_000_000;
/// The paper exchange inside this process; it runs when a venue's `rest_url` is `embedded`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PaperExchangeSettings {
    /// Recorded market data to replay, joined; without any, a synthetic market runs.
    pub market: Vec<PathBuf>,
    /// Seed of the synthetic market.
    pub seed: u64,
    /// Speed of the market, in thousandths of real time.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub speed_permille: u64,
}

impl Default for PaperExchangeSettings {
    fn default() -> Self {
        Self { market: Vec::new(), seed: 1, speed_permille: 1_000 }
    }
}

impl PaperExchangeSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        problems.range("paper_exchange.speed_permille", self.speed_permille, &SPEED_PERMILLE);
    }
}
