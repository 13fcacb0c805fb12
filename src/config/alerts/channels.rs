//! The ways out of this host: `alerts.channels`.
//!
//! Owns the list, what every channel has, and which section belongs to which kind. Opens nothing: a channel is built
//! from these settings by `crate::notify::build`.

use super::channel_kinds::{
    AlertmanagerSettings, ChatSettings, FileSettings, GithubSettings, MailSettings, PagerdutySettings,
    SmsSettings, WebhookSettings,
};
use crate::config::problems::Problems;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Channels in one process.
pub const CHANNELS_MAX: usize = 32;
/// Allowed time for one message, in milliseconds.
pub const TIMEOUT_MS: RangeInclusive<u64> = 100..=120_000;
/// Longest name, characters: it is part of every idempotency key.
pub const NAME_CHARS_MAX: usize = 32;

/// What a channel speaks.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// A line in this process's log.
    #[default]
    Log,
    /// A file of JSON lines on this host.
    File,
    /// E-mail over SMTP with TLS.
    Email,
    /// SMS over HTTP.
    Sms,
    /// SMS through a mail address.
    SmsGateway,
    /// Signed JSON to any address.
    Webhook,
    /// A Slack channel.
    Slack,
    /// A Discord channel.
    Discord,
    /// GitHub issues.
    Github,
    /// PagerDuty events.
    Pagerduty,
    /// An Alertmanager.
    Alertmanager,
}

impl ChannelKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Log,
        Self::File,
        Self::Email,
        Self::Sms,
        Self::SmsGateway,
        Self::Webhook,
        Self::Slack,
        Self::Discord,
        Self::Github,
        Self::Pagerduty,
        Self::Alertmanager,
    ];

    /// The word in the configuration, the API and the metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::File => "file",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::SmsGateway => "sms_gateway",
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Github => "github",
            Self::Pagerduty => "pagerduty",
            Self::Alertmanager => "alertmanager",
        }
    }

    /// Can its provider be asked later what became of a message that it accepted?
    #[must_use]
    pub const fn confirms(self) -> bool {
        matches!(self, Self::Sms)
    }

    /// Is its canary harmless: does it cost nothing, page nobody and leave nothing behind that somebody has to close?
    #[must_use]
    pub const fn harmless_canary(self) -> bool {
        match self {
            Self::Log
            | Self::File
            | Self::Email
            | Self::Webhook
            | Self::Slack
            | Self::Discord
            | Self::Alertmanager => true,
            Self::Sms | Self::SmsGateway | Self::Github | Self::Pagerduty => false,
        }
    }

    /// Does it cost money or sleep: is it worth a budget of its own?
    #[must_use]
    pub fn is_sms(self) -> bool {
        matches!(self, Self::Sms | Self::SmsGateway)
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Which addresses a channel may connect to, whatever its host's name resolves to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Public addresses only.
    #[default]
    Public,
    /// Public and private ones (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7).
    Private,
    /// This host only; `http` is allowed.
    Loopback,
}

/// One way out of this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelSettings {
    /// Its name here: 1 to 32 of `A-Z a-z 0-9 - _`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,32}$"))]
    pub name: String,
    /// What it speaks; its own keys stand in the section of the same name.
    pub kind: ChannelKind,
    /// Longest time for one message, from connecting to the answer, in milliseconds.
    #[schemars(range(min = 100, max = 120_000))]
    pub timeout_ms: u64,
    /// Which addresses it may connect to.
    pub reach: Reach,
    /// Certificates (PEM) of authorities that are trusted besides the public ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// While it is degraded and nothing waits for it, does it get a canary now and then, 30 seconds to 15 minutes apart,
    /// so that it is known to work again? Unless it stands here: yes, but for `sms`, `sms_gateway`, `github` and
    /// `pagerduty`, whose canaries cost money, page somebody or open an issue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<bool>,
    /// Keys of the kind `file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileSettings>,
    /// Keys of the kind `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<MailSettings>,
    /// Keys of the kind `sms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms: Option<SmsSettings>,
    /// Keys of the kind `sms_gateway`: a mail server, and the receiver's address at the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms_gateway: Option<MailSettings>,
    /// Keys of the kind `webhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookSettings>,
    /// Keys of the kind `slack`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack: Option<ChatSettings>,
    /// Keys of the kind `discord`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discord: Option<ChatSettings>,
    /// Keys of the kind `github`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub github: Option<GithubSettings>,
    /// Keys of the kind `pagerduty`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagerduty: Option<PagerdutySettings>,
    /// Keys of the kind `alertmanager`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alertmanager: Option<AlertmanagerSettings>,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: ChannelKind::default(),
            timeout_ms: 10_000,
            reach: Reach::default(),
            ca_file: None,
            probe: None,
            file: None,
            email: None,
            sms: None,
            sms_gateway: None,
            webhook: None,
            slack: None,
            discord: None,
            github: None,
            pagerduty: None,
            alertmanager: None,
        }
    }
}

impl ChannelSettings {
    /// Is it tried by itself while it is degraded?
    #[must_use]
    pub fn probes(&self) -> bool {
        self.probe.unwrap_or_else(|| self.kind.harmless_canary())
    }

