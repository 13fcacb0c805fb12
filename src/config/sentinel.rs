//! Settings of the sentinel: what is expected of feeds and components, and what is done by itself when it does not hold.
//!
//! Owns the keys under `sentinel`. Nothing is contained automatically that is not listed here.

use super::problems::Problems;
use super::venues::Venue;
use crate::domain::alert::codes;
use crate::domain::health::{Day, SafeAction, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Allowed ticks, in milliseconds.
pub const TICK_MS: RangeInclusive<u64> = 20..=1_000;
/// Allowed leases, in milliseconds; always longer than a tick.
pub const LEASE_MS: RangeInclusive<u64> = 2_000..=60_000;
/// Allowed silences, in milliseconds.
pub const SILENCE_MS: RangeInclusive<u64> = 100..=86_400_000;
/// The journal proves itself every two seconds when it is idle.
pub const JOURNAL_MS: RangeInclusive<u64> = 3_000..=600_000;
/// Allowed offsets of clocks, in milliseconds.
pub const OFFSET_MS: RangeInclusive<u64> = 1..=60_000;
/// Allowed intervals of quotes, in milliseconds.
pub const INTERVAL_MS: RangeInclusive<u64> = 1_000..=600_000;
/// Allowed budgets of a containment.
pub const BUDGET: RangeInclusive<u64> = 1..=1_000;
/// Allowed windows of a budget, in seconds.
pub const WINDOW_SECONDS: RangeInclusive<u64> = 1..=86_400;
/// Most entries in a list.
const ENTRIES_MAX: usize = 256;

/// The sentinel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SentinelSettings {
    /// How often everything is judged, in milliseconds.
    #[schemars(range(min = 20, max = 1_000))]
    pub tick_ms: u64,
    /// How long a judgement is good for, in milliseconds. No order goes out without one; an older one raises
    /// `sentinel_stale`.
    #[schemars(range(min = 2_000, max = 60_000))]
    pub lease_ms: u64,
    /// Data of a feed should come at least this often, in milliseconds; slower is shown as degraded.
    #[schemars(range(min = 100, max = 86_400_000))]
    pub expected_interval_ms: u64,
    /// Data of a feed that is older is stale and raises `venue_quotes_stale`, in milliseconds.
    #[schemars(range(min = 100, max = 86_400_000))]
    pub stale_after_ms: u64,
    /// What differs for single feeds.
    pub feeds: Vec<FeedSettings>,
    /// A session may be down for so long before that is an alert, in milliseconds.
    #[schemars(range(min = 100, max = 86_400_000))]
    pub disconnected_after_ms: u64,
    /// A session that finds no way back for so long is called stranded, in milliseconds.
    #[schemars(range(min = 100, max = 86_400_000))]
    pub stranded_after_ms: u64,
    /// Longest time between two writes of the journal, in milliseconds.
    #[schemars(range(min = 3_000, max = 600_000))]
    pub journal_silent_ms: u64,
    /// Longest silence of the alerting path, in milliseconds.
    #[schemars(range(min = 100, max = 86_400_000))]
    pub alerting_silent_ms: u64,
    /// Largest offset between a venue's clock and ours, in milliseconds.
    #[schemars(range(min = 1, max = 60_000))]
    pub clock_offset_ms: u64,
    /// Are unusual quote rates, reconnections and flows told as warnings?
    pub anomalies: bool,
    /// The interval that quotes are counted in, in milliseconds; twelve of them come before anything is said.
    #[schemars(range(min = 1_000, max = 600_000))]
    pub anomaly_interval_ms: u64,
    /// What is done by itself when an alert stands. What is not listed is recommended only.
    pub containment: Vec<ContainmentSettings>,
}

impl Default for SentinelSettings {
    fn default() -> Self {
        Self {
            tick_ms: 250,
            lease_ms: 3_000,
            expected_interval_ms: 2_000,
            stale_after_ms: 5_000,
            feeds: Vec::new(),
            disconnected_after_ms: 2_000,
            stranded_after_ms: 30_000,
            journal_silent_ms: 6_000,
            alerting_silent_ms: 10_000,
            clock_offset_ms: 500,
            anomalies: true,
            anomaly_interval_ms: 10_000,
            containment: Vec::new(),
        }
    }
}

/// What is expected of one feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedSettings {
    /// A configured venue.
    pub venue: String,
    /// One of its instruments.
    pub symbol: String,
    /// As above, for this feed.
    #[serde(default)]
    pub expected_interval_ms: Option<u64>,
    /// As above, for this feed.
    #[serde(default)]
    pub stale_after_ms: Option<u64>,
    /// When its market trades, UTC; none means always. Silence outside them is no outage.
    #[serde(default)]
    pub hours: Vec<HoursSettings>,
}

