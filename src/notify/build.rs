//! From settings to channels.

use super::alertmanager::AlertmanagerChannel;
use super::discord::DiscordChannel;
use super::email::{Form, MailChannel};
use super::file::FileChannel;
use super::github::GithubChannel;
use super::http::secret_header;
use super::log::LogChannel;
use super::pagerduty::PagerdutyChannel;
use super::slack::SlackChannel;
use super::sms::SmsChannel;
use super::smtp::{Smtp, SmtpAccess};
use super::webhook::WebhookChannel;
use super::{Channel, ChannelKind};
use crate::config::alerts::ChannelSettings;
use crate::config::alerts::channel_kinds::{ChatSettings, GithubSettings, MailSettings, SmsSettings};
use crate::config::{EnvReader, Fault, Secret, SecretRef};
use crate::net::{NetError, Outbound};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Why a channel could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("alerts.channels `{channel}`: {problem}")]
pub struct BuildError {
    /// The channel's name.
    pub channel: String,
    /// What is wrong.
    pub problem: BuildProblem,
}

/// What is wrong with a channel's settings, seen only when it is built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildProblem {
    /// A secret could not be fetched.
    #[error("`{key}`: {fault}")]
    Secret {
        /// Which key.
        key: &'static str,
        /// Why.
        fault: Fault,
    },
    /// The client or its address.
    #[error(transparent)]
    Net(#[from] NetError),
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

/// Builds every channel, in the order of the settings. Opens no connection, so that a receiver that is down does not
/// keep the runtime from starting.
///
/// `env` is where secrets may come from; relative file paths start at `data_dir`.
///
/// # Errors
/// [`BuildError`] of the first channel that cannot work: a secret that is not there, a certificate file that cannot
/// be read, an address that is none.
pub fn build(
    settings: &[ChannelSettings],
    env: &dyn EnvReader,
    data_dir: &Path,
) -> Result<Vec<Arc<dyn Channel>>, BuildError> {
    let one = |settings: &ChannelSettings| {
        channel(settings, env, data_dir)
            .map_err(|problem| BuildError { channel: settings.name.clone(), problem })
    };
    settings.iter().map(one).collect()
}

fn channel(
    settings: &ChannelSettings,
    env: &dyn EnvReader,
    data_dir: &Path,
) -> Result<Arc<dyn Channel>, BuildProblem> {
    let name = settings.name.clone();
    let of = Parts { settings, env };
    match settings.kind {
        ChannelKind::Log => Ok(Arc::new(LogChannel::new(&name))),
        ChannelKind::File => {
            let path = settings.file.clone().unwrap_or_default().path;
            Ok(Arc::new(FileChannel::new(&name, data_dir.join(path))))
        }
        ChannelKind::Email => of.mail(of.section(settings.email.as_ref())?, Form::Mail),
        ChannelKind::SmsGateway => of.mail(of.section(settings.sms_gateway.as_ref())?, Form::Sms),
        ChannelKind::Sms => of.sms(of.section(settings.sms.as_ref())?),
        ChannelKind::Webhook => {
            let keys = of.section(settings.webhook.as_ref())?;
            let outbound = of.outbound()?;
            Ok(Arc::new(WebhookChannel {
                name,
                url: address(&outbound, &keys.url)?,
                outbound,
                secret: of.secret_if("secret", keys.secret.as_ref())?,
                authorization: of.bearer_if(keys.token.as_ref())?,
            }))
        }
        ChannelKind::Slack => {
            let (outbound, url) = of.chat(of.section(settings.slack.as_ref())?)?;
            Ok(Arc::new(SlackChannel { name, outbound, url }))
        }
        ChannelKind::Discord => {
            let (outbound, url) = of.chat(of.section(settings.discord.as_ref())?)?;
            Ok(Arc::new(DiscordChannel { name, outbound, url }))
        }
        ChannelKind::Github => of.github(of.section(settings.github.as_ref())?),
        ChannelKind::Pagerduty => {
            let keys = of.section(settings.pagerduty.as_ref())?;
            let outbound = of.outbound()?;
            let routing_key = of.secret("routing_key", keys.routing_key.as_ref())?;
            let url = address(&outbound, &keys.url)?;
            Ok(Arc::new(PagerdutyChannel { name, outbound, url, routing_key }))
        }
        ChannelKind::Alertmanager => {
            let keys = of.section(settings.alertmanager.as_ref())?;
            let outbound = of.outbound()?;
            let authorization = of.bearer_if(keys.token.as_ref())?;
            let url = address(&outbound, &keys.url)?;
            Ok(Arc::new(AlertmanagerChannel { name, outbound, url, authorization }))
        }
    }
}

/// What every channel is built from.
struct Parts<'a> {
    settings: &'a ChannelSettings,
    env: &'a dyn EnvReader,
}

