//! The channel `sms`: one message to one number over HTTP, in the form of Twilio's `Messages` resource.
//!
//! Accepted is not delivered: the answer holds an id, under which [`Channel::confirm`] asks what became of the
//! message. The service knows no idempotency key, so a resend after a crash is a second message; it has the same words.

use super::http::{Call, below, permanent, temporary, words};
use super::sms_text::sms;
use super::text::clean;
use super::{Channel, ChannelKind, Confirmation, IdempotencyKey, Notice, SendError, Sent};
use crate::net::{Answer, Outbound};
use futures_util::future::BoxFuture;
use reqwest::header::HeaderValue;
use reqwest::{Method, Url};
use serde::Deserialize;

/// The API's version, as it stands in every path.
const VERSION: &str = "2010-04-01";
/// Longest id of a message, characters.
const SID_CHARS_MAX: usize = 64;

/// See the module's head.
pub(super) struct SmsChannel {
    pub(super) name: String,
    pub(super) outbound: Outbound,
    pub(super) url: Url,
    pub(super) account: String,
    pub(super) authorization: HeaderValue,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) status_callback: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    sid: String,
    status: String,
    #[serde(default)]
    error_code: Option<i64>,
    #[serde(default)]
    error_message: Option<String>,
}

impl SmsChannel {
    async fn post(&self, notice: &Notice, key: &IdempotencyKey) -> Result<Sent, SendError> {
        let url = below(&self.url, &[VERSION, "Accounts", &self.account, "Messages.json"])?;
        let sender = if self.from.starts_with('+') { "From" } else { "MessagingServiceSid" };
        let text = sms(notice);
        let mut form = vec![("To", self.to.as_str()), (sender, self.from.as_str()), ("Body", text.as_str())];
        if let Some(callback) = &self.status_callback {
            form.push(("StatusCallback", callback));
        }
        let answer = Call::new(&self.outbound, Method::POST, url)
            .key(key)
            .authorization(Some(&self.authorization))
            .bytes("application/x-www-form-urlencoded", encode(&form))
            .send()
            .await?;
        // A 2xx without an id may still have sent it: sent again it would be a second SMS, so it counts as accepted.
        let Ok(message) = read(&answer) else { return Ok(Sent::Accepted { provider_id: None }) };
        match outcome(&message) {
            Confirmation::Delivered => Ok(Sent::Delivered),
            Confirmation::Failed { reason } => Err(permanent(reason)),
            Confirmation::Pending | Confirmation::NotOffered => {
                Ok(Sent::Accepted { provider_id: Some(message.sid) })
            }
        }
    }

    async fn ask(&self, provider_id: &str) -> Result<Confirmation, SendError> {
        if !is_sid(provider_id) {
            return Err(permanent("not the id of a message"));
        }
        let file = format!("{provider_id}.json");
        let url = below(&self.url, &[VERSION, "Accounts", &self.account, "Messages", &file])?;
        let call = Call::new(&self.outbound, Method::GET, url).authorization(Some(&self.authorization));
        let message = read(&call.send().await?)?;
        if message.sid == provider_id {
            Ok(outcome(&message))
        } else {
            Err(temporary("the service answered about another message"))
        }
    }
}

fn is_sid(text: &str) -> bool {
    (1..=SID_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn read(answer: &Answer) -> Result<Message, SendError> {
    match serde_json::from_slice::<Message>(&answer.body) {
        Ok(message) if is_sid(&message.sid) => Ok(message),
        _ => Err(temporary(format!("not the service's word: {}", words(&answer.body)))),
    }
}

fn outcome(message: &Message) -> Confirmation {
    match message.status.as_str() {
        "delivered" | "read" => Confirmation::Delivered,
        "failed" | "undelivered" | "canceled" => {
            let code = message.error_code.map(|code| format!(" {code}")).unwrap_or_default();
            let words = message.error_message.as_deref().map(|text| format!(": {}", clean(text, 160)));
            Confirmation::Failed { reason: format!("{}{code}{}", message.status, words.unwrap_or_default()) }
        }
        _ => Confirmation::Pending,
    }
}

fn encode(form: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in form {
        if !out.is_empty() {
            out.push(b'&');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => out.push(byte),
                b' ' => out.push(b'+'),
                other => out.extend_from_slice(format!("%{other:02X}").as_bytes()),
            }
        }
    }
    out
}

impl Channel for SmsChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ChannelKind {
        ChannelKind::Sms
    }

    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        key: &'a IdempotencyKey,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.post(notice, key))
    }

    fn confirm<'a>(&'a self, provider_id: &'a str) -> BoxFuture<'a, Result<Confirmation, SendError>> {
        Box::pin(self.ask(provider_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_holds_only_what_was_put_in() {
        let form = encode(&[("To", "+1&From=+2"), ("Body", "a b=c\r\né")]);
        assert_eq!(String::from_utf8(form).unwrap(), "To=%2B1%26From%3D%2B2&Body=a+b%3Dc%0D%0A%C3%A9");
    }
}
