//! The channel `alertmanager`: pushes to an Alertmanager's API, version 2.
//!
//! A firing alert is given an end a day ahead, so that a runtime that dies does not leave it firing for ever;
//! reminders push it again. What is over before it could be told is pushed as firing for a minute: an Alertmanager
//! tells nobody about an alert that was never firing.

use super::alertmanager_form::{annotations, labels, time};
use super::http::{Call, below};
use super::{Channel, ChannelKind, IdempotencyKey, Notice, SendError, Sent};
use crate::domain::alert::Transition;
use crate::domain::time::WallMs;
use crate::net::Outbound;
use futures_util::future::BoxFuture;
use reqwest::header::HeaderValue;
use reqwest::{Method, Url};
use serde_json::json;

/// How long a firing alert stands without another word from us, milliseconds.
const FIRING_MS: i64 = 24 * 3_600 * 1_000;
/// How long something that is already over is shown, milliseconds.
const GLIMPSE_MS: i64 = 60 * 1_000;

/// See the module's head.
pub(super) struct AlertmanagerChannel {
    pub(super) name: String,
    pub(super) outbound: Outbound,
    pub(super) url: Url,
    pub(super) authorization: Option<HeaderValue>,
}

impl AlertmanagerChannel {
    async fn push(&self, notice: &Notice, key: &IdempotencyKey) -> Result<Sent, SendError> {
        let now = crate::clock::wall_millis();
        let url = below(&self.url, &["api", "v2", "alerts"])?;
        let alert = json!([{
            "labels": labels(notice),
            "annotations": annotations(notice, key),
            "startsAt": time(Some(notice.raised_at)),
            "endsAt": time(Some(ends_at(notice, now))),
            "generatorURL": "",
        }]);
        Call::new(&self.outbound, Method::POST, url)
            .key(key)
            .authorization(self.authorization.as_ref())
            .json(&alert)?
            .send()
            .await?;
        // It has the alert now; whom it tells, and when, it does not say.
        Ok(Sent::Accepted { provider_id: None })
    }
}

fn ends_at(notice: &Notice, now: i64) -> WallMs {
    match notice.transition {
        Transition::Clear => notice.cleared_at.unwrap_or(WallMs(now)),
        Transition::Late { .. } | Transition::Canary => WallMs(now.saturating_add(GLIMPSE_MS)),
        Transition::Raise
        | Transition::Reminder { .. }
        | Transition::Escalated { .. }
        | Transition::Acknowledged { .. }
        | Transition::Bundle { .. } => WallMs(now.saturating_add(FIRING_MS)),
    }
}

impl Channel for AlertmanagerChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ChannelKind {
        ChannelKind::Alertmanager
    }

    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        key: &'a IdempotencyKey,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.push(notice, key))
    }
}
