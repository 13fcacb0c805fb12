//! The section `alerts`: where its parts stand, and the times that hold for all of it.

use super::channels::{self, ChannelKind, ChannelSettings};
use super::dead_man::DeadManSettings;
use super::policies::{ContactSettings, LimitSettings, Lists, PolicySettings, RuleSettings, SECONDS};
use crate::config::problems::Problems;
use crate::domain::alert::{ChannelPlan, Policy, Retry, Rule, Settings, Severity, Speaker, Step, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Messages to one channel beyond which those that wait go out as one.
const BUNDLE_ABOVE: usize = 10;
/// Allowed times before the file of last resort is used, in milliseconds.
pub const LAST_RESORT_MS: RangeInclusive<u64> = 100..=60_000;

/// How long alerts that are over may be kept, in days.
pub const KEEP_DAYS: RangeInclusive<u64> = 1..=3_650;
/// How long a provider may be asked about one message, in seconds.
pub const CONFIRM_SECONDS: RangeInclusive<u64> = 0..=86_400;
const DAY_MS: u64 = 86_400_000;

/// Who is told when something is wrong, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Alerts {
    /// The ways out of this host. Without any, alerts are in the API and in the log only.
    pub channels: Vec<ChannelSettings>,
    /// People, as names for channels.
    pub contacts: Vec<ContactSettings>,
    /// Who is told of which alerts; the first one that covers an alert holds. Without any, every channel is told of
    /// every warning and critical alert at once, and of critical ones again after 15 minutes, three times.
    pub policies: Vec<PolicySettings>,
    /// When conditions become alerts, by code.
    pub rules: Vec<RuleSettings>,
    /// How often channels may be used. SMS channels have limits unless one stands here.
    pub limits: Vec<LimitSettings>,
    /// After a start, how long an open alert waits for its condition to be asserted again, in seconds.
    #[schemars(range(max = 604_800))]
    pub grace_seconds: u64,
    /// How long an acknowledgement holds unless it says otherwise, in seconds.
    #[schemars(range(max = 604_800))]
    pub ack_seconds: u64,
    /// How long a consequence may outlive its root before it is told by itself, in seconds.
    #[schemars(range(max = 604_800))]
    pub outlive_seconds: u64,
    /// A message that could not be delivered for so long is given up, in seconds.
    #[schemars(range(max = 604_800))]
    pub give_up_seconds: u64,
    /// A provider that accepted a message and can be asked (`sms`) is asked for so long whether it arrived, in seconds;
    /// 0 for never. What it has not said by then stays `accepted`.
    #[schemars(range(max = 86_400))]
    pub confirm_seconds: u64,
    /// Alerts that are over leave the database after so many days, with their deliveries; silences and containments
    /// alike. The journal's rows are kept by their own rule.
    #[schemars(range(min = 1, max = 3_650))]
    pub keep_days: u64,
    /// What the database does not take within so many milliseconds goes to the file of last resort, 100 to 60000.
    #[schemars(range(min = 100, max = 60_000))]
    pub last_resort_ms: u64,
    /// The ping that stops when alerts would no longer arrive.
    pub dead_man: DeadManSettings,
    /// Where the runbooks are read; the code and `.md` are appended.
    pub runbook_url: String,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            contacts: Vec::new(),
            policies: Vec::new(),
            rules: Vec::new(),
            limits: Vec::new(),
            grace_seconds: 30,
            ack_seconds: 14_400,
            outlive_seconds: 10,
            give_up_seconds: 86_400,
            confirm_seconds: 3_600,
            keep_days: 90,
            last_resort_ms: 500,
            dead_man: DeadManSettings::default(),
            runbook_url: "runbooks/".to_owned(),
        }
    }
}

impl Alerts {
    pub(in crate::config) fn validate(&self, problems: &mut Problems) {
        channels::validate(&self.channels, problems);
        self.dead_man.validate(problems);
        self.lists().validate(problems);
        problems.range("alerts.grace_seconds", self.grace_seconds, &SECONDS);
        problems.range("alerts.ack_seconds", self.ack_seconds, &SECONDS);
        problems.range("alerts.outlive_seconds", self.outlive_seconds, &SECONDS);
        problems.range("alerts.give_up_seconds", self.give_up_seconds, &SECONDS);
        problems.range("alerts.confirm_seconds", self.confirm_seconds, &CONFIRM_SECONDS);
        problems.range("alerts.keep_days", self.keep_days, &KEEP_DAYS);
        problems.range("alerts.last_resort_ms", self.last_resort_ms, &LAST_RESORT_MS);
        if self.runbook_url.chars().any(|c| c.is_control() || c.is_whitespace()) {
            let advice = "an address such as `https://wiki.example/runbooks/`";
            problems.rule("alerts.runbook_url", "bad_runbook_url", "it holds blanks", advice);
        }
    }

