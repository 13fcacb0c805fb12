//! `POST /debug/actors/{path}/{fault}` and `/debug/web/panic`: failures on purpose, in development alone.

use super::access::Principal;
use super::problem::Problem;
use super::state::WebState;
use crate::supervision::Fault;
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
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

/// Panics as a handler with a bug would.
#[expect(clippy::panic, reason = "this is what it is for")]
pub(super) async fn panic(caller: Principal) -> HttpResponse {
    panic!("asked for by {}", caller.actor)
}
