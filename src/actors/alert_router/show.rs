//! Alerts as the API, the event stream and the audit show them: the names of `docs/alerts.md`.

use crate::domain::alert::{Alert, Delivery, Hidden, Silence};
use crate::domain::time::WallMs;
use serde_json::{Value, json};

fn time(at: WallMs) -> Option<String> {
    at.rfc3339()
}

/// An alert, with what was and is sent of it.
#[must_use]
pub fn alert(alert: &Alert, deliveries: &[Delivery]) -> Value {
    let of_it = |delivery: &&Delivery| delivery.number == alert.number;
    let escalation = alert.escalation.as_ref().map(|escalation| {
        json!({
            "policy": escalation.policy,
            "step": escalation.step,
            "round": escalation.round,
            "next_at": escalation.next_at.and_then(time),
        })
    });
    let hidden = alert.hidden.as_ref().map(|hidden| match hidden {
        Hidden::Root(key) => json!({"by": "root", "name": key.as_str()}),
        Hidden::Silence(id) => json!({"by": "silence", "name": id}),
    });
    json!({
        "id": alert.id,
        "code": alert.key.code(),
        "key": alert.key.as_str(),
        "severity": alert.severity,
        "scope": alert.key.scope(),
        "reason": alert.reason,
        "since": time(alert.since),
        "raised_at": time(alert.raised_at),
        "cleared_at": alert.cleared_at.and_then(time),
        "cleared_by": alert.cleared_by,
        "acked_at": alert.ack.as_ref().and_then(|ack| time(ack.at)),
        "acked_by": alert.ack.as_ref().map(|ack| ack.by.as_str()),
        "ack_reason": alert.ack.as_ref().map(|ack| ack.reason.as_str()),
        "ack_until": alert.ack.as_ref().and_then(|ack| time(ack.until)),
        "runbook": alert.key.code(),
        "locality": alert.locality.word(),
        "cause": alert.cause.as_ref().map(|key| key.as_str()),
        "incident": alert.incident,
        "suppressed_by": hidden,
        "contained": alert.contained,
        "escalation": escalation,
        "deliveries": deliveries.iter().filter(of_it).map(delivery).collect::<Vec<_>>(),
    })
}

/// An alert with everything that is known of it.
#[must_use]
pub fn whole(one: &Alert, deliveries: &[Delivery]) -> Value {
    let mut value = alert(one, deliveries);
    if let Some(members) = value.as_object_mut() {
        members.insert("evidence".to_owned(), json!(one.evidence));
        members.insert("flaps".to_owned(), json!(one.flaps));
        members.insert("first_told_at".to_owned(), json!(one.first_told_at.and_then(time)));
        let moment = |moment: &crate::domain::alert::Moment| json!({"at": time(moment.at), "what": moment.what, "note": moment.note});
        let history: Vec<Value> = one.moments.iter().map(moment).collect();
        members.insert("history".to_owned(), Value::Array(history));
    }
    value
}

/// A delivery.
#[must_use]
pub fn delivery(delivery: &Delivery) -> Value {
    let waits = !delivery.state.is_final();
    json!({
        "key": delivery.key.as_str(),
        "channel": delivery.channel,
        "transition": delivery.transition.word(),
        "status": delivery.state.word(),
        "attempts": delivery.attempts,
        "created_at": time(delivery.created_at),
        "next_attempt_at": if waits { time(delivery.next_at) } else { None },
        "last_error": delivery.last_error,
        "delivered_at": delivery.delivered_at.and_then(time),
        "provider_id": delivery.provider_id,
        "confirm": delivery.confirm.map(|confirm| json!({
            "asked": confirm.asked,
            "next_at": time(confirm.next_at),
            "until": time(confirm.until),
        })),
        "within": delivery.within.as_ref().map(|key| key.as_str()),
    })
}

/// A silence.
#[must_use]
pub fn silence(silence: &Silence) -> Value {
    json!({
        "id": silence.id,
        "code": silence.code,
        "scope": silence.scope,
        "reason": silence.reason,
        "by": silence.by,
        "at": time(silence.at),
        "until": time(silence.until),
        "ended_at": silence.ended_at.and_then(time),
        "ended_by": silence.ended_by,
    })
}
