//! The keys of each kind of channel.
//!
//! Owns one struct per section under `alerts.channels.N`, and the checks that need nothing but that section. Which
//! section a channel has, and whether an address fits its reach, is the business of [`super::channels`].

use crate::config::problems::Problems;
use crate::config::secret::SecretRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Receivers of one e-mail channel.
pub const RECIPIENTS_MAX: usize = 20;
/// Longest e-mail address, as SMTP allows it.
pub const ADDRESS_CHARS_MAX: usize = 254;

/// How a connection to a mail server is encrypted. There is no third way: nothing is ever sent in the clear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// A plain greeting, then STARTTLS before anything else; a server without it is refused. Usually port 587.
    #[default]
    Starttls,
    /// TLS from the first byte. Usually port 465.
    Implicit,
}

/// A mail server and whom it writes to. Used by `email` and by `sms_gateway`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailSettings {
    /// Name of the mail server; its certificate must be for this name.
    pub host: String,
    /// Its port.
    #[schemars(range(min = 1, max = 65_535))]
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: SmtpTls,
    /// User name, where the server wants one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The user's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretRef>,
    /// Sender: `plimsoll@example.org` or `Plimsoll <plimsoll@example.org>`.
    pub from: String,
    /// Receivers, 1 to 20; all in one message. A server that refuses one of them refuses the message, so people who
    /// must be reached independently of each other have a channel each.
    pub to: Vec<String>,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            tls: SmtpTls::default(),
            username: None,
            password: None,
            from: String::new(),
            to: Vec::new(),
        }
    }
}

impl MailSettings {
    pub(super) fn validate(&self, problems: &mut Problems, path: &str) {
        if self.host.is_empty() || self.host.len() > 253 || !self.host.bytes().all(is_host_byte) {
            let advice = "write a name or an address such as `smtp.example.org`, without scheme and port";
            problems.rule(format!("{path}.host").as_str(), "bad_host", "not the name of a host", advice);
        }
        if self.port == 0 {
            let advice = "write 587 for STARTTLS or 465 for implicit TLS";
            problems.rule(format!("{path}.port").as_str(), "bad_port", "port 0 is no port", advice);
        }
        if self.username.is_some() != self.password.is_some() {
            let advice = "give `username` and `password_file`, or neither";
            problems.rule(path, "half_a_login", "a user name and a password belong together", advice);
        }
        mailbox(problems, &format!("{path}.from"), &self.from);
        if self.to.is_empty() || self.to.len() > RECIPIENTS_MAX {
            problems.rule(
                format!("{path}.to").as_str(),
                "recipients_count",
                format!("{} receivers", self.to.len()),
                format!("name 1 to {RECIPIENTS_MAX}"),
            );
        }
        for (index, to) in self.to.iter().enumerate() {
            mailbox(problems, &format!("{path}.to.{index}"), to);
        }
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':')
}

/// Enough to catch slips; the mail library parses it in full when the channel is built.
fn mailbox(problems: &mut Problems, path: &str, text: &str) {
    let inner = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or(""),
        None => text,
    };
    let fits = inner.len() <= ADDRESS_CHARS_MAX
        && inner.rsplit_once('@').is_some_and(|(user, host)| {
            !user.is_empty() && !host.is_empty() && host.bytes().all(is_host_byte)
        })
        && !text.chars().any(char::is_control)
        && !inner.contains(char::is_whitespace);
    if !fits {
        let shown: String = text.chars().take(80).collect();
        let advice = "write `name@example.org` or `Name <name@example.org>`";
        problems.rule(path, "bad_mailbox", format!("`{shown}` is not an e-mail address"), advice);
    }
}

/// SMS over HTTP, in the form of Twilio's `Messages` resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SmsSettings {
    /// Address of the service.
    pub url: String,
    /// The account's id, such as `AC...`.
    pub account: String,
    /// The account's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretRef>,
    /// Sender: a number such as `+15005550006`, or the id of a messaging service.
    pub from: String,
    /// The one receiver, such as `+15005550006`.
    pub to: String,
    /// Address that the service tells about delivery, if any. Without it the channel asks the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_callback: Option<String>,
}

impl Default for SmsSettings {
    fn default() -> Self {
        Self {
            url: "https://api.twilio.com".into(),
            account: String::new(),
            token: None,
            from: String::new(),
            to: String::new(),
            status_callback: None,
        }
    }
}

