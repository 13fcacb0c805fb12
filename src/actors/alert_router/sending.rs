//! One message to one channel, and what became of it in the router's words.

use crate::domain::alert::router::Outcome;
use crate::domain::alert::{IdempotencyKey, Notice};
use crate::notify::{Channel, SendError, Sent};
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
