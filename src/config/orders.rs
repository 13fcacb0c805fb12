//! Settings of the order management: ages, checks and how a run ends.
//!
//! Owns the keys under `orders`. The names of the checks are those that operators know from comparable systems.

use super::problems::Problems;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Allowed intervals of the checks, in milliseconds.
pub const INTERVAL_MS: RangeInclusive<u64> = 50..=3_600_000;
/// Allowed numbers of repetitions.
pub const RETRIES: RangeInclusive<u64> = 1..=100;
/// Allowed age of an order that waits to be sent, in milliseconds.
pub const MAX_AGE_MS: RangeInclusive<u64> = 10..=86_400_000;
/// Allowed number of open orders.
pub const MAX_OPEN: RangeInclusive<u64> = 1..=50_000;

/// What becomes of working orders when the process is told to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtShutdown {
    /// They are cancelled, and the venue is asked until it shows none.
    #[default]
    Cancel,
    /// They stay.
    Keep,
}

/// The order management.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Orders {
    /// An order that waited longer than this is never sent, in milliseconds. Strategies can set their own.
    #[schemars(range(min = 10, max = 86_400_000))]
    pub max_age_ms: u64,
    /// Open orders in all; one more is refused.
    #[schemars(range(min = 1, max = 50_000))]
    pub max_open: u64,
    /// What becomes of working orders when the process is told to stop.
    pub at_shutdown: AtShutdown,
    /// How often orders without an answer are looked at, in milliseconds.
    #[schemars(range(min = 50, max = 3_600_000))]
    pub inflight_check_interval_ms: u64,
    /// Age from which an order without an answer is asked about, in milliseconds.
    #[schemars(range(min = 50, max = 3_600_000))]
    pub inflight_check_threshold_ms: u64,
    /// Questions without a useful answer after which an alert stands; asking goes on.
    #[schemars(range(min = 1, max = 100))]
    pub inflight_check_retries: u64,
    /// How often open orders are compared with the venue's, in milliseconds.
    #[schemars(range(min = 50, max = 3_600_000))]
    pub open_check_interval_ms: u64,
    /// Age from which a difference in open orders counts, in milliseconds.
    #[schemars(range(min = 50, max = 3_600_000))]
    pub open_check_threshold_ms: u64,
    /// Comparisons in which an order must be missing before it is asked about one by one.
    #[schemars(range(min = 1, max = 100))]
    pub open_check_missing_retries: u64,
    /// How often fills and balances are compared with the venue's, in milliseconds.
    #[schemars(range(min = 50, max = 3_600_000))]
    pub position_check_interval_ms: u64,
    /// Reads in a row that must show a difference before trading is halted.
    #[schemars(range(min = 1, max = 100))]
    pub position_check_retries: u64,
    /// Questions about single orders per check.
    #[schemars(range(min = 1, max = 1_000))]
    pub max_single_order_queries_per_cycle: u64,
    /// Pause between two such questions, in milliseconds.
    #[schemars(range(min = 1, max = 60_000))]
    pub single_order_query_delay_ms: u64,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            max_age_ms: 10_000,
            max_open: 10_000,
            at_shutdown: AtShutdown::default(),
            inflight_check_interval_ms: 2_000,
            inflight_check_threshold_ms: 5_000,
            inflight_check_retries: 5,
            open_check_interval_ms: 10_000,
            open_check_threshold_ms: 5_000,
            open_check_missing_retries: 5,
            position_check_interval_ms: 60_000,
            position_check_retries: 3,
            max_single_order_queries_per_cycle: 10,
            single_order_query_delay_ms: 100,
        }
    }
}

impl Orders {
    pub(super) fn validate(&self, problems: &mut Problems) {
        problems.range("orders.max_age_ms", self.max_age_ms, &MAX_AGE_MS);
        problems.range("orders.max_open", self.max_open, &MAX_OPEN);
        for (path, value) in [
            ("orders.inflight_check_interval_ms", self.inflight_check_interval_ms),
            ("orders.inflight_check_threshold_ms", self.inflight_check_threshold_ms),
            ("orders.open_check_interval_ms", self.open_check_interval_ms),
            ("orders.open_check_threshold_ms", self.open_check_threshold_ms),
            ("orders.position_check_interval_ms", self.position_check_interval_ms),
        ] {
            problems.range(path, value, &INTERVAL_MS);
        }
        for (path, value) in [
            ("orders.inflight_check_retries", self.inflight_check_retries),
            ("orders.open_check_missing_retries", self.open_check_missing_retries),
            ("orders.position_check_retries", self.position_check_retries),
        ] {
            problems.range(path, value, &RETRIES);
        }
        let (queries, delay) = (self.max_single_order_queries_per_cycle, self.single_order_query_delay_ms);
        problems.range("orders.max_single_order_queries_per_cycle", queries, &(1..=1_000));
        problems.range("orders.single_order_query_delay_ms", delay, &(1..=60_000));
    }
}
