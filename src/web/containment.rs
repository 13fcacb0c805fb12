//! `GET /api/v1/containment`: what was done by itself about alerts, what is under way, and what is recommended.

use super::pages::{Page, wrong_query};
use super::problem::Problem;
use super::state::WebState;
use super::wire::time;
use crate::db::IntentFilter;
use crate::domain::containment::Intent;
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use serde_json::{Value, json};

/// Which intents.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IntentsQuery {
    status: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

/// `GET /api/v1/containment?status=open|all`: oldest first, in pages; all unless asked otherwise, because hardly one is
/// under way for longer than seconds.
pub(super) async fn list(state: Data<WebState>, query: Query<IntentsQuery>) -> Result<HttpResponse, Problem> {
    let open_only = match query.status.as_deref() {
        Some("open") => true,
        None | Some("all") => false,
        Some(_) => return Err(wrong_query("status", "must be open or all")),
    };
    let page = Page::read(query.after.as_deref(), query.limit.as_deref())?;
    let filter = IntentFilter { open_only };
    let intents = state.read(move |books| books.containment(filter, page.after, page.limit)).await?;
    let items: Vec<Value> = intents.iter().map(show).collect();
    Ok(HttpResponse::Ok().json(page.answer(&items, intents.last().map(|intent| intent.number))))
}

/// An intent as the API shows it.
pub(super) fn show(intent: &Intent) -> Value {
    let seconds = std::time::Duration::from_millis(intent.window_ms).as_secs_f64();
    json!({
        "number": intent.number,
        "state": intent.state.word(),
        "because": intent.because,
        "precondition": intent.precondition,
        "action": intent.action.word(),
        "target": intent.target.words(),
        "verify": intent.verify,
        "outcome": intent.outcome,
        "budget": intent.budget,
        "window_seconds": seconds,
        "spent": intent.spent,
        "requested_at": time(intent.requested_at),
        "carried_out_at": intent.carried_out_at.and_then(time),
        "ended_at": intent.ended_at.and_then(time),
        "runbook": intent.code,
    })
}
