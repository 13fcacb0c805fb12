//! The judge's limits: what is expected of each feed, and how long silence is tolerated.

use super::hours::Hours;
use crate::domain::ids::{Symbol, VenueId};
use std::collections::BTreeMap;

/// What is expected of one feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPolicy {
    /// Data should come at least this often, milliseconds. Slower is degraded.
    pub expected_ms: u64,
    /// Data older than this is stale, milliseconds.
    pub stale_ms: u64,
    /// When its market trades; quiet outside them is no outage.
    pub hours: Hours,
}

impl Default for FeedPolicy {
    fn default() -> Self {
        Self { expected_ms: 2_000, stale_ms: 5_000, hours: Hours::always() }
    }
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSettings {
    /// Of every feed that has no policy of its own.
    pub feed: FeedPolicy,
    /// Of single feeds.
    pub feeds: BTreeMap<(VenueId, Symbol), FeedPolicy>,
    /// A session may be down for so long, milliseconds: renewals and single losses heal by themselves.
    pub disconnected_ms: u64,
    /// A session that finds no way back for so long is stranded, milliseconds.
    pub stranded_ms: u64,
    /// A component that did not renew its own facts for so long does not advance, milliseconds.
    pub silent_ms: u64,
    /// Longest time between two writes of the journal, milliseconds. An idle one proves itself every two seconds.
    pub journal_ms: u64,
    /// Longest lateness of the alerting path, milliseconds.
    pub alerting_ms: u64,
    /// Failures in a row that make a channel suspect.
    pub channel_failures: u64,
    /// Largest offset between our clock and a venue's, milliseconds.
    pub clock_offset_ms: u64,
    /// How long a step of the clock, and a restarted component, stays on record, milliseconds.
    pub remembered_ms: u64,
    /// Nothing can be expected of a process before it has run so long, milliseconds.
    pub start_ms: u64,
    /// How long a containment that is automatic may take before trading on stale truth is said to be armed,
    /// milliseconds. Zero where nothing contains it.
    pub armed_grace_ms: u64,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            feed: FeedPolicy::default(),
            feeds: BTreeMap::new(),
            disconnected_ms: 2_000,
            stranded_ms: 30_000,
            silent_ms: 2_000,
            journal_ms: 6_000,
            alerting_ms: 10_000,
            channel_failures: 3,
            clock_offset_ms: 500,
            remembered_ms: 60_000,
            start_ms: 10_000,
            armed_grace_ms: 0,
        }
    }
}

impl HealthSettings {
    /// What is expected of a feed.
    #[must_use]
    pub fn feed(&self, venue: &VenueId, symbol: &Symbol) -> &FeedPolicy {
        self.feeds.get(&(venue.clone(), symbol.clone())).unwrap_or(&self.feed)
    }
}
