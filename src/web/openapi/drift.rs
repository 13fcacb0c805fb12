//! The lines of the drift sentry in the description.

use super::operation::Operation;
use super::schema::{answer, count, flag, list, named, or_null, text, word};
use serde_json::{Value, json};

fn number() -> Value {
    json!({ "type": "number" })
}

fn anything() -> Value {
    json!({})
}

/// A stream as it is shown.
fn stream() -> Value {
    answer(&[
        ("name", text()),
        ("state", word(&["learning", "watching", "drift"])),
        ("strategy", or_null(text())),
        ("learned", count()),
        ("wanted", count()),
        ("observations", count()),
        ("rejected", count()),
        ("last", or_null(number())),
        ("heard_at", or_null(text())),
        ("detections", count()),
        ("detectors", list(anything())),
        ("level", number()),
        ("baseline", anything()),
        ("open_since", or_null(text())),
        ("finding", anything()),
        ("arl0", number()),
        ("consequence", anything()),
        ("runbook", text()),
        ("rebaselined", anything()),
    ])
}

/// `GET /api/v1/drift`.
pub(crate) fn drift() -> Operation {
    Operation::new("drift", "Every stream that is watched, its statistics against their thresholds").answers(
        200,
        "now",
        answer(&[
            ("items", list(stream())),
            ("next", or_null(text())),
            ("streams_max", count()),
            ("refused", count()),
            ("dropped", count()),
            ("loaded", flag()),
        ]),
    )
}

/// `GET /api/v1/drift/streams/{name}`.
pub(crate) fn drift_stream() -> Operation {
    Operation::new("drift_stream", "One stream")
        .answers(200, "now", stream())
        .problem(404, "there is no such stream")
}

/// `POST /api/v1/drift/streams/{name}`.
pub(crate) fn observe() -> Operation {
    let values = json!({
        "type": "object",
        "properties": {
            "value": {},
            "values": { "type": "array", "maxItems": 4096 },
        },
        "additionalProperties": false,
    });
    Operation::new("observe", "Observations of a stream from outside, oldest first")
        .body(values)
        .answers(202, "the sentry has taken them", answer(&[("taken", count()), ("rejected", count())]))
        .problem(409, "there are as many streams as there may be")
        .problem(422, "values are wrong, the name is none, or it is one of a stream that is measured here")
}

/// `POST /api/v1/drift/streams/{name}/rebaseline`.
pub(crate) fn rebaseline() -> Operation {
    Operation::new("rebaseline", "Say that what a stream does now is normal; what it has cut is lifted")
        .body(named("Reason"))
        .answers(200, "it learns anew", answer(&[("done", flag())]))
        .problem(404, "there is no such stream")
}
