//! When alerts are raised and cleared, who is told when, and how often is too often: the rest of `alerts`.
//!
//! Owns `rules`, `contacts`, `policies`, `limits` and the times. The defaults tell every channel of every critical
//! alert and warning at once, and once more when nobody has acknowledged.

use super::channels::ChannelSettings;
use crate::config::problems::Problems;
use crate::domain::alert::{Severity, codes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Allowed samples.
pub const SAMPLES: RangeInclusive<u64> = 1..=64;
/// Allowed times, in seconds: a week.
pub const SECONDS: RangeInclusive<u64> = 0..=604_800;
/// Allowed multipliers.
pub const MULTIPLIER: RangeInclusive<u64> = 1..=10;
/// Allowed numbers of messages and flaps.
pub const COUNT: RangeInclusive<u64> = 1..=1_000;
/// Policies, contacts, steps of a policy, tiers of a limit.
pub const LIST_MAX: usize = 64;

/// When the conditions of one code become an alert, and when it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RuleSettings {
    /// The code; `*` for every code without a rule of its own.
    pub code: String,
    /// Samples, one a second, in which the condition must hold, 1 to 64.
    #[schemars(range(min = 1, max = 64))]
    pub raise_after: u64,
    /// Out of the last so many, 1 to 64.
    #[schemars(range(min = 1, max = 64))]
    pub of: u64,
    /// How long the condition must be gone before the alert is cleared, in seconds.
    #[schemars(range(max = 604_800))]
    pub quiet_seconds: u64,
    /// So many raises and returns within the window, and the quiet period is longer.
    #[schemars(range(min = 1, max = 1_000))]
    pub flap_after: u64,
    /// The window, in seconds.
    #[schemars(range(max = 604_800))]
    pub flap_window_seconds: u64,
    /// The longer quiet period, in seconds.
    #[schemars(range(max = 604_800))]
    pub flap_quiet_seconds: u64,
    /// Each further flap multiplies it.
    #[schemars(range(min = 1, max = 10))]
    pub flap_multiplier: u64,
    /// Up to this, in seconds.
    #[schemars(range(max = 604_800))]
    pub flap_max_seconds: u64,
}

impl Default for RuleSettings {
    fn default() -> Self {
        Self {
            code: "*".to_owned(),
            raise_after: 1,
            of: 1,
            quiet_seconds: 0,
            flap_after: 4,
            flap_window_seconds: 600,
            flap_quiet_seconds: 15,
            flap_multiplier: 2,
            flap_max_seconds: 600,
        }
    }
}

/// Somebody who is told, and over which channels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContactSettings {
    /// A name for policies.
    pub name: String,
    /// Names of channels.
    pub channels: Vec<String>,
}

/// Who is told when nobody has acknowledged for so long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StepSettings {
    /// After the raise, in seconds; rises from step to step.
    #[schemars(range(max = 604_800))]
    pub after_seconds: u64,
    /// Names of contacts or channels; `*` for every channel.
    pub notify: Vec<String>,
}

/// Who is told of which alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicySettings {
    /// A name.
    pub name: String,
    /// Severities that it covers.
    pub severities: Vec<Severity>,
    /// Codes that it covers; every code when empty.
    pub codes: Vec<String>,
    /// Who is told when.
    pub steps: Vec<StepSettings>,
    /// After the last step, begin again so many seconds later; 0 for never.
    #[schemars(range(max = 604_800))]
    pub repeat_seconds: u64,
    /// At most so often.
    #[schemars(range(max = 1_000))]
    pub repeats: u64,
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            severities: vec![Severity::Warning, Severity::Critical],
            codes: Vec::new(),
            steps: Vec::new(),
            repeat_seconds: 0,
            repeats: 3,
        }
    }
}

/// At most so many messages within a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TierSettings {
    /// Messages, 1 to 1000.
    #[schemars(range(min = 1, max = 1_000))]
    pub messages: u64,
    /// Within so many seconds.
    #[schemars(range(min = 1, max = 604_800))]
    pub within_seconds: u64,
}

/// How often one channel may be used. What is beyond waits and goes out as one message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// The channel's name.
    pub channel: String,
    /// Every one of them holds; none for no limit.
    pub tiers: Vec<TierSettings>,
}

pub(super) struct Lists<'a> {
    pub(super) channels: &'a [ChannelSettings],
    pub(super) rules: &'a [RuleSettings],
    pub(super) contacts: &'a [ContactSettings],
    pub(super) policies: &'a [PolicySettings],
    pub(super) limits: &'a [LimitSettings],
}

