//! Words about alerts: take one on, silence some, test a channel. Each is a line of the audit, written with what was done.

use super::desk::Caller;
use super::fields::{Fields, Members, reason};
use super::gate::Noted;
use super::pages::{Page, whole, wrong_query};
use super::problem::Problem;
use super::state::WebState;
use crate::actors::alert_router::{self, show};
use crate::actors::oms::AskFailure;
use crate::domain::alert::PATTERN_CHARS_MAX;
use crate::domain::alert::router::{Answer, Ask, Refusal};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// How long a caller waits until its word is on disk.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Longest acknowledgement, silence: a week, in seconds.
const SECONDS_MAX: u64 = 604_800;

/// Which silences.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SilencesQuery {
    status: Option<String>,
    limit: Option<String>,
}

/// `POST /api/v1/alerts/{id}/ack` with `{reason, for_seconds?}`: 200 with the alert. By id or key.
pub(super) async fn ack(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    path: Path<String>,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::new(body.into_inner());
    let why = fields.required("reason", reason);
    let for_ms = fields.whole("for_seconds", 1..=SECONDS_MAX).map(|seconds| seconds.saturating_mul(1_000));
    let why = fields.finish(|| why)?;
    let by = caller.because(why);
    let ask = Ask::Ack { alert: path.into_inner(), by: by.name, reason: by.reason, for_ms };
    state.ask_alerts(ask, noted).await
}

/// `GET /api/v1/silences?status=open|all`, youngest first.
pub(super) async fn silences(
    state: Data<WebState>,
    query: Query<SilencesQuery>,
) -> Result<HttpResponse, Problem> {
    let only_holding = match query.status.as_deref() {
        None | Some("open") => true,
        Some("all") => false,
        Some(_) => return Err(wrong_query("status", "must be open or all")),
    };
    let limit = Page::read(None, query.limit.as_deref())?.limit;
    let found = state.read(move |books| books.silences(only_holding, limit)).await?;
    Ok(HttpResponse::Ok().json(whole(&found.iter().map(show::silence).collect::<Vec<Value>>())))
}

/// `POST /api/v1/silences` with `{code?, scope?, reason, for_seconds}`: 200 with the silence. `*` in code or scope
/// stands for anything.
pub(super) async fn silence(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::new(body.into_inner());
    let why = fields.required("reason", reason);
    let code = fields.optional("code", pattern).unwrap_or_else(|| "*".to_owned());
    let scope = fields.optional("scope", pattern).unwrap_or_else(|| "*".to_owned());
    let for_seconds = fields.whole("for_seconds", 1..=SECONDS_MAX);
    if for_seconds.is_none() && !fields.has_error("for_seconds") {
        fields.refuse("for_seconds", "is missing");
    }
    let (why, for_seconds) = fields.finish(|| why.zip(for_seconds))?;
    let for_ms = for_seconds.saturating_mul(1_000);
    let by = caller.because(why);
    state.ask_alerts(Ask::Silence { code, scope, by: by.name, reason: by.reason, for_ms }, noted).await
}

/// `DELETE /api/v1/silences/{id}`: 200 with the silence that has ended.
pub(super) async fn unsilence(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let by = caller.because(String::new()).name;
    state.ask_alerts(Ask::Unsilence { id: path.into_inner(), by }, noted).await
}

/// `POST /api/v1/channels/{name}/test` with `{reason}`: 202 with the delivery of a message that tests the channel.
pub(super) async fn test(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    path: Path<String>,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::new(body.into_inner());
    let why = fields.required("reason", reason);
    let why = fields.finish(|| why)?;
    let ask = Ask::Test { channel: path.into_inner(), by: caller.because(why).name };
    state.ask_alerts(ask, noted).await
}

fn pattern(text: &str) -> Result<String, String> {
    let legal = !text.is_empty() && text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    if legal && text.chars().count() <= PATTERN_CHARS_MAX {
        Ok(text.to_owned())
    } else {
        Err(format!("must have 1 to {PATTERN_CHARS_MAX} printable ASCII characters; * stands for anything"))
    }
}

impl WebState {
    /// Asks the alert router; the line of the audit is written with what it does. A refusal leaves it to the gate.
    async fn ask_alerts(&self, ask: Ask, noted: Noted) -> Result<HttpResponse, Problem> {
        let desk = self.parts.alerts.as_ref();
        let desk = desk.ok_or_else(|| {
            Problem::unavailable("this process has no venue configured: it keeps no alerts")
        })?;
        let note = noted.clone().take_over();
        let answer = match desk.ask(ask, Some(note), ANSWER_WITHIN).await {
            Ok(Answer::Refused(refusal)) => Err(refused(&refusal)),
            Ok(answer) => Ok(answer),
            Err(failure @ (AskFailure::Busy | AskFailure::Down)) => {
                Err(Problem::unavailable(failure.to_string().replace("order management", "alert router"))
                    .with_code("nothing_taken"))
            }
            Err(AskFailure::Lost | AskFailure::Timeout) => {
                Err(Problem::unavailable("the alert router gave no answer in time; read the alert")
                    .with_code("outcome_unknown"))
            }
        };
        match answer {
            Ok(answer) => {
                let (status, body) = alert_router::shown(&answer);
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                Ok(HttpResponseBuilder::new(status).json(body))
            }
            Err(problem) => {
                noted.give_back();
                Err(problem)
            }
        }
    }
}

fn refused(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::NoAlert { .. } => Problem::not_found(refusal.to_string()).with_code("no_such_alert"),
        Refusal::NoSilence { .. } => Problem::not_found(refusal.to_string()).with_code("no_such_silence"),
        Refusal::NoChannel { .. } => Problem::not_found(refusal.to_string()).with_code("no_such_channel"),
        Refusal::NeverHidden { .. } => Problem::conflict(refusal.to_string()).with_code("never_hidden"),
        Refusal::TooManySilences { .. } => {
            Problem::conflict(refusal.to_string()).with_code("too_many_silences")
        }
    }
}
