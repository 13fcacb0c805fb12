//! The channel `slack`: an incoming webhook of Slack.
//!
//! Slack's control sequences begin with `<`, so `&`, `<` and `>` are written as entities, as Slack asks for; marks
//! such as `*` and `@channel` have no meaning because formatting and name linking are off.

use super::http::{Call, permanent, words};
use super::text::{facts, subject};
use super::{Channel, ChannelKind, IdempotencyKey, Notice, SendError, Sent};
use crate::net::Outbound;
use futures_util::future::BoxFuture;
use reqwest::{Method, Url};
use serde_json::{Value, json};

/// See the module's head.
pub(super) struct SlackChannel {
    pub(super) name: String,
    pub(super) outbound: Outbound,
    pub(super) url: Url,
}

impl SlackChannel {
    async fn post(&self, notice: &Notice, key: &IdempotencyKey) -> Result<Sent, SendError> {
        let answer = Call::new(&self.outbound, Method::POST, self.url.clone())
            .key(key)
            .json(&message(notice))?
            .send()
            .await?;
        // A proxy's page with status 200 is not Slack's word.
        if answer.body.trim_ascii() == b"ok" {
            Ok(Sent::Delivered)
        } else {
            Err(permanent(format!("not an answer of Slack: {}", words(&answer.body))))
        }
    }
}

fn message(notice: &Notice) -> Value {
    let mut text = escape(&subject(notice));
    for (label, fact) in facts(notice) {
        text.push('\n');
        text.push_str(&escape(&format!("{label}: {fact}")));
    }
    json!({
        "text": text,
        "mrkdwn": false,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Channel for SlackChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ChannelKind {
        ChannelKind::Slack
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
        let text = value.get("text").unwrap().as_str().unwrap();
        assert!(text.contains("&lt;!channel&gt;") && !text.contains(['<', '>']), "{text}");
        assert!(text.chars().count() < 8_000);
    }
}
