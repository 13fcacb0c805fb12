//! The channels `email` and `sms_gateway`: a mail, and a mail that becomes an SMS.
//!
//! Plain text only: there is no HTML that outside text could become part of. Headers are made of cleaned text by the
//! mail library, which encodes them. The message id is the idempotency key's, so a resend after a crash is the same
//! message to whoever drops duplicates; mails about one alert stand in one thread.

use super::http::permanent;
use super::sms_text::sms;
use super::smtp::Smtp;
use super::text::{lines, subject};
use super::{Channel, ChannelKind, IdempotencyKey, Notice, SendError, Sent};
use crate::domain::alert::Severity;
use futures_util::future::BoxFuture;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};

/// Right-hand side of our message ids. Reserved, so it is nobody's name (RFC 2606).
const ID_DOMAIN: &str = "plimsoll.invalid";

/// What the mail becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A mail for a person.
    Mail,
    /// A mail whose text a gateway sends on as one SMS.
    Sms,
}

/// See the module's head.
pub(super) struct MailChannel {
    pub(super) name: String,
    pub(super) form: Form,
    pub(super) smtp: Smtp,
    pub(super) from: Mailbox,
    pub(super) to: Vec<Mailbox>,
}

/// Asks automatic responders for silence (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// How urgent, for programs that sort by it.
#[derive(Clone)]
struct Priority(&'static str);

impl Header for Priority {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-Priority")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self("3"))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.to_owned())
    }
}

impl MailChannel {
    fn message(&self, notice: &Notice, key: &IdempotencyKey) -> Result<Message, SendError> {
        // A key is letters, digits and `-_.`; built again here, since a stored one might not be.
        let id = |key: &IdempotencyKey| {
            let safe = key.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            let key = if safe { key.clone() } else { IdempotencyKey::new(key.as_str(), 0, &self.name) };
            format!("<{}@{ID_DOMAIN}>", key.as_str())
        };
        let thread = id(&IdempotencyKey::new(&notice.alert_id, 0, &self.name));
        let urgent = notice.severity == Severity::Critical && !notice.transition.is_over();
        let mut builder = Message::builder()
            .from(self.from.clone())
            .date(crate::clock::wall().into())
            .message_id(Some(id(key)))
            .references(thread)
            .header(AutoSubmitted)
            .header(Priority(if urgent { "1" } else { "3" }))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let (head, body) = match self.form {
            Form::Mail => {
                let head = subject(notice);
                let body = format!("{head}\n\n{}", lines(notice));
                (head, body)
            }
            // Gateways put the subject into the text: there must be nothing in it.
            Form::Sms => (String::new(), sms(notice)),
        };
        if !head.is_empty() {
            builder = builder.subject(head);
        }
        builder.body(body).map_err(|error| permanent(format!("not a mail: {error}")))
    }

    async fn post(&self, notice: &Notice, key: &IdempotencyKey) -> Result<Sent, SendError> {
        let message = self.message(notice, key)?;
        self.smtp.send(&message).await?;
        // A mail server takes responsibility; whether the mail is read, nobody says.
        Ok(Sent::Accepted { provider_id: Some(key.as_str().to_owned()) })
    }
}

impl Channel for MailChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ChannelKind {
        match self.form {
            Form::Mail => ChannelKind::Email,
            Form::Sms => ChannelKind::SmsGateway,
        }
    }

    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        key: &'a IdempotencyKey,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.post(notice, key))
    }
}
