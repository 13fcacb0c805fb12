//! One message to one channel, one question about it to its provider, and the answers in the router's words.

use crate::domain::alert::router::{Outcome, Word};
use crate::domain::alert::{IdempotencyKey, Notice};
use crate::notify::{Channel, Confirmation, SendError, Sent};
use std::sync::Arc;
use std::time::Duration;

/// Sends; a channel that does not end by itself is given up after `within`.
pub(super) async fn send(
    channel: Arc<dyn Channel>,
    notice: Box<Notice>,
    key: IdempotencyKey,
    within: Duration,
) -> Outcome {
    match tokio::time::timeout(within, channel.send(&notice, &key)).await {
        Ok(Ok(Sent::Delivered)) => Outcome::Delivered,
        Ok(Ok(Sent::Accepted { provider_id })) => Outcome::Accepted { provider_id },
        Ok(Err(SendError::Temporary { reason, retry_after })) => Outcome::Temporary {
            why: reason,
            retry_after_ms: retry_after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
        },
        Ok(Err(SendError::Permanent { reason })) => Outcome::Permanent { why: reason },
        Err(_) => Outcome::Temporary {
            why: format!("no answer within {} s", within.as_secs()),
            retry_after_ms: None,
        },
    }
}

/// Asks what became of a message; a channel that does not end by itself is given up after `within`.
pub(super) async fn confirm(channel: Arc<dyn Channel>, provider_id: &str, within: Duration) -> Word {
    match tokio::time::timeout(within, channel.confirm(provider_id)).await {
        Ok(Ok(Confirmation::Pending)) => Word::Pending,
        Ok(Ok(Confirmation::Delivered)) => Word::Delivered,
        Ok(Ok(Confirmation::Failed { reason })) => Word::Failed { why: reason },
        Ok(Ok(Confirmation::NotOffered)) => Word::NotOffered,
        // That it could not be asked says nothing of the message, whatever the reason.
        Ok(Err(SendError::Temporary { reason, .. } | SendError::Permanent { reason })) => {
            Word::Unasked { why: reason }
        }
        Err(_) => Word::Unasked { why: format!("no answer within {} s", within.as_secs()) },
    }
}
