//! `POST /api/v1/controls/{verb}`: words that steer the whole desk, each with a reason that is written down.
//!
//! The safe direction asks for nothing but a reason. Lifting a halt is the unsafe direction: the caller must name
//! the state that it saw (`If-Match: "state-<state_version>"`), so that a stale page cannot resume what halted since.

use super::desk::Caller;
use super::fields::{Fields, Members, reason};
use super::problem::Problem;
use super::state::WebState;
use super::wire::time;
use crate::actors::oms::Ask;
use crate::actors::run_control::Word;
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::domain::oms::{Answer, StateView, Steering};
use crate::domain::order::CancelScope;
use crate::domain::run_state::Verb;
use actix_web::http::header::{ETAG, IF_MATCH};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

/// `POST /api/v1/controls/cancel-all` with `{reason, venue?, symbol?, strategy?}`: 202 with the number of cancels that
/// were begun. Works while halted, draining, or without a journal.
pub(super) async fn cancel_all(
    state: Data<WebState>,
    caller: Caller,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::new(body.into_inner());
    let why = fields.required("reason", reason);
    let scope = CancelScope {
        venue: fields.optional("venue", VenueId::new),
        symbol: fields.optional("symbol", Symbol::new),
        strategy: fields.optional("strategy", StrategyId::new),
    };
    let why = fields.finish(|| why)?;
    match state.ask(Ask::CancelAll { scope, by: caller.because(why) }, None).await? {
        Answer::CancelAllTaken(begun) => Ok(HttpResponse::Accepted().json(json!({"cancels_begun": begun}))),
        other => Err(Problem::internal(format!("an answer of another kind: {other:?}"))),
    }
}

/// `POST /api/v1/controls/restart` with `{reason}`: 202; drains, then starts warm in place.
pub(super) async fn restart(
    state: Data<WebState>,
    caller: Caller,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    state.oms()?;
    let mut fields = Fields::new(body.into_inner());
    let why = fields.required("reason", reason);
    let why = fields.finish(|| why)?;
    if state.readings.run.say(Word::Restart(caller.because(why))) {
        Ok(HttpResponse::Accepted().json(json!({"restarting": true})))
    } else {
        Err(Problem::unavailable("the process is ending or restarting already").with_code("nothing_taken"))
    }
}

/// `POST /api/v1/controls/pause` with `{reason}`: no new entries; the answer says what becomes of resting orders.
pub(super) async fn pause(
    state: Data<WebState>,
    caller: Caller,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    steer(&state, &caller, body.into_inner(), Verb::Pause, None).await
}

/// `POST /api/v1/controls/reduce-only` with `{reason}`: only what makes positions smaller.
pub(super) async fn reduce_only(
    state: Data<WebState>,
    caller: Caller,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    steer(&state, &caller, body.into_inner(), Verb::ReduceOnly, None).await
}

/// `POST /api/v1/controls/resume` with `{reason}` and `If-Match: "state-<state_version>"`: trades again, when every
/// gate is open. 428 without the header, 412 when the state has changed since, 409 with the gates that are closed.
pub(super) async fn resume(
    state: Data<WebState>,
    caller: Caller,
    request: HttpRequest,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let seen = seen_version(&request)?;
    let truth = state.truth();
    // The state itself is a gate, and the one that this word opens.
    let closed: Vec<String> = truth
        .failing()
        .filter(|gate| gate.name != "phase")
        .map(|gate| format!("{}: {}", gate.name, gate.reason))
        .collect();
    if !closed.is_empty() {
        let detail = format!("these gates are closed: {}", closed.join("; "));
        return Err(Problem::conflict(detail).with_code("gates_closed"));
    }
    steer(&state, &caller, body.into_inner(), Verb::Resume, Some(seen)).await
}

/// Does what the word says, and answers with the state.
async fn steer(
    state: &WebState,
    caller: &Caller,
    body: Members,
    verb: Verb,
    seen: Option<u64>,
) -> Result<HttpResponse, Problem> {
    state.oms()?;
    let mut fields = Fields::new(body);
    let why = fields.required("reason", reason);
    let why = fields.finish(|| why)?;
    let steering = Steering { verb, seen, by: caller.because(why) };
    match state.ask(Ask::Steer(steering), None).await? {
        Answer::State(now) => Ok(state_answer(&now)),
        other => Err(Problem::internal(format!("an answer of another kind: {other:?}"))),
    }
}

fn state_answer(now: &StateView) -> HttpResponse {
    HttpResponse::Ok().insert_header((ETAG, format!("\"state-{}\"", now.version))).json(json!({
        "state": now.phase,
        "state_version": now.version,
        "reason": now.reason,
        "actor": now.actor,
        "since": time(now.since),
    }))
}

/// The version that the caller saw.
fn seen_version(request: &HttpRequest) -> Result<u64, Problem> {
    let Some(seen) = request.headers().get(IF_MATCH) else {
        let detail = "send If-Match: \"state-<state_version>\" with the state_version of /api/v1/status";
        return Err(Problem::precondition_required(detail));
    };
    let text = seen.to_str().unwrap_or_default();
    let number = text.trim().strip_prefix("\"state-").and_then(|rest| rest.strip_suffix('"'));
    number.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        Problem::precondition_failed("If-Match must be \"state-<state_version>\" of /api/v1/status")
    })
}