/// Hours on some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoursSettings {
    /// On which days; none means every day.
    #[serde(default)]
    pub days: Vec<Day>,
    /// From when on, `HH:MM` UTC.
    pub from: String,
    /// Until when, `HH:MM` UTC; a window that passes midnight is two.
    pub to: String,
}

/// One automatic containment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainmentSettings {
    /// The alert's code.
    pub on: String,
    /// What is done. Nothing here moves funds, and nothing allows more than before.
    #[serde(rename = "do")]
    pub action: SafeAction,
    /// How often within the window; then it stops and says so.
    #[serde(default = "budget")]
    pub budget: u64,
    /// The window, in seconds.
    #[serde(default = "window")]
    pub per_seconds: u64,
}

const fn budget() -> u64 {
    3
}

const fn window() -> u64 {
    600
}

impl SentinelSettings {
    pub(super) fn validate(&self, problems: &mut Problems, venues: &[Venue]) {
        problems.range("sentinel.tick_ms", self.tick_ms, &TICK_MS);
        problems.range("sentinel.lease_ms", self.lease_ms, &LEASE_MS);
        for (key, found) in [
            ("expected_interval_ms", self.expected_interval_ms),
            ("stale_after_ms", self.stale_after_ms),
            ("disconnected_after_ms", self.disconnected_after_ms),
            ("stranded_after_ms", self.stranded_after_ms),
            ("alerting_silent_ms", self.alerting_silent_ms),
        ] {
            problems.range(format!("sentinel.{key}").as_str(), found, &SILENCE_MS);
        }
        problems.range("sentinel.journal_silent_ms", self.journal_silent_ms, &JOURNAL_MS);
        problems.range("sentinel.clock_offset_ms", self.clock_offset_ms, &OFFSET_MS);
        problems.range("sentinel.anomaly_interval_ms", self.anomaly_interval_ms, &INTERVAL_MS);
        for (key, found) in [("feeds", self.feeds.len()), ("containment", self.containment.len())] {
            if found > ENTRIES_MAX {
                let (problem, advice) =
                    (format!("{found} entries"), format!("at most {ENTRIES_MAX} are allowed"));
                problems.rule(format!("sentinel.{key}").as_str(), "too_many", problem, advice);
            }
        }
        for (index, feed) in self.feeds.iter().enumerate() {
            feed.validate(&format!("sentinel.feeds.{index}"), problems, venues);
        }
        for (index, one) in self.containment.iter().enumerate() {
            one.validate(&format!("sentinel.containment.{index}"), problems);
        }
    }
}

impl FeedSettings {
    fn validate(&self, at: &str, problems: &mut Problems, venues: &[Venue]) {
        for (key, found) in
            [("expected_interval_ms", self.expected_interval_ms), ("stale_after_ms", self.stale_after_ms)]
        {
            problems.range_if(format!("{at}.{key}").as_str(), found, &SILENCE_MS);
        }
        match venues.iter().find(|venue| venue.name == self.venue) {
            None => {
                let names: Vec<&str> = venues.iter().map(|venue| venue.name.as_str()).collect();
                let (problem, advice) = (
                    format!("`{}` is not configured", self.venue),
                    format!("name one of: {}", names.join(", ")),
                );
                problems.rule(format!("{at}.venue").as_str(), "unknown_venue", problem, advice);
            }
            Some(venue) if !venue.symbols.contains(&self.symbol) => {
                let (problem, advice) = (
                    format!("`{}` is not among the venue's instruments", self.symbol),
                    format!("name one of: {}", venue.symbols.join(", ")),
                );
                problems.rule(format!("{at}.symbol").as_str(), "unknown_symbol", problem, advice);
            }
            Some(_) => {}
        }
        for (index, hours) in self.hours.iter().enumerate() {
            if let Err(error) = Window::new(&hours.days, &hours.from, &hours.to) {
                let advice = "write `{days: [mon, tue], from: \"13:30\", to: \"20:00\"}`";
                let path = format!("{at}.hours.{index}");
                problems.rule(path.as_str(), "bad_hours", error.to_string(), advice);
            }
        }
    }
}

impl ContainmentSettings {
    fn validate(&self, at: &str, problems: &mut Problems) {
        problems.range(format!("{at}.budget").as_str(), self.budget, &BUDGET);
        problems.range(format!("{at}.per_seconds").as_str(), self.per_seconds, &WINDOW_SECONDS);
        if codes::find(&self.on).is_none() {
            let known: Vec<String> = codes::CODES.iter().map(|code| code.name.to_owned()).collect();
            let shown: String = self.on.chars().take(64).collect();
            let advice = super::fault::suggest(&self.on, &known);
            problems.rule(
                format!("{at}.on").as_str(),
                "unknown_alert",
                format!("`{shown}` is no alert"),
                advice,
            );
        }
    }
}
