//! Settings of the heartbeats: how often each venue is asked, and when reconnections are a storm.
//!
//! Owns the keys under `heartbeat`.

use super::problems::Problems;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Allowed intervals, in milliseconds.
pub const INTERVAL_MS: RangeInclusive<u64> = 100..=3_600_000;
/// Allowed numbers of losses.
pub const RECONNECTS: RangeInclusive<u64> = 1..=1_000;
/// Allowed windows, in milliseconds.
pub const WINDOW_MS: RangeInclusive<u64> = 1_000..=86_400_000;

/// The heartbeats of the venues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HeartbeatSettings {
    /// How often each venue is asked for balances and open orders, in milliseconds. Two intervals in a row without a
    /// good answer raise `heartbeat_missed`.
    #[schemars(range(min = 100, max = 3_600_000))]
    pub interval_ms: u64,
    /// Losses of a venue's order session within the window that raise `reconnect_storm`.
    #[schemars(range(min = 1, max = 1_000))]
    pub storm_reconnects: u64,
    /// The window, in milliseconds; as long without a loss clears it.
    #[schemars(range(min = 1_000, max = 86_400_000))]
    pub storm_window_ms: u64,
}

impl Default for HeartbeatSettings {
    fn default() -> Self {
        Self { interval_ms: 10_000, storm_reconnects: 5, storm_window_ms: 300_000 }
    }
}

impl HeartbeatSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        problems.range("heartbeat.interval_ms", self.interval_ms, &INTERVAL_MS);
        problems.range("heartbeat.storm_reconnects", self.storm_reconnects, &RECONNECTS);
        problems.range("heartbeat.storm_window_ms", self.storm_window_ms, &WINDOW_MS);
    }
}
