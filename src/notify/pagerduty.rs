//! The channel `pagerduty`: events of version 2.
//!
//! One incident per alert: its id is the `dedup_key`, so a resend, a reminder and an escalation join the incident that
//! stands, and the clear resolves it. A late message and a canary open one and resolve it at once, so that somebody is
//! told and nothing stays open.

use super::http::{Call, permanent, temporary, words};
use super::text::{clean, facts, subject, time};
use super::{Channel, ChannelKind, IdempotencyKey, Notice, SendError, Sent};
use crate::config::Secret;
use crate::domain::alert::{Severity, Transition};
use crate::net::Outbound;
use futures_util::future::BoxFuture;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// PagerDuty's limits: the summary, characters; the whole event, bytes.
const SUMMARY_MAX: usize = 1_024;
const EVENT_BYTES_MAX: usize = 512_000;

/// See the module's head.
pub(super) struct PagerdutyChannel {
    pub(super) name: String,
    pub(super) outbound: Outbound,
    pub(super) url: Url,
    pub(super) routing_key: Secret,
}

#[derive(Deserialize)]
struct Taken {
    status: String,
}

impl PagerdutyChannel {
    async fn post(&self, notice: &Notice, key: &IdempotencyKey) -> Result<Sent, SendError> {
        let incident = incident(notice);
        for action in actions(notice) {
            let event = event(&self.routing_key, action, &incident, notice, key);
            let bytes =
                serde_json::to_vec(&event).map_err(|error| permanent(format!("not JSON: {error}")))?;
            if bytes.len() > EVENT_BYTES_MAX {
                return Err(permanent(format!(
                    "the event has {} bytes; {EVENT_BYTES_MAX} are allowed",
                    bytes.len()
                )));
            }
            let answer = Call::new(&self.outbound, Method::POST, self.url.clone())
                .key(key)
                .bytes("application/json", bytes)
                .send()
                .await?;
            match serde_json::from_slice::<Taken>(&answer.body) {
                Ok(taken) if taken.status == "success" => {}
                _ => return Err(temporary(format!("not PagerDuty's word: {}", words(&answer.body)))),
            }
        }
        Ok(Sent::Accepted { provider_id: Some(incident) })
    }
}

/// The alert's id where PagerDuty takes it; at most 255 characters.
fn incident(notice: &Notice) -> String {
    IdempotencyKey::new(&notice.alert_id, 0, "pagerduty").as_str().to_owned()
}

fn actions(notice: &Notice) -> &'static [&'static str] {
    match notice.transition {
        Transition::Clear => &["resolve"],
        Transition::Acknowledged { .. } => &["acknowledge"],
        Transition::Late { .. } | Transition::Canary => &["trigger", "resolve"],
        Transition::Raise
        | Transition::Reminder { .. }
        | Transition::Escalated { .. }
        | Transition::Bundle { .. } => &["trigger"],
    }
}

fn event(routing_key: &Secret, action: &str, incident: &str, notice: &Notice, key: &IdempotencyKey) -> Value {
    let details: Map<String, Value> =
        facts(notice).into_iter().map(|(label, fact)| (label.to_owned(), Value::String(fact))).collect();
    let quiet = matches!(notice.transition, Transition::Late { .. } | Transition::Canary);
    let severity = match notice.severity {
        _ if quiet => "info",
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    json!({
        "routing_key": routing_key.expose(),
        "event_action": action,
        "dedup_key": incident,
        "client": "plimsoll",
        "links": [{ "href": clean(&notice.runbook_url, 500), "text": "Runbook" }],
        "payload": {
            "summary": clean(&format!("{}: {}", subject(notice), notice.reason), SUMMARY_MAX),
            "source": clean(&notice.instance, 200),
            "severity": severity,
            "timestamp": time(notice.raised_at),
            "component": clean(&notice.scope, 200),
            "class": clean(&notice.code, 200),
            "custom_details": { "facts": details, "idempotency_key": key.as_str() },
        },
    })
}

impl Channel for PagerdutyChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ChannelKind {
        ChannelKind::Pagerduty
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
    use super::super::text::samples::{hostile, key};
    use super::*;

    #[test]
    fn an_event_keeps_pagerdutys_limits() {
        let notice = Notice { alert_id: "i".repeat(1_000), ..hostile() };
        let event = event(&Secret::new("r".repeat(32)), "trigger", &incident(&notice), &notice, &key());
        assert!(serde_json::to_vec(&event).unwrap().len() < 20_000);
        let summary = event.pointer("/payload/summary").unwrap().as_str().unwrap();
        assert!(summary.chars().count() <= SUMMARY_MAX && summary.len() > 900, "{}", summary.len());
        assert!(event.pointer("/dedup_key").unwrap().as_str().unwrap().len() <= 255);
    }
}
