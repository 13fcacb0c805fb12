//! What the sentinel is told at the start.

use crate::domain::anomaly::AnomalySettings;
use crate::domain::containment::Policy;
use crate::domain::health::HealthSettings;
use crate::domain::lease::Lease;
use std::time::Duration;

/// How often it judges, by which limits, and what hangs on it.
#[derive(Debug, Clone)]
pub struct SentinelPlan {
    /// How often it judges.
    pub tick: Duration,
    /// How long a judgement is good for: the lease's length, and the age at which the sentinel itself is stale.
    pub lasts: Duration,
    /// The judge's limits.
    pub health: HealthSettings,
    /// What counts as unusual.
    pub anomalies: AnomalySettings,
    /// What is done by itself.
    pub containment: Vec<Policy>,
    /// What the order path must hold to send anything; renewed after every completed judgement.
    pub lease: Lease,
}

impl Default for SentinelPlan {
    fn default() -> Self {
        Self {
            tick: Duration::from_millis(250),
            lasts: Duration::from_secs(3),
            health: HealthSettings::default(),
            anomalies: AnomalySettings::default(),
            containment: Vec::new(),
            lease: Lease::new(crate::clock::monotonic()),
        }
    }
}
