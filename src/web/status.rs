//! `GET /api/v1/status`: state, version and components in one answer.

use super::state::WebState;
use super::truth::Truth;
use crate::supervision::{Node, NodeKind, NodeState};
use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};

pub(super) async fn status(state: Data<WebState>) -> HttpResponse {
    let truth = state.truth();
    let components: Vec<Value> =
        truth.nodes.iter().filter(|node| node.kind == NodeKind::Worker).map(component).collect();
    HttpResponse::Ok().json(json!({
        "state": phase(&truth),
        "version": env!("CARGO_PKG_VERSION"),
        "config_hash": state.config_hash,
        "uptime_seconds": state.uptime_seconds(),
        "snapshot_id": truth.id,
        "components": components,
    }))
}

fn phase(truth: &Truth) -> &'static str {
    match truth.nodes.first().map(|root| root.state) {
        Some(NodeState::Running) if truth.up => "running",
        Some(NodeState::Stopping) => "draining",
        Some(NodeState::Failed) => "halted",
        _ => "starting",
    }
}

fn component(node: &Node) -> Value {
    let (status, severity) = match node.state {
        NodeState::Running => ("healthy", "ok"),
        NodeState::Stopped if node.last_failure.is_none() && node.epoch > 0 => ("healthy", "ok"),
        NodeState::Starting | NodeState::Backoff | NodeState::Stopping => ("degraded", "warning"),
        NodeState::Failed => ("failed", "critical"),
        NodeState::Stopped => ("unknown", "critical"),
    };
    json!({
        "name": node.path,
        "status": status,
        "severity": severity,
        "reason": node.last_failure,
        "age_seconds": node.age_seconds,
        "locality": "local",
    })
}
