//! What leaves this host to tell people: one channel per file.
//!
//! A channel shapes one [`Notice`] for its receiver, sends it once, and says what became of it. It never retries,
//! never sleeps past its own timeout and keeps nothing between messages but connections: when to try again, to whom,
//! and what was tried, is in the database and the business of the alert router. A channel must be callable again with
//! the same key after a crash; where the receiver can tell a repeated message by it, the key is sent along.

mod alertmanager;
mod alertmanager_form;
mod build;
mod discord;
mod email;
mod file;
mod github;
mod http;
pub mod last_resort;
mod lines_file;
mod log;
mod pagerduty;
mod slack;
mod sms;
mod sms_text;
mod smtp;
mod smtp_stream;
mod text;
mod webhook;

pub use crate::config::alerts::ChannelKind;
pub use crate::domain::alert::{IdempotencyKey, Notice};
pub use build::{BuildError, BuildProblem, build};

use futures_util::future::BoxFuture;
use std::time::Duration;

/// One way to tell people.
pub trait Channel: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &str;

    /// What it speaks.
    fn kind(&self) -> ChannelKind;

    /// Sends one message, once. Ends within the channel's timeout.
    ///
    /// # Errors
    /// [`SendError`]: whether trying again can help.
    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        key: &'a IdempotencyKey,
    ) -> BoxFuture<'a, Result<Sent, SendError>>;

    /// Asks the provider what became of a message that it accepted under this id.
    ///
    /// # Errors
    /// [`SendError`] when the provider could not be asked.
    fn confirm<'a>(&'a self, provider_id: &'a str) -> BoxFuture<'a, Result<Confirmation, SendError>> {
        let _ = provider_id;
        Box::pin(async { Ok(Confirmation::NotOffered) })
    }
}

/// A message that went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// Somebody else has taken it on; whether it arrived is not known yet.
    Accepted {
        /// What the provider calls it, for [`Channel::confirm`].
        provider_id: Option<String>,
    },
    /// The receiver itself has it.
    Delivered,
}

/// What a provider says later about a message that it accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmation {
    /// This channel's provider cannot be asked: accepted is all that will ever be known.
    NotOffered,
    /// Still under way.
    Pending,
    /// It arrived.
    Delivered,
    /// It will not arrive.
    Failed {
        /// The provider's words, bounded.
        reason: String,
    },
}

/// A message that did not go out, or of which that is not known. The reason never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Trying again can help: no connection, a timeout, a busy server.
    #[error("temporary: {reason}")]
    Temporary {
        /// What happened, bounded.
        reason: String,
        /// Not before this long, when the server said so.
        retry_after: Option<Duration>,
    },
    /// Trying the same again cannot help: refused credentials, an unknown receiver, a message that is refused.
    #[error("permanent: {reason}")]
    Permanent {
        /// What happened, bounded.
        reason: String,
    },
}