impl Lists<'_> {
    pub(super) fn validate(&self, problems: &mut Problems) {
        for (name, length) in [
            ("rules", self.rules.len()),
            ("contacts", self.contacts.len()),
            ("policies", self.policies.len()),
            ("limits", self.limits.len()),
        ] {
            if length > LIST_MAX {
                let found = format!("{length} entries");
                problems.rule(format!("alerts.{name}"), "too_many", found, format!("at most {LIST_MAX}"));
            }
        }
        self.rules(problems);
        self.contacts(problems);
        self.policies(problems);
        self.limits(problems);
    }

    fn rules(&self, problems: &mut Problems) {
        let mut seen = BTreeSet::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let at = |key: &str| format!("alerts.rules.{index}.{key}");
            if rule.code != "*" {
                code(problems, &at("code"), &rule.code);
            }
            once(problems, &at("code"), &rule.code, &mut seen);
            problems.range(at("raise_after"), rule.raise_after, &SAMPLES);
            problems.range(at("of"), rule.of, &SAMPLES);
            if rule.raise_after > rule.of {
                let problem = format!("{} of {} samples can never hold", rule.raise_after, rule.of);
                problems.rule(at("raise_after"), "impossible_rule", problem, "at most the value of `of`");
            }
            problems.range(at("quiet_seconds"), rule.quiet_seconds, &SECONDS);
            problems.range(at("flap_after"), rule.flap_after, &COUNT);
            problems.range(at("flap_window_seconds"), rule.flap_window_seconds, &SECONDS);
            problems.range(at("flap_quiet_seconds"), rule.flap_quiet_seconds, &SECONDS);
            problems.range(at("flap_multiplier"), rule.flap_multiplier, &MULTIPLIER);
            problems.range(at("flap_max_seconds"), rule.flap_max_seconds, &SECONDS);
        }
    }

    fn contacts(&self, problems: &mut Problems) {
        let mut seen: BTreeSet<&str> = self.channels.iter().map(|channel| channel.name.as_str()).collect();
        for (index, contact) in self.contacts.iter().enumerate() {
            let at = |key: &str| format!("alerts.contacts.{index}.{key}");
            if contact.name.is_empty() || contact.name == "*" {
                problems.rule(at("name"), "bad_name", "a contact needs a name", "such as `desk`");
            }
            once(problems, &at("name"), &contact.name, &mut seen);
            for (place, channel) in contact.channels.iter().enumerate() {
                self.channel(problems, &at(&format!("channels.{place}")), channel);
            }
        }
    }

    fn policies(&self, problems: &mut Problems) {
        let mut seen = BTreeSet::new();
        for (index, policy) in self.policies.iter().enumerate() {
            let at = |key: &str| format!("alerts.policies.{index}.{key}");
            if policy.name.is_empty() {
                problems.rule(at("name"), "bad_name", "a policy needs a name", "such as `critical`");
            }
            once(problems, &at("name"), &policy.name, &mut seen);
            for (place, name) in policy.codes.iter().enumerate() {
                code(problems, &at(&format!("codes.{place}")), name);
            }
            if policy.severities.is_empty() {
                let advice = "name `critical`, `warning` or `info`";
                problems.rule(at("severities"), "no_severity", "it covers nothing", advice);
            }
            if policy.steps.is_empty() || policy.steps.len() > LIST_MAX {
                let found = format!("{} steps", policy.steps.len());
                problems.rule(at("steps"), "bad_steps", found, format!("give 1 to {LIST_MAX}"));
            }
            problems.range(at("repeat_seconds"), policy.repeat_seconds, &SECONDS);
            problems.range(at("repeats"), policy.repeats, &(0..=*COUNT.end()));
            let mut before = None;
            for (place, step) in policy.steps.iter().enumerate() {
                let at = |key: &str| at(&format!("steps.{place}.{key}"));
                problems.range(at("after_seconds"), step.after_seconds, &SECONDS);
                if before.is_some_and(|before| step.after_seconds <= before) {
                    let advice = "each step later than the one before";
                    problems.rule(at("after_seconds"), "steps_out_of_order", "not later", advice);
                }
                before = Some(step.after_seconds);
                for (number, name) in step.notify.iter().enumerate() {
                    let known = name == "*" || self.contacts.iter().any(|contact| contact.name == *name);
                    if !known {
                        self.channel(problems, &at(&format!("notify.{number}")), name);
                    }
                }
            }
        }
    }

    fn limits(&self, problems: &mut Problems) {
        let mut seen = BTreeSet::new();
        for (index, limit) in self.limits.iter().enumerate() {
            let at = |key: &str| format!("alerts.limits.{index}.{key}");
            self.channel(problems, &at("channel"), &limit.channel);
            once(problems, &at("channel"), &limit.channel, &mut seen);
            for (place, tier) in limit.tiers.iter().enumerate() {
                problems.range(at(&format!("tiers.{place}.messages")), tier.messages, &COUNT);
                let within = 1..=*SECONDS.end();
                problems.range(at(&format!("tiers.{place}.within_seconds")), tier.within_seconds, &within);
            }
        }
    }

    fn channel(&self, problems: &mut Problems, at: &str, name: &str) {
        if !self.channels.iter().any(|channel| channel.name == name) {
            let known: Vec<&str> = self.channels.iter().map(|channel| channel.name.as_str()).collect();
            let advice = format!("channels are: {}", known.join(", "));
            problems.rule(at, "unknown_channel", format!("`{name}` is no channel"), advice);
        }
    }

    /// The channels that a step's names stand for.
    pub(super) fn resolve(&self, names: &[String]) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let contacts: BTreeMap<&str, &ContactSettings> =
            self.contacts.iter().map(|contact| (contact.name.as_str(), contact)).collect();
        for name in names {
            let channels: Vec<String> = match (name.as_str(), contacts.get(name.as_str())) {
                ("*", _) => self.channels.iter().map(|channel| channel.name.clone()).collect(),
                (_, Some(contact)) => contact.channels.clone(),
                (_, None) => vec![name.clone()],
            };
            for channel in channels {
                if !found.contains(&channel) {
                    found.push(channel);
                }
            }
        }
        found
    }
}

fn code(problems: &mut Problems, at: &str, name: &str) {
    if codes::find(name).is_none() {
        let known: Vec<String> = codes::CODES.iter().map(|code| code.name.to_owned()).collect();
        let advice = crate::config::fault::suggest(name, &known);
        problems.rule(at, "unknown_code", format!("`{name}` is no alert code"), advice);
    }
}

fn once<'a>(problems: &mut Problems, at: &str, name: &'a str, seen: &mut BTreeSet<&'a str>) {
    if !seen.insert(name) {
        problems.rule(at, "name_taken", format!("`{name}` stands twice"), "names are used once");
    }
}
