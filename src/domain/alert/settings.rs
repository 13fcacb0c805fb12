//! What an operator decides about alerts: when one is raised and cleared, who is told and when, how often is too often.
//!
//! Plain values, checked by `config`. Times are milliseconds.

use super::notice::Stake;
use super::severity::Severity;
use std::collections::BTreeMap;

/// When a condition becomes an alert, and when the alert is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Samples out of the last `of` in which it must hold.
    pub raise_after: u32,
    /// Samples that are looked at, 1 to 64.
    pub of: u32,
    /// How long it must be gone.
    pub quiet_ms: u64,
    /// Flaps within the window from which on the quiet period is longer.
    pub flap_after: u32,
    /// The window.
    pub flap_window_ms: u64,
    /// The quiet period of the first flap too many; each further one multiplies it.
    pub flap_quiet_ms: u64,
    /// By this.
    pub flap_multiplier: u32,
    /// Up to this.
    pub flap_max_ms: u64,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            raise_after: 1,
            of: 1,
            quiet_ms: 0,
            flap_after: 4,
            flap_window_ms: 600_000,
            flap_quiet_ms: 15_000,
            flap_multiplier: 2,
            flap_max_ms: 600_000,
        }
    }
}

impl Rule {
    /// How long the condition must be gone after so many flaps.
    #[must_use]
    pub fn quiet_after(&self, flaps: u32) -> u64 {
        if flaps < self.flap_after {
            return self.quiet_ms;
        }
        let power = flaps.saturating_sub(self.flap_after).min(32);
        let factor = u64::from(self.flap_multiplier).saturating_pow(power);
        self.flap_quiet_ms.saturating_mul(factor).min(self.flap_max_ms).max(self.quiet_ms)
    }
}

/// Who is told when nobody has acknowledged for so long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// After the raise.
    pub after_ms: u64,
    /// Channels that are told.
    pub channels: Vec<String>,
}

/// Who is told of which alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Severities that it covers.
    pub severities: Vec<Severity>,
    /// Codes that it covers; all when empty.
    pub codes: Vec<String>,
    /// In order of their time; the first one is due at once.
    pub steps: Vec<Step>,
    /// After the last step, everything is begun again this much later; never when `None`.
    pub repeat_ms: Option<u64>,
    /// At most so often.
    pub repeats: u32,
}

/// At most so many messages within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// Messages.
    pub messages: u32,
    /// Within.
    pub within_ms: u64,
}

/// One way to tell people, as the router sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelPlan {
    /// Its name.
    pub name: String,
    /// Limits of messages; beyond them messages are bundled and wait.
    pub tiers: Vec<Tier>,
    /// So many that wait go out as one.
    pub bundle_above: usize,
    /// Its provider can be asked what became of a message.
    pub confirms: bool,
    /// While it is degraded it gets canaries by itself.
    pub probe: bool,
}

/// How deliveries are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Before the second attempt.
    pub first_ms: u64,
    /// Longest pause; each is twice the one before, a quarter of it scattered.
    pub max_ms: u64,
    /// A message that could not be delivered for so long expires.
    pub give_up_ms: u64,
    /// How long one attempt may take before its claim is void.
    pub lease_ms: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first_ms: 1_000, max_ms: 60_000, give_up_ms: 86_400_000, lease_ms: 60_000 }
    }
}

/// Who speaks, for the messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// Deployment and process, such as `desk/local`.
    pub instance: String,
    /// What is at stake.
    pub mode: Stake,
    /// Where the runbooks are; the code is appended.
    pub runbooks: String,
}

