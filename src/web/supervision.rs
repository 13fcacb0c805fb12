//! `GET /api/v1/supervision`: the tree, read afresh for every request.

use super::state::WebState;
use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;

pub(super) async fn supervision(state: Data<WebState>) -> HttpResponse {
    // Not the cached judgement: who looks at restarts wants this instant.
    let nodes = state.tree.snapshot();
    HttpResponse::Ok().json(json!({"at": crate::clock::wall(), "nodes": nodes}))
}
