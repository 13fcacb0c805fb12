//! The channel `log`: one line in this process's log.

use super::{Channel, ChannelKind, IdempotencyKey, Notice, SendError, Sent};
use crate::domain::alert::Severity;
use futures_util::future::BoxFuture;

/// See the module's head.
pub(super) struct LogChannel {
    name: String,
}

impl LogChannel {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

/// Fields, not a sentence: the log's own format quotes what they hold.
fn write(notice: &Notice, key: &IdempotencyKey) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                alert.id = notice.alert_id,
                alert.code = notice.code,
                alert.scope = notice.scope,
                alert.severity = notice.severity.word(),
                alert.transition = notice.transition.word(),
                alert.key = key.as_str(),
                alert.contained = notice.contained.as_deref(),
                runbook = notice.runbook_url,
                acknowledge = notice.acknowledge,
                "{}",
                notice.reason
            )
        };
    }
    if notice.transition.is_over() {
        return line!(info);
    }
    match notice.severity {
        Severity::Critical => line!(error),
        Severity::Warning => line!(warn),
        Severity::Info => line!(info),
    }
}

impl Channel for LogChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ChannelKind {
        ChannelKind::Log
    }

    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        key: &'a IdempotencyKey,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(async move {
            write(notice, key);
            Ok(Sent::Delivered)
        })
    }
}