impl SmsSettings {
    pub(super) fn validate(&self, problems: &mut Problems, path: &str) {
        let is_id = |text: &str| {
            (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if !is_id(&self.account) {
            let advice = "copy the account's id from the service, such as `AC` and 32 hexadecimal digits";
            problems.rule(format!("{path}.account").as_str(), "bad_account", "not an account's id", advice);
        }
        secret(problems, path, "token", self.token.as_ref());
        if !is_number(&self.from) && !is_id(&self.from) {
            let advice = "write a number such as `+15005550006`, or the id of a messaging service";
            problems.rule(format!("{path}.from").as_str(), "bad_number", "not a sender", advice);
        }
        if !is_number(&self.to) {
            let advice = "write the number with its country, such as `+15005550006`";
            problems.rule(format!("{path}.to").as_str(), "bad_number", "not a telephone number", advice);
        }
    }
}

/// E.164: a plus, then up to 15 digits.
fn is_number(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn secret(problems: &mut Problems, path: &str, key: &str, value: Option<&SecretRef>) {
    if value.is_none() {
        let advice = format!("give `{key}_file`, or the environment variable of `{key}`");
        problems.rule(
            format!("{path}.{key}").as_str(),
            "secret_missing",
            format!("no `{key}` is given"),
            advice,
        );
    }
}

/// JSON to any address, in Alertmanager's webhook form, version 4.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where the JSON is posted to.
    pub url: String,
    /// Key of the signature (HMAC-SHA256 over the time and the body). Without it requests are not signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
    /// Sent as `Authorization: Bearer`, if set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretRef>,
}

/// A Slack or Discord channel. Who knows its address may write into it, so the address is a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChatSettings {
    /// The address of the incoming webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<SecretRef>,
}

impl ChatSettings {
    pub(super) fn validate(&self, problems: &mut Problems, path: &str) {
        secret(problems, path, "url", self.url.as_ref());
    }
}

/// Issues in a GitHub repository: opened on raise, commented, closed on clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GithubSettings {
    /// Address of the API.
    pub url: String,
    /// `owner/name`.
    pub repository: String,
    /// A token that may read and write the repository's issues, and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretRef>,
    /// Label that every issue of this channel carries, and by which the channel finds its own again.
    pub label: String,
}

impl Default for GithubSettings {
    fn default() -> Self {
        Self {
            url: "https://api.github.com".into(),
            repository: String::new(),
            token: None,
            label: "plimsoll-alert".into(),
        }
    }
}

impl GithubSettings {
    pub(super) fn validate(&self, problems: &mut Problems, path: &str) {
        let is_part = |text: &str| {
            (1..=100).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
                && !text.bytes().all(|b| b == b'.')
        };
        if !self.repository.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name)) {
            let advice = "write `owner/name`";
            problems.rule(
                format!("{path}.repository").as_str(),
                "bad_repository",
                "not the name of a repository",
                advice,
            );
        }
        if !is_part(&self.label) || self.label.len() > 50 {
            let advice = "use 1 to 50 of `A-Z a-z 0-9 - _ .`";
            problems.rule(format!("{path}.label").as_str(), "bad_label", "not a label", advice);
        }
        secret(problems, path, "token", self.token.as_ref());
    }
}

/// PagerDuty, over its events API version 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PagerdutySettings {
    /// Where events are posted to.
    pub url: String,
    /// The service's integration key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_key: Option<SecretRef>,
}

impl Default for PagerdutySettings {
    fn default() -> Self {
        Self { url: "https://events.pagerduty.com/v2/enqueue".into(), routing_key: None }
    }
}

impl PagerdutySettings {
    pub(super) fn validate(&self, problems: &mut Problems, path: &str) {
        secret(problems, path, "routing_key", self.routing_key.as_ref());
    }
}

/// An Alertmanager, over its API version 2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlertmanagerSettings {
    /// Its address, such as `https://alertmanager.example.org`.
    pub url: String,
    /// Sent as `Authorization: Bearer`, if set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretRef>,
}

/// A file of JSON lines on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FileSettings {
    /// The file; a relative path starts in the data directory.
    pub path: PathBuf,
}

impl Default for FileSettings {
    fn default() -> Self {
        Self { path: "alerts.jsonl".into() }
    }
}

impl FileSettings {
    pub(super) fn validate(&self, problems: &mut Problems, path: &str) {
        if self.path.file_name().is_none() {
            let advice = "name a file, such as `alerts.jsonl`";
            problems.rule(format!("{path}.path").as_str(), "bad_path", "not the path of a file", advice);
        }
    }
}
