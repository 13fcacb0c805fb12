//! `GET /metrics`: the Prometheus text exposition.

use super::problem::Problem;
use super::state::WebState;
use crate::telemetry::alert_metrics::AlertScrape;
use crate::telemetry::guard_metrics::GuardScrape;
use crate::telemetry::metrics::{Scrape, exposition};
use crate::telemetry::order_metrics::OrderScrape;
use actix_web::HttpResponse;
use actix_web::web::Data;

pub(super) async fn metrics(state: Data<WebState>) -> Result<HttpResponse, Problem> {
    let text = text(&state).map_err(Problem::internal)?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

/// The exposition as it is now.
///
/// # Errors
/// In words, when a metric's name is not legal or used twice: a bug.
pub fn text(state: &WebState) -> Result<String, String> {
    let truth = state.truth();
    let process = state.readings.process.latest();
    let drift = state.parts.drift.as_ref().map(|_| state.readings.drift.latest());
    exposition(&Scrape {
        nodes: &truth.nodes,
        process: process.as_ref(),
        clock_step_seconds: state.readings.clock.latest().map(|reading| reading.largest_step_seconds),
        uptime_seconds: state.uptime_seconds(),
        ready: truth.is_ready(),
        drift: drift.as_deref(),
        verdicts: &truth.verdicts,
        judged_age_seconds: state.readings.sentinel.age(crate::clock::monotonic()).as_secs_f64(),
        build: (env!("CARGO_PKG_VERSION"), &state.config_hash),
        orders: truth.orders.as_ref().map(|path| OrderScrape {
            view: &path.oms,
            latency: state.readings.oms.latency(),
            journal: &path.journal,
            journal_idle: path.journal_idle,
            commits: state.readings.journal.commits(),
        }),
        guards: state.parts.kill.as_ref().map(|kill| GuardScrape {
            kill: kill.view(),
            heartbeats: state
                .readings
                .heartbeats
                .iter()
                .map(|(venue, beat)| (venue.clone(), beat.latest()))
                .collect(),
        }),
        alerts: state.parts.alerts.as_ref().map(|_| AlertScrape {
            reading: state.readings.alerting.latest(),
            pending: state.pending_alerts().len(),
            delivery: state.readings.alerting.delivery(),
        }),
    })
    .map_err(|error| error.to_string())
}
