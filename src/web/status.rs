//! `GET /api/v1/status`: state, version, counts and components in one answer.

use super::health::seconds;
use super::state::WebState;
use super::truth::Truth;
use super::wire::time;
use crate::actors::oms::OmsView;
use crate::domain::health::Verdict;
use crate::domain::oms::Phase;
use crate::domain::order::OrderState;
use crate::supervision::NodeState;
use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Map, Value, json};

pub(super) async fn status(state: Data<WebState>) -> HttpResponse {
    let truth = state.truth();
    let components: Vec<Value> = truth.verdicts.0.iter().map(component).collect();
    // The judgement may be a quarter of a second old; the state is what the next word must name.
    let oms = truth.orders.as_ref().map(|_| state.readings.oms.view());
    let oms = oms.as_ref();
    let state_word = word(&truth, oms.map(|oms| oms.phase));
    HttpResponse::Ok().json(json!({
        "mode": state.mode,
        "state": state_word,
        "state_version": oms.map(|oms| oms.version),
        "reason": oms.map(|oms| oms.reason.as_str()),
        "actor": oms.map(|oms| oms.actor.as_str()),
        "since": oms.and_then(|oms| time(oms.since)),
        "version": env!("CARGO_PKG_VERSION"),
        "config_hash": state.config_hash,
        "uptime_seconds": state.uptime_seconds(),
        "snapshot_id": truth.id,
        "counts": oms.map_or_else(|| json!({}), |oms| counts(oms, state.alerts_open(), state.streams.open())),
        "components": components,
    }))
}

/// The tree's word while it starts, ends or has failed, for then nothing else counts; else the order path's.
pub(super) fn word(truth: &Truth, phase: Option<Phase>) -> &'static str {
    match truth.nodes.first().map(|root| root.state) {
        Some(NodeState::Running) if truth.up => phase.unwrap_or(Phase::Running).word(),
        Some(NodeState::Stopping) => "draining",
        Some(NodeState::Failed) => "halted",
        _ => "starting",
    }
}

/// `orders` counts those in memory, every open one and the youngest of the final ones; every state by name, so that
/// a reader need not know which are left out.
fn counts(oms: &OmsView, alerts: usize, streams: usize) -> Value {
    let of = |state: OrderState| oms.orders.get(&state).copied().unwrap_or_default();
    let orders: Map<String, Value> =
        OrderState::ALL.iter().map(|state| (state.word().to_owned(), json!(of(*state)))).collect();
    let open: usize = OrderState::ALL.iter().filter(|state| !state.is_final()).map(|state| of(*state)).sum();
    json!({
        "orders": orders,
        "open_orders": open,
        "unknown_orders": of(OrderState::Unknown),
        "open_positions": oms.open_positions,
        "alerts_open": alerts,
        "undurable_batches": oms.undurable,
        "event_streams": streams,
    })
}

fn component(verdict: &Verdict) -> Value {
    json!({
        "name": verdict.component,
        "status": verdict.status,
        "severity": verdict.severity,
        "reason": verdict.reason,
        "age_seconds": verdict.age_ms.map(seconds),
        "locality": verdict.locality,
        "safe_actions": verdict.safe_actions,
        "runbook": verdict.runbook,
        "cause": verdict.cause.as_ref().map(ToString::to_string),
    })
}
