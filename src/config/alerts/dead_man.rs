//! The ping to a dead man's switch elsewhere: `alerts.dead_man`.
//!
//! Somebody outside this host expects the ping and speaks up when it stays away; nothing inside it can say that it is
//! gone. Who knows the address could ping in our place, so it is a secret.

use super::channels::Reach;
use crate::config::problems::Problems;
use crate::config::secret::SecretRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Allowed intervals, in milliseconds.
pub const INTERVAL_MS: RangeInclusive<u64> = 100..=3_600_000;
/// Allowed timeouts of one ping, in milliseconds.
pub const TIMEOUT_MS: RangeInclusive<u64> = 100..=120_000;
/// Allowed ages of judging and committing, in milliseconds.
pub const MAX_AGE_MS: RangeInclusive<u64> = 100..=600_000;
/// Allowed times that a message may wait, in milliseconds.
pub const DELIVERY_MAX_AGE_MS: RangeInclusive<u64> = 1_000..=86_400_000;

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeadManSettings {
    /// The address that is fetched. Without it there is no ping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<SecretRef>,
    /// How often, in milliseconds; the receiver should allow for three times that.
    #[schemars(range(min = 100, max = 3_600_000))]
    pub interval_ms: u64,
    /// Longest time for one ping, in milliseconds.
    #[schemars(range(min = 100, max = 120_000))]
    pub timeout_ms: u64,
    /// Since judging or committing last got on, at most, in milliseconds. The service manager's watchdog goes by it too.
    #[schemars(range(min = 100, max = 600_000))]
    pub max_age_ms: u64,
    /// How long a message may wait for a channel that fails, in milliseconds.
    #[schemars(range(min = 1_000, max = 86_400_000))]
    pub delivery_max_age_ms: u64,
    /// Which addresses it may connect to.
    pub reach: Reach,
    /// Certificates (PEM) of authorities that are trusted besides the public ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

impl Default for DeadManSettings {
    fn default() -> Self {
        Self {
            url: None,
            interval_ms: 30_000,
            timeout_ms: 10_000,
            max_age_ms: 10_000,
            delivery_max_age_ms: 300_000,
            reach: Reach::default(),
            ca_file: None,
        }
    }
}

impl DeadManSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        problems.range("alerts.dead_man.interval_ms", self.interval_ms, &INTERVAL_MS);
        problems.range("alerts.dead_man.timeout_ms", self.timeout_ms, &TIMEOUT_MS);
        problems.range("alerts.dead_man.max_age_ms", self.max_age_ms, &MAX_AGE_MS);
        problems.range("alerts.dead_man.delivery_max_age_ms", self.delivery_max_age_ms, &DELIVERY_MAX_AGE_MS);
    }
}
