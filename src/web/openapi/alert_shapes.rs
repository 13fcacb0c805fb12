//! The JSON objects of alerts, silences, incidents and channels.

use super::schema::{
    answer, count, flag, list, named, number, or_null, page, pattern, reason, request, text, time, word,
};
use crate::domain::containment::State;
use crate::domain::health::SafeAction;
use serde_json::{Value, json};

fn any() -> Value {
    json!({})
}

pub(super) fn shapes() -> Vec<(&'static str, Value)> {
    let severity = || word(&["info", "warning", "critical"]);
    let delivery = answer(&[
        ("key", text()),
        ("channel", text()),
        ("transition", text()),
        ("status", word(&["pending", "claimed", "accepted", "delivered", "failed", "expired", "superseded"])),
        ("attempts", count()),
        ("created_at", or_null(time())),
        ("next_attempt_at", or_null(time())),
        ("last_error", or_null(text())),
        ("delivered_at", or_null(time())),
        ("provider_id", or_null(text())),
        ("confirm", any()),
        ("within", or_null(text())),
    ]);
    let alert = [
        ("id", text()),
        ("code", text()),
        ("key", text()),
        ("severity", severity()),
        ("scope", text()),
        ("reason", text()),
        ("since", or_null(time())),
        ("raised_at", or_null(time())),
        ("cleared_at", or_null(time())),
        ("cleared_by", or_null(word(&["itself", "operator", "repair", "restart"]))),
        ("acked_at", or_null(time())),
        ("acked_by", or_null(text())),
        ("ack_reason", or_null(text())),
        ("ack_until", or_null(time())),
        ("runbook", text()),
        ("locality", word(&["local", "pipeline", "downstream"])),
        ("cause", or_null(text())),
        ("incident", or_null(text())),
        ("suppressed_by", any()),
        ("contained", or_null(text())),
        ("escalation", any()),
        ("deliveries", list(named("Delivery"))),
    ];
    let whole: Vec<(&str, Value)> = alert
        .iter()
        .cloned()
        .chain([
            ("evidence", any()),
            ("flaps", count()),
            ("first_told_at", or_null(time())),
            ("history", list(answer(&[("at", or_null(time())), ("what", text()), ("note", text())]))),
        ])
        .collect();
    let silence = answer(&[
        ("id", text()),
        ("code", text()),
        ("scope", text()),
        ("reason", text()),
        ("by", text()),
        ("at", or_null(time())),
        ("until", or_null(time())),
        ("ended_at", or_null(time())),
        ("ended_by", or_null(text())),
    ]);
    let incident = answer(&[
        ("id", text()),
        ("root", text()),
        ("severity", severity()),
        ("reason", text()),
        ("since", or_null(time())),
        ("raised_at", or_null(time())),
        ("cleared_at", or_null(time())),
        ("consequences", list(answer(&[("id", text()), ("key", text()), ("open", flag())]))),
        ("detect_seconds", or_null(number())),
        ("notify_seconds", or_null(number())),
        ("acknowledge_seconds", or_null(number())),
        ("clear_seconds", or_null(number())),
    ]);
    let channel = answer(&[
        ("name", text()),
        ("kind", text()),
        ("status", word(&["healthy", "failing"])),
        ("last_delivered_at", or_null(time())),
        ("last_delivered_age_seconds", or_null(number())),
        ("failures", count()),
        ("last_error", or_null(text())),
        ("waiting", count()),
        ("oldest_waiting_since", or_null(time())),
        ("held_until", or_null(time())),
        ("delivered", count()),
        ("failed", count()),
    ]);
    let intent = answer(&[
        ("number", count()),
        ("state", word(&State::ALL.map(State::word))),
        ("because", text()),
        ("precondition", text()),
        ("action", word(&SafeAction::ALL.map(SafeAction::word))),
        ("target", text()),
        ("verify", text()),
        ("outcome", text()),
        ("budget", count()),
        ("window_seconds", number()),
        ("spent", count()),
        ("requested_at", or_null(time())),
        ("carried_out_at", or_null(time())),
        ("ended_at", or_null(time())),
        ("runbook", text()),
    ]);
    let visible = || pattern(r"^[ -~]{1,200}$");
    let silence_request = request(
        &[("reason", reason()), ("for_seconds", super::schema::duration())],
        &[("code", visible()), ("scope", visible())],
    );
    vec![
        ("Delivery", delivery),
        ("Alert", answer(&alert)),
        ("Alerts", page("Alert")),
        ("WholeAlert", answer(&whole)),
        ("AlertStory", answer(&[("id", text()), ("key", text()), ("story", list(text()))])),
        ("Silence", silence),
        ("Silences", page("Silence")),
        ("Incident", incident),
        (
            "Incidents",
            answer(&[("items", list(named("Incident"))), ("next", or_null(text())), ("medians", any())]),
        ),
        ("Intent", intent),
        ("Intents", page("Intent")),
        ("Channel", channel),
        ("Channels", page("Channel")),
        ("AckRequest", request(&[("reason", reason())], &[("for_seconds", super::schema::duration())])),
        ("SilenceRequest", silence_request),
    ]
}
