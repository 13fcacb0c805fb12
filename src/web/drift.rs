//! `/api/v1/drift`: the streams that are watched, observations from outside, and the word that a new normal is normal.

use super::desk::Caller;
use super::fields::{Fields, Members, reason};
use super::problem::{FieldError, Problem};
use super::state::WebState;
use crate::actors::drift_sentry::{DriftAsk, DriftDone, DriftFailure, DriftHandle};
use crate::domain::drift::{StreamName, StreamRefusal};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a caller waits for the sentry.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Observations of one request.
const VALUES_MAX: usize = 4_096;

impl WebState {
    fn drift(&self) -> Result<&DriftHandle, Problem> {
        let off = || {
            Problem::unavailable("no series are watched: no venue is configured, or drift.enabled is false")
        };
        self.parts.drift.as_ref().ok_or_else(off)
    }

    async fn ask_drift(&self, ask: DriftAsk) -> Result<DriftDone, Problem> {
        self.drift()?.ask(ask, ANSWER_WITHIN).await.map_err(|failure| match &failure {
            DriftFailure::Stream(StreamRefusal::Unknown { .. }) => Problem::not_found(failure.to_string()),
            DriftFailure::Stream(StreamRefusal::Full { .. }) => {
                Problem::conflict(failure.to_string()).with_code("too_many_streams")
            }
            DriftFailure::Stream(StreamRefusal::Reserved { .. }) => {
                Problem::unprocessable(failure.to_string()).with_code("reserved_stream_name")
            }
            DriftFailure::Busy | DriftFailure::Down => {
                Problem::unavailable(failure.to_string()).with_code("nothing_taken")
            }
            DriftFailure::Lost => Problem::unavailable(failure.to_string()).with_code("outcome_unknown"),
        })
    }
}

fn stream(text: &str) -> Result<StreamName, Problem> {
    StreamName::new(text).map_err(|error| Problem::not_found(error.to_string()))
}

/// `GET /api/v1/drift`: every stream, its detectors' statistics against their thresholds, and what stands open.
pub(super) async fn list(state: Data<WebState>) -> Result<HttpResponse, Problem> {
    state.drift()?;
    let view = state.readings.drift.latest();
    let items: Vec<_> = view.streams.values().map(AsRef::as_ref).collect();
    Ok(HttpResponse::Ok().json(json!({
        "items": items,
        "next": null,
        "streams_max": view.streams_max,
        "refused": view.refused,
        "dropped": view.dropped,
        "loaded": view.loaded,
    })))
}

/// `GET /api/v1/drift/streams/{name}`.
pub(super) async fn show(state: Data<WebState>, path: Path<String>) -> Result<HttpResponse, Problem> {
    state.drift()?;
    let name = stream(&path)?;
    let view = state.readings.drift.latest();
    let found = view.streams.get(&name).map(|stream| HttpResponse::Ok().json(stream.as_ref()));
    found.ok_or_else(|| Problem::not_found(format!("no stream is named {name}")))
}

/// Observations as they come from outside.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Observations {
    #[serde(default)]
    value: Option<Value>,
    #[serde(default)]
    values: Option<Vec<Value>>,
}

/// A number, or what is none: `null`, `"NaN"` and the like are observations that failed, and are counted as such.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        Value::Null => Some(f64::NAN),
        _ => None,
    }
}

fn read(body: Observations) -> Result<Vec<f64>, Problem> {
    let refuse = |pointer: String, detail: String| Problem::invalid(vec![FieldError { pointer, detail }]);
    let values = match (body.value, body.values) {
        (Some(value), None) => vec![value],
        (None, Some(values)) => values,
        _ => return Err(refuse(String::new(), "give either value or values".to_owned())),
    };
    if values.is_empty() || values.len() > VALUES_MAX {
        let detail = format!("{} observations; 1 to {VALUES_MAX} are allowed", values.len());
        return Err(refuse("/values".to_owned(), detail));
    }
    let one = |(index, value): (usize, &Value)| {
        number(value).ok_or_else(|| refuse(format!("/values/{index}"), "is not a number".to_owned()))
    };
    values.iter().enumerate().map(one).collect()
}

/// `POST /api/v1/drift/streams/{name}` with `{value}` or `{values}`, oldest first. 202 once the sentry has taken them. Names
/// of streams that are measured here are refused: what posts there could hide or feign drift.
pub(super) async fn observe(
    state: Data<WebState>,
    path: Path<String>,
    body: Json<Observations>,
) -> Result<HttpResponse, Problem> {
    let stream = StreamName::new(&path)
        .map_err(|error| Problem::unprocessable(error.to_string()).with_code("bad_stream_name"))?;
    let values = read(body.into_inner())?;
    let done = state.ask_drift(DriftAsk::Observe { stream, values }).await?;
    Ok(HttpResponse::Accepted().json(json!({ "taken": done.taken, "rejected": done.rejected })))
}

/// `POST /api/v1/drift/streams/{name}/rebaseline` with `{reason}`: what it does now is normal. It learns anew, its alert
/// closes, and what it has cut is lifted.
pub(super) async fn rebaseline(
    state: Data<WebState>,
    caller: Caller,
    path: Path<String>,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let stream = stream(&path)?;
    let mut fields = Fields::new(body.into_inner());
    let why = fields.required("reason", reason);
    let by = caller.because(fields.finish(|| why)?);
    state.ask_drift(DriftAsk::Rebaseline { stream, by: by.name, reason: by.reason }).await?;
    Ok(HttpResponse::Ok().json(json!({ "done": true })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(body: &str) -> Result<Vec<f64>, String> {
        let body: Observations = serde_json::from_str(body).map_err(|error| error.to_string())?;
        read(body).map_err(|problem| problem.errors()[0].pointer.clone())
    }

    #[test]
    fn one_or_many_and_failed_ones_are_counted_later() {
        assert_eq!(taken(r#"{"value": 1.5}"#), Ok(vec![1.5]));
        let many = taken(r#"{"values": [1, "2.5", null, "NaN", "inf"]}"#).unwrap();
        assert_eq!(many[..2], [1.0, 2.5]);
        assert!(many[2].is_nan() && many[3].is_nan() && many[4].is_infinite());
        assert_eq!(taken(r#"{"values": [1, true]}"#), Err("/values/1".to_owned()));
        assert_eq!(taken(r#"{"values": []}"#), Err("/values".to_owned()));
        assert_eq!(taken(r#"{"value": 1, "values": [1]}"#), Err(String::new()));
        assert!(taken(r#"{"other": 1}"#).is_err());
        let many = format!("{{\"values\": [{}]}}", vec!["0"; VALUES_MAX + 1].join(","));
        assert_eq!(taken(&many), Err("/values".to_owned()));
    }
}
