//! `POST /api/v1/controls/{verb}`: words that steer the whole desk, each with a reason that is written down.
//!
//! The safe direction asks for nothing but a reason. Lifting a halt is the unsafe direction: the caller must name
//! the state that it saw (`If-Match: "state-<state_version>"`), so that a stale page cannot resume what halted since.

use super::desk::Caller;
use super::fields::{Fields, Members, reason};
use super::if_match;
use super::problem::Problem;
use super::state::WebState;
use crate::actors::oms::Ask;
use crate::actors::run_control::Word;
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::domain::oms::Answer;
use crate::domain::order::CancelScope;
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

/// `POST /api/v1/controls/resume` with `{reason}` and `If-Match: "state-<state_version>"`: lifts a halt whose cause is
/// gone. 428 without the header, 412 when the state has changed since.
pub(super) async fn resume(
    state: Data<WebState>,
    caller: Caller,
    request: HttpRequest,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    state.oms()?;
    let mut fields = Fields::new(body.into_inner());
    let why = fields.required("reason", reason);
    let why = fields.finish(|| why)?;
    if_match::the_present_state(&request, state.readings.oms.view().version)?;
    state.ask(Ask::Unhalt { by: caller.because(why) }, None).await?;
    Ok(HttpResponse::Accepted().json(json!({"resumed": true})))
}
