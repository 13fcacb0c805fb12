//! The channel `discord`: a webhook of Discord.
//!
//! `allowed_mentions` is empty, so no text can call anybody; what stands in the text is kept from looking like a
//! mention as well, and from being formatted.

use super::http::Call;
use super::text::{facts, subject};
use super::{Channel, ChannelKind, IdempotencyKey, Notice, SendError, Sent};
use crate::domain::alert::Severity;
use crate::net::Outbound;
use futures_util::future::BoxFuture;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};

/// Longest title of an embed, and longest description, characters (Discord's limits are 256 and 4,096).
const TITLE_MAX: usize = 250;
const DESCRIPTION_MAX: usize = 4_000;

/// See the module's head.
pub(super) struct DiscordChannel {
    pub(super) name: String,
    pub(super) outbound: Outbound,
    pub(super) url: Url,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

impl DiscordChannel {
    async fn post(&self, notice: &Notice, key: &IdempotencyKey) -> Result<Sent, SendError> {
        let mut url = self.url.clone();
        // Without it Discord answers before it has stored the message.
        url.query_pairs_mut().append_pair("wait", "true");
        let answer =
            Call::new(&self.outbound, Method::POST, url).key(key).json(&message(notice))?.send().await?;
        // The id is welcome but not needed: the status says that the message is there.
        match serde_json::from_slice::<Made>(&answer.body) {
            Ok(made) if !made.id.is_empty() => Ok(Sent::Delivered),
            _ => Ok(Sent::Accepted { provider_id: None }),
        }
    }
}

fn message(notice: &Notice) -> Value {
    let over = notice.transition.is_over();
    let colour = match notice.severity {
        _ if over => 0x2e_7d_32,
        Severity::Critical => 0xc6_28_28,
        Severity::Warning => 0xef_6c_00,
        Severity::Info => 0x15_65_c0,
    };
    let mut text = String::new();
    for (label, fact) in facts(notice) {
        text.push_str(&format!("**{label}:** {}\n", escape(&fact)));
    }
    json!({
        "allowed_mentions": { "parse": [] },
        "embeds": [{
            "title": bounded(&escape(&subject(notice)), TITLE_MAX),
            "description": bounded(&text, DESCRIPTION_MAX),
            "color": colour,
        }],
    })
}

/// Backslashes before everything that Discord gives a meaning to; an `@` is followed by a joiner that shows nothing.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '[' | ']' | '(' | ')' | '#' => {
                out.push('\\');
                out.push(c);
            }
            '@' => out.push_str("@\u{2060}"),
            c => out.push(c),
        }
    }
    out
}

fn bounded(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

impl Channel for DiscordChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ChannelKind {
        ChannelKind::Discord
    }

    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        key: &'a IdempotencyKey,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.post(notice, key))
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::samples::hostile;
    use super::*;

    #[test]
    fn nobody_is_called_by_hostile_text() {
        let value = message(&hostile());
        assert_eq!(value.pointer("/allowed_mentions/parse").unwrap(), &json!([]));
        let text = value.pointer("/embeds/0/description").unwrap().as_str().unwrap();
        assert!(!text.contains("@everyone") && !text.replace("\\<", "").contains('<'), "{text}");
        assert!(text.chars().count() <= DESCRIPTION_MAX);
        let title = value.pointer("/embeds/0/title").unwrap().as_str().unwrap();
        assert!(title.chars().count() <= TITLE_MAX);
    }
}