    const fn lists(&self) -> Lists<'_> {
        Lists {
            channels: self.channels.as_slice(),
            rules: self.rules.as_slice(),
            contacts: self.contacts.as_slice(),
            policies: self.policies.as_slice(),
            limits: self.limits.as_slice(),
        }
    }

    /// What the router follows.
    #[must_use]
    pub fn plan(&self, speaker: Speaker) -> Settings {
        let named = self.rules.iter().filter(|rule| rule.code != "*");
        let every = self.rules.iter().find(|rule| rule.code == "*").map_or_else(Rule::default, rule);
        let ms = |seconds: u64| seconds.saturating_mul(1_000);
        let defaults = Settings::default();
        Settings {
            rules: named.map(|one| (one.code.clone(), rule(one))).collect(),
            rule: every,
            policies: self.policies(),
            channels: self.channels.iter().map(|channel| self.channel(channel)).collect(),
            retry: Retry { give_up_ms: ms(self.give_up_seconds), ..Retry::default() },
            grace_ms: ms(self.grace_seconds),
            ack_ms: ms(self.ack_seconds),
            outlive_ms: ms(self.outlive_seconds),
            spool_after_ms: self.last_resort_ms,
            confirm_ms: ms(self.confirm_seconds),
            speaker: Speaker { runbooks: self.runbook_url.clone(), ..speaker },
            ..defaults
        }
    }

    /// How long what is over stays in the tables, milliseconds.
    #[must_use]
    pub const fn keep_ms(&self) -> u64 {
        self.keep_days.saturating_mul(DAY_MS)
    }

    fn policies(&self) -> Vec<Policy> {
        let lists = self.lists();
        let policy = |set: &PolicySettings| Policy {
            name: set.name.clone(),
            severities: set.severities.clone(),
            codes: set.codes.clone(),
            steps: set
                .steps
                .iter()
                .map(|step| Step {
                    after_ms: step.after_seconds.saturating_mul(1_000),
                    channels: lists.resolve(&step.notify),
                })
                .collect(),
            repeat_ms: (set.repeat_seconds > 0).then(|| set.repeat_seconds.saturating_mul(1_000)),
            repeats: u32::try_from(set.repeats).unwrap_or(u32::MAX),
        };
        if !self.policies.is_empty() {
            return self.policies.iter().map(policy).collect();
        }
        let all = || vec![Step { after_ms: 0, channels: lists.resolve(&["*".to_owned()]) }];
        let default = |name: &str, severity, repeat_ms, repeats| Policy {
            name: name.to_owned(),
            severities: vec![severity],
            codes: Vec::new(),
            steps: all(),
            repeat_ms,
            repeats,
        };
        vec![
            default("critical", Severity::Critical, Some(900_000), 3),
            default("warning", Severity::Warning, None, 0),
        ]
    }

    fn channel(&self, channel: &ChannelSettings) -> ChannelPlan {
        let own = self.limits.iter().find(|limit| limit.channel == channel.name);
        let tier = |messages, minutes: u64| Tier { messages, within_ms: minutes.saturating_mul(60_000) };
        let tiers = match (own, channel.kind) {
            (Some(limit), _) => limit
                .tiers
                .iter()
                .map(|tier| Tier {
                    messages: u32::try_from(tier.messages).unwrap_or(u32::MAX),
                    within_ms: tier.within_seconds.saturating_mul(1_000),
                })
                .collect(),
            // What carriers let through before they take a number for a nuisance.
            (None, ChannelKind::Sms | ChannelKind::SmsGateway) => {
                vec![tier(1, 1), tier(5, 15), tier(11, 60), tier(21, 180)]
            }
            (None, _) => Vec::new(),
        };
        ChannelPlan {
            name: channel.name.clone(),
            tiers,
            bundle_above: BUNDLE_ABOVE,
            confirms: channel.kind.confirms(),
            probe: channel.probes(),
        }
    }
}

fn rule(set: &RuleSettings) -> Rule {
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let ms = |seconds: u64| seconds.saturating_mul(1_000);
    Rule {
        raise_after: small(set.raise_after),
        of: small(set.of),
        quiet_ms: ms(set.quiet_seconds),
        flap_after: small(set.flap_after),
        flap_window_ms: ms(set.flap_window_seconds),
        flap_quiet_ms: ms(set.flap_quiet_seconds),
        flap_multiplier: small(set.flap_multiplier),
        flap_max_ms: ms(set.flap_max_seconds),
    }
}