    fn validate(&self, problems: &mut Problems, path: &str) {
        let is_name = |text: &str| {
            (1..=NAME_CHARS_MAX).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        if !is_name(&self.name) {
            let advice = "name the channel with 1 to 32 of `A-Z a-z 0-9 - _`, such as `ops-mail`";
            problems.rule(format!("{path}.name").as_str(), "bad_name", "not a name", advice);
        }
        problems.range(format!("{path}.timeout_ms").as_str(), self.timeout_ms, &TIMEOUT_MS);
        self.validate_sections(problems, path);
        if let Some(email) = &self.email {
            email.validate(problems, &format!("{path}.email"));
        }
        if let Some(gateway) = &self.sms_gateway {
            gateway.validate(problems, &format!("{path}.sms_gateway"));
        }
        if let Some(sms) = &self.sms {
            sms.validate(problems, &format!("{path}.sms"));
            self.url(problems, &format!("{path}.sms.url"), &sms.url);
            if let Some(callback) = &sms.status_callback {
                self.url(problems, &format!("{path}.sms.status_callback"), callback);
            }
        }
        if let Some(webhook) = &self.webhook {
            self.url(problems, &format!("{path}.webhook.url"), &webhook.url);
        }
        for (section, chat) in [("slack", &self.slack), ("discord", &self.discord)] {
            if let Some(chat) = chat {
                chat.validate(problems, &format!("{path}.{section}"));
            }
        }
        if let Some(github) = &self.github {
            github.validate(problems, &format!("{path}.github"));
            self.url(problems, &format!("{path}.github.url"), &github.url);
        }
        if let Some(pagerduty) = &self.pagerduty {
            pagerduty.validate(problems, &format!("{path}.pagerduty"));
            self.url(problems, &format!("{path}.pagerduty.url"), &pagerduty.url);
        }
        if let Some(alertmanager) = &self.alertmanager {
            self.url(problems, &format!("{path}.alertmanager.url"), &alertmanager.url);
        }
        if let Some(file) = &self.file {
            file.validate(problems, &format!("{path}.file"));
        }
    }

    /// A section of another kind would be silently without effect; a missing one leaves nothing to send with.
    fn validate_sections(&self, problems: &mut Problems, path: &str) {
        for (kind, is_there) in [
            (ChannelKind::File, self.file.is_some()),
            (ChannelKind::Email, self.email.is_some()),
            (ChannelKind::Sms, self.sms.is_some()),
            (ChannelKind::SmsGateway, self.sms_gateway.is_some()),
            (ChannelKind::Webhook, self.webhook.is_some()),
            (ChannelKind::Slack, self.slack.is_some()),
            (ChannelKind::Discord, self.discord.is_some()),
            (ChannelKind::Github, self.github.is_some()),
            (ChannelKind::Pagerduty, self.pagerduty.is_some()),
            (ChannelKind::Alertmanager, self.alertmanager.is_some()),
        ] {
            // The one section with a default for every key.
            let is_optional = kind == ChannelKind::File;
            if is_there && kind != self.kind {
                problems.rule(
                    format!("{path}.{kind}").as_str(),
                    "section_of_another_kind",
                    format!("keys of the kind `{kind}` in a channel of the kind `{}`", self.kind),
                    format!("write `kind: {kind}`, or remove the section"),
                );
            } else if !is_there && kind == self.kind && !is_optional {
                problems.rule(
                    path,
                    "section_missing",
                    format!("a channel of the kind `{kind}` without its keys"),
                    format!("add the section `{kind}`; config/example.yaml shows its keys"),
                );
            }
        }
    }

    fn url(&self, problems: &mut Problems, path: &str, url: &str) {
        if let Err((problem, advice)) = check_url(url, self.reach) {
            problems.rule(path, "bad_url", problem, advice);
        }
    }
}

/// Is this an address that a channel of this reach may be given? `https`, or `http` to this host; no user name in
/// it, since that would be a secret in a place that is shown.
///
/// # Errors
/// What is wrong, and what would be right. Neither repeats the address, which may be a secret.
pub fn check_url(url: &str, reach: Reach) -> Result<(), (&'static str, &'static str)> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", ""));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(""),
        None => authority.split(':').next().unwrap_or(""),
    };
    if host.is_empty() || !matches!(scheme, "http" | "https") || url.len() > 2_048 {
        return Err(("not an address", "write it as `https://host/path`"));
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(("an address holds no spaces", "write it as `https://host/path`"));
    }
    if authority.contains('@') {
        return Err(("a user name or password in an address", "use the section's own keys for credentials"));
    }
    let is_local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match (reach, is_local) {
        (Reach::Loopback, false) => Err((
            "`reach: loopback` and an address beyond this host",
            "write `reach: public`, or `private` for the local network",
        )),
        (Reach::Public | Reach::Private, true) => {
            Err(("an address of this host", "write `reach: loopback` if that is meant"))
        }
        (Reach::Public | Reach::Private, false) if scheme == "http" => Err((
            "`http://` sends alerts and credentials in the clear",
            "use https:// for anything beyond this host",
        )),
        _ => Ok(()),
    }
}

/// Checks all channels.
pub(super) fn validate(channels: &[ChannelSettings], problems: &mut Problems) {
    if channels.len() > CHANNELS_MAX {
        problems.rule(
            "alerts.channels",
            "too_many_channels",
            format!("{} channels", channels.len()),
            format!("at most {CHANNELS_MAX} in one process"),
        );
    }
    let mut names = BTreeSet::new();
    for (index, channel) in channels.iter().enumerate() {
        let path = format!("alerts.channels.{index}");
        channel.validate(problems, &path);
        if !names.insert(&channel.name) {
            problems.rule(
                format!("{path}.name").as_str(),
                "name_twice",
                format!("`{}` stands twice", channel.name),
                "give each channel its own name",
            );
        }
    }
}
