//! `POST /api/v1/controls/{verb}`: words that steer the whole desk, each with a reason that is written down.
//!
//! The safe direction asks for nothing but a reason. `reset` and `resume` are the unsafe direction: the caller must name
//! the state that it saw (`If-Match: "state-<state_version>"`), so that a stale page cannot resume what halted since.

use super::desk::Caller;
use super::fields::{Fields, Members, reason};
use super::gate::Noted;
use super::if_match;
use super::problem::Problem;
use super::state::WebState;
use super::wire::time;
use crate::actors::kill_switch::KillSwitch;
use crate::actors::oms::Ask;
use crate::actors::run_control::Word;
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::domain::kill_switch::Cause;
use crate::domain::oms::{Answer, Phase, Steering};
use crate::domain::order::CancelScope;
use crate::domain::run_state::Verb;
use actix_web::http::header::ETAG;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use std::time::Duration;

/// How long a kill waits for the answers of placements that had begun. The whole answer has 100 ms.
const IN_FLIGHT_WAIT: Duration = Duration::from_millis(30);
/// How often it looks. There is nothing to be woken by: the count must not cost the order path anything.
const IN_FLIGHT_LOOK: Duration = Duration::from_millis(1);

/// `POST /api/v1/controls/cancel-all` with `{reason, venue?, symbol?, strategy?}`: 202 with the number of cancels that
/// were begun. Works while halted, draining, or without a journal.
pub(super) async fn cancel_all(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::new(body.into_inner());
    let why = fields.required("reason", reason);
    let scope = CancelScope {
        venue: fields.optional("venue", VenueId::new),
        symbol: fields.optional("symbol", Symbol::new),
        strategy: fields.optional("strategy", StrategyId::new),
        entries: false,
    };
    let why = fields.finish(|| why)?;
    let answer = state.ask_noted(Ask::CancelAll { scope, by: caller.because(why) }, noted).await?;
    Ok(HttpResponse::Accepted().json(answer.body()))
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
    noted: Noted,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    steer(&state, &caller, noted, body.into_inner(), Verb::Pause, None).await
}

/// `POST /api/v1/controls/reduce-only` with `{reason}`: only what makes positions smaller.
pub(super) async fn reduce_only(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    steer(&state, &caller, noted, body.into_inner(), Verb::ReduceOnly, None).await
}

/// `POST /api/v1/controls/resume` with `{reason}` and `If-Match: "state-<state_version>"`: trades again, when every
/// gate is open. 428 without the header, 412 when the state has changed since, 409 with the gates that are closed.
pub(super) async fn resume(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    request: HttpRequest,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    resume_seen(state, caller, noted, if_match::seen(&request)?, body).await
}

/// Resumes what was seen in this version.
pub(super) async fn resume_seen(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    seen: u64,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
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
    steer(&state, &caller, noted, body.into_inner(), Verb::Resume, Some(seen)).await
}

/// `POST /api/v1/controls/kill` with `{reason}`: engages the kill switch. Needs neither the order management nor the
/// database; the answer says whether the disk holds it, and how many placements have no answer yet.
pub(super) async fn kill(
    state: Data<WebState>,
    caller: Caller,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let kill = state.kill()?;
    let mut fields = Fields::new(body.into_inner());
    let why = fields.required("reason", reason);
    let why = fields.finish(|| why)?;
    let by = caller.because(why);
    // Bounded by some tens of milliseconds; a pool of threads that wait for a locked database must not stand between.
    let engaged = kill.engage(Cause::Operator, &by.name, &by.reason);
    let in_flight = in_flight_after(kill).await;
    let durable = engaged.durable.as_ref().err().map(ToString::to_string);
    Ok(HttpResponse::Ok().json(json!({
        "state": Phase::Halted,
        "engaged": true,
        "already": engaged.already,
        "generation": engaged.record.generation,
        "cause": engaged.record.cause,
        "reason": engaged.record.reason,
        "actor": engaged.record.actor,
        "at": time(engaged.record.at),
        "durable": engaged.durable.is_ok(),
        "durable_problem": durable,
        "in_flight": in_flight,
        "resting_orders": state.controls.on_kill,
    })))
}

/// Placements that began before and have no answer yet; their answers are waited for, within the time that the caller
/// of a kill is promised.
async fn in_flight_after(kill: &KillSwitch) -> u64 {
    let wire = kill.tripwire();
    let until = crate::clock::monotonic().checked_add(IN_FLIGHT_WAIT);
    while wire.in_flight() > 0 && until.is_some_and(|until| crate::clock::monotonic() < until) {
        tokio::time::sleep(IN_FLIGHT_LOOK).await;
    }
    wire.in_flight()
}

/// `POST /api/v1/controls/reset` with `{reason}` and `If-Match`: leaves a halt whose cause is gone, for `paused`.
pub(super) async fn reset(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    request: HttpRequest,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    reset_seen(state, caller, noted, if_match::seen(&request)?, body).await
}

/// Resets what was seen in this version.
pub(super) async fn reset_seen(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    seen: u64,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let kill = state.kill()?.clone();
    // What is engaged from here on is not what the caller saw.
    let before = kill.view();
    let mut fields = Fields::new(body.into_inner());
    let why = fields.required("reason", reason);
    let why = fields.finish(|| why)?;
    let by = caller.because(why);
    if before.engaged && kill.halt_file() {
        let detail = "the file HALT lies in the data directory: take it away first";
        return Err(Problem::conflict(detail).with_code("cause_stands"));
    }
    let steering = Ask::Steer(Steering { verb: Verb::Reset, seen: Some(seen), by: by.clone() });
    if !before.engaged {
        return Ok(with_version(&state.ask_noted(steering, noted).await?));
    }
    state.ask(steering, None).await?;
    let lifted = web::block(move || kill.reset(before.generation, &by.name, &by.reason, &[])).await;
    match lifted {
        Ok(Ok(_)) => {}
        Ok(Err(refused)) => {
            return Err(Problem::conflict(refused.to_string()).with_code("latch_not_reset"));
        }
        Err(_) => return Err(Problem::unavailable("the process is ending")),
    }
    Ok(with_version(&state.ask_noted(Ask::LatchCleared, noted).await?))
}

/// Does what the word says, and answers with the state.
async fn steer(
    state: &WebState,
    caller: &Caller,
    noted: Noted,
    body: Members,
    verb: Verb,
    seen: Option<u64>,
) -> Result<HttpResponse, Problem> {
    state.oms()?;
    let mut fields = Fields::new(body);
    let why = fields.required("reason", reason);
    let why = fields.finish(|| why)?;
    let steering = Steering { verb, seen, by: caller.because(why) };
    Ok(with_version(&state.ask_noted(Ask::Steer(steering), noted).await?))
}

/// The answer, and in its head the version that the next unsafe word is to name.
fn with_version(answer: &Answer) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Answer::State(now) = answer {
        response.insert_header((ETAG, format!("\"state-{}\"", now.version)));
    }
    response.json(answer.body())
}