impl<'a> Parts<'a> {
    /// The configuration was checked before; settings made by hand may lack a section.
    fn section<T>(&self, section: Option<&'a T>) -> Result<&'a T, BuildProblem> {
        section.ok_or_else(|| BuildProblem::Other(format!("the section `{}` is missing", self.settings.kind)))
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(self.settings.timeout_ms)
    }

    fn outbound(&self) -> Result<Outbound, BuildProblem> {
        let ca_file = self.settings.ca_file.as_deref();
        Ok(Outbound::new(self.settings.reach, self.timeout(), ca_file)?)
    }

    fn secret_if(
        &self,
        key: &'static str,
        place: Option<&SecretRef>,
    ) -> Result<Option<Secret>, BuildProblem> {
        let fetch =
            |place: &SecretRef| place.resolve(self.env).map_err(|fault| BuildProblem::Secret { key, fault });
        place.map(fetch).transpose()
    }

    fn secret(&self, key: &'static str, place: Option<&SecretRef>) -> Result<Secret, BuildProblem> {
        self.secret_if(key, place)?.ok_or(BuildProblem::Secret { key, fault: Fault::SecretEmpty })
    }

    fn bearer_if(&self, place: Option<&SecretRef>) -> Result<Option<HeaderValue>, BuildProblem> {
        let header = |token: Secret| secret_header(&format!("Bearer {}", token.expose()));
        self.secret_if("token", place)?.map(header).transpose().map_err(BuildProblem::Other)
    }

    fn chat(&self, keys: &ChatSettings) -> Result<(Outbound, Url), BuildProblem> {
        let outbound = self.outbound()?;
        let secret = self.secret("url", keys.url.as_ref())?;
        let url = address(&outbound, secret.expose())?;
        Ok((outbound, url))
    }

    fn mail(&self, keys: &MailSettings, form: Form) -> Result<Arc<dyn Channel>, BuildProblem> {
        let login = match &keys.username {
            Some(user) => Some((user.as_str(), self.secret("password", keys.password.as_ref())?)),
            None => None,
        };
        let smtp = Smtp::new(SmtpAccess {
            host: &keys.host,
            port: keys.port,
            tls: keys.tls,
            login,
            reach: self.settings.reach,
            timeout: self.timeout(),
            ca_file: self.settings.ca_file.as_deref(),
        })
        .map_err(BuildProblem::Other)?;
        let mailbox = |text: &String| {
            text.parse().map_err(|error| BuildProblem::Other(format!("`{text}` is not a mailbox: {error}")))
        };
        let to = keys.to.iter().map(mailbox).collect::<Result<_, _>>()?;
        Ok(Arc::new(MailChannel {
            name: self.settings.name.clone(),
            form,
            smtp,
            from: mailbox(&keys.from)?,
            to,
        }))
    }

    fn sms(&self, keys: &SmsSettings) -> Result<Arc<dyn Channel>, BuildProblem> {
        let outbound = self.outbound()?;
        let token = self.secret("token", keys.token.as_ref())?;
        let pair = BASE64.encode(format!("{}:{}", keys.account, token.expose()));
        let authorization = secret_header(&format!("Basic {pair}")).map_err(BuildProblem::Other)?;
        Ok(Arc::new(SmsChannel {
            name: self.settings.name.clone(),
            url: address(&outbound, &keys.url)?,
            outbound,
            account: keys.account.clone(),
            authorization,
            from: keys.from.clone(),
            to: keys.to.clone(),
            status_callback: keys.status_callback.clone(),
        }))
    }

    fn github(&self, keys: &GithubSettings) -> Result<Arc<dyn Channel>, BuildProblem> {
        let outbound = self.outbound()?;
        let token = self.secret("token", keys.token.as_ref())?;
        let authorization =
            secret_header(&format!("Bearer {}", token.expose())).map_err(BuildProblem::Other)?;
        let (owner, repository) = keys
            .repository
            .split_once('/')
            .ok_or_else(|| BuildProblem::Other("`repository` is not `owner/name`".to_owned()))?;
        Ok(Arc::new(GithubChannel {
            name: self.settings.name.clone(),
            url: address(&outbound, &keys.url)?,
            outbound,
            owner: owner.to_owned(),
            repository: repository.to_owned(),
            authorization,
            label: keys.label.clone(),
            turn: tokio::sync::Mutex::new(()),
        }))
    }
}

fn address(outbound: &Outbound, url: &str) -> Result<Url, BuildProblem> {
    Ok(outbound.address(url)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_channel_that_cannot_work_is_told_at_the_start() {
        let env = BTreeMap::<String, String>::new();
        let settings = ChannelSettings {
            name: "chat".into(),
            kind: ChannelKind::Slack,
            slack: Some(ChatSettings { url: None }),
            ..ChannelSettings::default()
        };
        let Err(error) = build(&[settings], &env, Path::new("data")) else {
            panic!("built without its secret")
        };
        assert_eq!(error.channel, "chat");
        assert_eq!(error.problem, BuildProblem::Secret { key: "url", fault: Fault::SecretEmpty });
    }

    #[test]
    fn an_error_never_shows_a_secret() {
        let env: BTreeMap<String, String> =
            [("HOOK".to_owned(), "http://hooks.example.org/canary-secret".to_owned())].into();
        let place = SecretRef::new(crate::config::SecretSource::Env("HOOK".into()));
        let settings = ChannelSettings {
            name: "chat".into(),
            kind: ChannelKind::Discord,
            discord: Some(ChatSettings { url: Some(place) }),
            ..ChannelSettings::default()
        };
        let Err(error) = build(&[settings], &env, Path::new("data")) else { panic!("built in the clear") };
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}