impl Default for Speaker {
    fn default() -> Self {
        Self { instance: "plimsoll/local".to_owned(), mode: Stake::Paper, runbooks: "runbooks/".to_owned() }
    }
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Rules of single codes.
    pub rules: BTreeMap<String, Rule>,
    /// The rule of every other code.
    pub rule: Rule,
    /// The first one that covers an alert holds; an alert that none covers is told to nobody.
    pub policies: Vec<Policy>,
    /// Every channel.
    pub channels: Vec<ChannelPlan>,
    /// How deliveries are tried again.
    pub retry: Retry,
    /// How often conditions are sampled.
    pub sample_ms: u64,
    /// After a start, how long an open alert waits for its condition to be asserted again.
    pub grace_ms: u64,
    /// How long an acknowledgement holds unless it says otherwise.
    pub ack_ms: u64,
    /// How long a consequence may outlive its root before it is told by itself.
    pub outlive_ms: u64,
    /// A transition that is not in the database after so long goes to the file of last resort.
    pub spool_after_ms: u64,
    /// Failures in a row after which a channel counts as failing.
    pub degraded_after: u32,
    /// A message that waits for so long counts as a failing channel too.
    pub degraded_wait_ms: u64,
    /// How long a provider is asked whether a message that it accepted has arrived; never when 0.
    pub confirm_ms: u64,
    /// Before the first canary to a degraded channel; each further pause is twice the one before.
    pub probe_first_ms: u64,
    /// Up to this.
    pub probe_max_ms: u64,
    /// Who speaks.
    pub speaker: Speaker,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rules: BTreeMap::new(),
            rule: Rule::default(),
            policies: Vec::new(),
            channels: Vec::new(),
            retry: Retry::default(),
            sample_ms: 1_000,
            grace_ms: 30_000,
            ack_ms: 4 * 3_600_000,
            outlive_ms: 10_000,
            spool_after_ms: 500,
            degraded_after: 3,
            degraded_wait_ms: 120_000,
            confirm_ms: 3_600_000,
            probe_first_ms: 30_000,
            probe_max_ms: 900_000,
            speaker: Speaker::default(),
        }
    }
}

impl Settings {
    /// The rule of a code.
    #[must_use]
    pub fn rule(&self, code: &str) -> Rule {
        self.rules.get(code).copied().unwrap_or(self.rule)
    }

    /// The policy that covers an alert.
    #[must_use]
    pub fn policy(&self, code: &str, severity: Severity) -> Option<&Policy> {
        self.policies.iter().find(|policy| {
            policy.severities.contains(&severity)
                && (policy.codes.is_empty() || policy.codes.iter().any(|one| one == code))
        })
    }

    /// The policy of a name.
    #[must_use]
    pub fn policy_named(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.name == name)
    }

    /// The plan of a channel.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&ChannelPlan> {
        self.channels.iter().find(|channel| channel.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaps_lengthen_the_quiet_period_up_to_a_bound() {
        let rule = Rule { quiet_ms: 100, ..Rule::default() };
        let quiet: Vec<u64> = [0, 3, 4, 5, 6, 40, u32::MAX].map(|flaps| rule.quiet_after(flaps)).into();
        assert_eq!(quiet, [100, 100, 15_000, 30_000, 60_000, 600_000, 600_000]);
    }

    #[test]
    fn the_first_policy_that_covers_an_alert_holds() {
        let policy = |name: &str, codes: &[&str], severities: &[Severity]| Policy {
            name: name.to_owned(),
            severities: severities.to_vec(),
            codes: codes.iter().map(|code| (*code).to_owned()).collect(),
            steps: Vec::new(),
            repeat_ms: None,
            repeats: 0,
        };
        let policies =
            vec![policy("disk", &["disk_low"], &Severity::ALL), policy("all", &[], &[Severity::Critical])];
        let settings = Settings { policies, ..Settings::default() };
        let name = |code, severity| settings.policy(code, severity).map(|policy| policy.name.as_str());
        assert_eq!(name("disk_low", Severity::Warning), Some("disk"));
        assert_eq!(name("clock_skew", Severity::Critical), Some("all"));
        assert_eq!(name("clock_skew", Severity::Warning), None);
    }
}
