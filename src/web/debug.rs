//! `POST /debug/actors/{path}/{fault}`, `/debug/web/panic` and `/debug/alerts`: failures on purpose, in development alone.

use super::access::Principal;
use super::fields::{Fields, Members, reason};
use super::problem::Problem;
use super::state::WebState;
use crate::domain::alert::{AlertKey, Condition, SCOPE_CHARS_MAX, codes};
use crate::supervision::Fault;
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use serde_json::json;

pub(super) async fn inject(
    state: Data<WebState>,
    target: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (path, fault) = target.into_inner();
    let kind = match fault.as_str() {
        "panic" => Fault::Panic,
        "wedge" => Fault::Wedge,
        other => return Err(Problem::bad_request(format!("no fault {other:?}; use panic or wedge"))),
    };
    if state.tree.inject(&path, kind).await {
        Ok(HttpResponse::Accepted().json(json!({"path": path, "fault": fault})))
    } else {
        Err(Problem::not_found(format!("no living actor at {path}")))
    }
}

/// `POST /debug/alerts` with `{code, scope, reason?, cause?, ends?}`: asserts a condition, or retracts it when `ends`.
pub(super) async fn alerts(state: Data<WebState>, body: Json<Members>) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::new(body.into_inner());
    let known = |name: &str| codes::find(name).ok_or("is no alert code");
    let short = |text: &str| match text.chars().count() {
        1..=SCOPE_CHARS_MAX => Ok(text.to_owned()),
        _ => Err("must have 1 to 160 characters"),
    };
    let code = fields.required("code", known);
    let scope = fields.required("scope", short);
    let why = fields.optional("reason", reason).unwrap_or_else(|| "for a test".to_owned());
    let cause = fields.optional("cause", short);
    let ends = fields.flag("ends");
    let (code, scope) = fields.finish(|| code.zip(scope))?;
    let board = &state.readings.alerts;
    if ends {
        board.clear(code.name, &scope);
    } else {
        let mut condition = Condition::new(code.name, scope.as_str(), why);
        let apart = |key: String| key.split_once(':').map(|(code, scope)| AlertKey::new(code, scope));
        condition.cause = cause.and_then(apart);
        board.report(condition);
    }
    Ok(HttpResponse::Accepted().json(json!({"key": AlertKey::new(code.name, &scope), "holds": !ends})))
}

/// Panics as a handler with a bug would.
#[expect(clippy::panic, reason = "this is what it is for")]
pub(super) async fn panic(caller: Principal) -> HttpResponse {
    panic!("asked for by {}", caller.actor)
}
