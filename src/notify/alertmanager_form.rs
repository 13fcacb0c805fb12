//! An alert in the form of Prometheus' Alertmanager: labels that say which, annotations that say what.
//!
//! Shared by the channels `webhook` (payload version 4) and `alertmanager` (API version 2). Labels are the same at the
//! raise and at the clear, since receivers match the two by them.

use super::text::{clean, duration, subject};
use super::{IdempotencyKey, Notice};
use crate::domain::alert::Transition;
use crate::domain::time::WallMs;
use serde::Serialize;
use std::collections::BTreeMap;

/// Longest label, characters.
const LABEL_CHARS_MAX: usize = 200;
/// Longest annotation, characters.
const ANNOTATION_CHARS_MAX: usize = 1_000;
/// Alertmanager's word for a time that is not known.
pub(super) const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// Labels or annotations, ordered by name.
pub(super) type Pairs = BTreeMap<&'static str, String>;

/// Which alert.
pub(super) fn labels(notice: &Notice) -> Pairs {
    [
        ("alertname", &*notice.code),
        ("scope", &*notice.scope),
        ("severity", notice.severity.word()),
        ("instance", &*notice.instance),
        ("mode", notice.mode.word()),
        ("job", "plimsoll"),
    ]
    .into_iter()
    .map(|(name, value)| (name, clean(value, LABEL_CHARS_MAX)))
    .collect()
}

/// What about it.
pub(super) fn annotations(notice: &Notice, key: &IdempotencyKey) -> Pairs {
    let mut all: Pairs = [
        ("summary", subject(notice)),
        ("description", notice.reason.clone()),
        ("runbook_url", notice.runbook_url.clone()),
        ("acknowledge", notice.acknowledge.clone()),
        ("contained", notice.contained.clone().unwrap_or_else(|| "nothing was done automatically".into())),
        ("transition", notice.transition.word().to_owned()),
        ("alert_id", notice.alert_id.clone()),
        ("idempotency_key", key.as_str().to_owned()),
    ]
    .into_iter()
    .collect();
    if let Some(cause) = &notice.cause {
        all.insert("cause", cause.clone());
    }
    if let Some(ms) = notice.duration_ms {
        all.insert("lasted", duration(ms));
    }
    if let Transition::Late { undelivered_ms } = notice.transition {
        all.insert("undelivered_for", duration(undelivered_ms));
    }
    if let Transition::Bundle { keys, .. } = &notice.transition {
        all.insert("alerts", keys.join(", "));
    }
    all.into_iter().map(|(name, value)| (name, clean(&value, ANNOTATION_CHARS_MAX))).collect()
}

/// RFC 3339, or Alertmanager's word for a time that is not known.
pub(super) fn time(at: Option<WallMs>) -> String {
    at.and_then(WallMs::rfc3339).unwrap_or_else(|| NO_TIME.to_owned())
}

/// Alertmanager's own fingerprint of a set of labels: FNV-1a (64 bits) over names and values in the order of the
/// names, each followed by the byte 255. Source: `labelSetToFingerprint` in prometheus/common.
pub(super) fn fingerprint(labels: &Pairs) -> String {
    const OFFSET: u64 = 14_695_981_039_346_656_037;
    const PRIME: u64 = 1_099_511_628_211;
    let add = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(PRIME);
    let mut sum = OFFSET;
    for (name, value) in labels {
        sum = add(name.bytes().fold(sum, add), 255);
        sum = add(value.bytes().fold(sum, add), 255);
    }
    format!("{sum:016x}")
}

/// One alert of a webhook's payload.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct One {
    status: &'static str,
    labels: Pairs,
    annotations: Pairs,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

/// Version 4 of Alertmanager's webhook payload, and beside it everything we know, under a name of our own.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload<'a> {
    version: &'static str,
    group_key: String,
    truncated_alerts: u32,
    status: &'static str,
    receiver: &'a str,
    group_labels: Pairs,
    common_labels: Pairs,
    common_annotations: Pairs,
    #[serde(rename = "externalURL")]
    external_url: String,
    alerts: [One; 1],
    plimsoll: Ours<'a>,
}

#[derive(Serialize)]
struct Ours<'a> {
    idempotency_key: &'a str,
    notice: &'a Notice,
}

/// The payload of one message.
pub(super) fn payload<'a>(receiver: &'a str, notice: &'a Notice, key: &'a IdempotencyKey) -> Payload<'a> {
    let (labels, annotations) = (labels(notice), annotations(notice, key));
    let status = if notice.transition.is_over() { "resolved" } else { "firing" };
    let group_labels: Pairs = labels.iter().filter(|(name, _)| **name != "severity").map(copy).collect();
    let group: Vec<String> = group_labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    let truncated = match &notice.transition {
        Transition::Bundle { count, .. } => count.saturating_sub(1),
        _ => 0,
    };
    Payload {
        version: "4",
        group_key: format!("{{}}:{{{}}}", group.join(", ")),
        truncated_alerts: truncated,
        status,
        receiver,
        group_labels,
        common_labels: labels.clone(),
        common_annotations: annotations.clone(),
        external_url: String::new(),
        alerts: [One {
            status,
            fingerprint: fingerprint(&labels),
            labels,
            annotations,
            starts_at: time(Some(notice.raised_at)),
            ends_at: time(notice.cleared_at),
            generator_url: clean(&notice.runbook_url, LABEL_CHARS_MAX),
        }],
        plimsoll: Ours { idempotency_key: key.as_str(), notice },
    }
}

fn copy((name, value): (&&'static str, &String)) -> (&'static str, String) {
    (*name, value.clone())
}

#[cfg(test)]
mod tests {
    use super::super::text::samples::{clear, hostile, key, raise};
    use super::*;

    #[test]
    fn raise_and_clear_are_one_alert() {
        assert_eq!(labels(&raise()), labels(&clear()));
        assert_eq!(fingerprint(&labels(&raise())), fingerprint(&labels(&clear())));
        let known: Pairs = [("alertname", "TestAlert".to_owned())].into_iter().collect();
        // FNV-1a over "alertname", 255, "TestAlert", 255, worked out byte by byte elsewhere.
        assert_eq!(fingerprint(&known), "dab43189276e5f48");
    }

    #[test]
    fn the_time_that_is_not_known_is_alertmanagers() {
        let firing = serde_json::to_value(payload("ops", &raise(), &key())).unwrap();
        assert_eq!(firing.pointer("/alerts/0/endsAt").unwrap(), NO_TIME);
        assert_eq!(firing.pointer("/status").unwrap(), "firing");
        let over = serde_json::to_value(payload("ops", &clear(), &key())).unwrap();
        assert_eq!(over.pointer("/alerts/0/endsAt").unwrap(), "2023-11-14T22:18:23.000Z");
        assert_eq!(over.pointer("/alerts/0/status").unwrap(), "resolved");
    }

    #[test]
    fn hostile_text_stays_within_its_bounds() {
        let notice = hostile();
        for (name, value) in labels(&notice).into_iter().chain(annotations(&notice, &key())) {
            assert!(value.chars().count() <= ANNOTATION_CHARS_MAX, "{name}");
            assert!(!value.chars().any(char::is_control), "{name}: {value:?}");
        }
    }
}
