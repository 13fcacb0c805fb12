//! Is the process alive, may it trade, and the whole truth.

use super::containment;
use super::state::WebState;
use super::truth::Truth;
use crate::domain::health::{Severity, Verdict};
use crate::supervision::{Node, NodeKind, NodeState};
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::web::Data;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde_json::{Map, Value, json};

/// By then the sentinel has judged at least once, or never will.
const FIRST_JUDGEMENT_SECONDS: f64 = 5.0;

/// `GET /livez`: 200 while the tree is starting or ending, or up with a sentinel that judges; 503 otherwise.
pub(super) async fn livez(state: Data<WebState>) -> HttpResponse {
    let truth = state.truth();
    let root = truth.nodes.first().map(|node| node.state);
    let turns = matches!(
        root,
        Some(NodeState::Starting | NodeState::Running | NodeState::Backoff | NodeState::Stopping)
    );
    // A process in which nobody judges any more is to be started again; while it starts or ends, nobody does, and the
    // first judgement comes a moment after the tree is up.
    let young = state.uptime_seconds() < FIRST_JUDGEMENT_SECONDS;
    let alive = turns && (truth.judged || !truth.up || young);
    answer(alive, &truth).json(json!({"alive": alive, "snapshot_id": truth.id, "at": truth.at}))
}

/// `GET /readyz`: 200 when every gate is open, else 503 with the failing ones.
pub(super) async fn readyz(state: Data<WebState>) -> HttpResponse {
    let truth = state.truth();
    let failing: Vec<&str> = truth.failing().map(|gate| gate.name.as_str()).collect();
    let ready = truth.is_ready();
    answer(ready, &truth).json(json!({
        "ready": ready, "snapshot_id": truth.id, "at": truth.at, "failing": failing, "gates": truth.gates,
    }))
}

/// `GET /health`: everything, as `application/health+json`.
pub(super) async fn health(state: Data<WebState>) -> HttpResponse {
    let truth = state.truth();
    let status = overall(&truth);
    let nodes = truth.nodes.iter().filter(|node| node.kind != NodeKind::Task).map(check);
    let checks: Map<String, Value> = nodes.chain(truth.verdicts.0.iter().map(judged)).collect();
    let body = json!({
        "status": status,
        "version": "1",
        "releaseId": env!("CARGO_PKG_VERSION"),
        "serviceId": "plimsoll",
        "snapshot_id": truth.id,
        "time": truth.at,
        "checks": checks,
        "containment": truth.intents.iter().map(containment::show).collect::<Vec<_>>(),
    });
    answer(status != "fail", &truth).content_type("application/health+json").body(body.to_string())
}

/// `pass`, `warn` (running, but something failed within the last minute) or `fail`.
fn overall(truth: &Truth) -> &'static str {
    let recent = |node: &Node| node.last_failure_age_seconds.is_some_and(|age| age < 60.0);
    if !truth.is_ready() {
        "fail"
    } else if truth.nodes.iter().any(recent) || truth.verdicts.0.iter().any(|verdict| !verdict.is_healthy()) {
        "warn"
    } else {
        "pass"
    }
}

fn check(node: &Node) -> (String, Value) {
    let status = match node.state {
        NodeState::Running => "pass",
        NodeState::Stopped if node.last_failure.is_none() && node.epoch > 0 => "pass",
        NodeState::Starting | NodeState::Stopping | NodeState::Backoff => "warn",
        NodeState::Stopped | NodeState::Failed => "fail",
    };
    let value = json!([{
        "componentType": "component",
        "observedValue": node.state,
        "observedUnit": "state",
        "status": status,
        "age_seconds": node.age_seconds,
        "restarts": node.restarts,
        "output": node.last_failure,
    }]);
    (format!("{}:state", node.path), value)
}

/// What was judged of a component, with the evidence and its age.
fn judged(verdict: &Verdict) -> (String, Value) {
    let status = match verdict.severity {
        Severity::Ok => "pass",
        Severity::Warning => "warn",
        Severity::Critical => "fail",
    };
    let value = json!([{
        "componentType": "component",
        "observedValue": verdict.status,
        "observedUnit": "status",
        "status": status,
        "severity": verdict.severity,
        "age_seconds": verdict.age_ms.map(seconds),
        "output": verdict.reason,
        "locality": verdict.locality,
        "cause": verdict.cause.as_ref().map(ToString::to_string),
        "alert": verdict.alert.as_ref().map(ToString::to_string),
        "safe_actions": verdict.safe_actions,
        "runbook": verdict.runbook,
        "evidence": verdict.evidence.iter().map(|cite| json!({
            "fact": cite.fact, "value": cite.value, "age_seconds": cite.age_ms.map(seconds),
        })).collect::<Vec<_>>(),
    }]);
    (format!("{}:status", verdict.component), value)
}

/// Milliseconds as seconds, for a reader.
pub(super) fn seconds(ms: u64) -> f64 {
    std::time::Duration::from_millis(ms).as_secs_f64()
}

fn answer(good: bool, truth: &Truth) -> HttpResponseBuilder {
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut builder = HttpResponse::build(status);
    builder.insert_header(ContentType::json()).insert_header(("X-Snapshot-Id", truth.id.to_string()));
    builder
}
