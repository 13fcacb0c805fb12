//! `GET /api/v1/incidents` and `/api/v1/channels`: alerts by their cause, with how long each step took; how well people
//! can be told.

use super::pages::{Page, whole};
use super::problem::Problem;
use super::state::WebState;
use super::wire::time;
use crate::actors::alert_router::ChannelHealth;
use crate::domain::alert::{Alert, Median};
use crate::domain::time::WallMs;
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use serde_json::{Value, json};

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IncidentsQuery {
    after: Option<String>,
    limit: Option<String>,
}

/// Seconds as a JSON number.
fn seconds(ms: u64) -> f64 {
    std::time::Duration::from_millis(ms).as_secs_f64()
}

fn between(from: WallMs, to: Option<WallMs>) -> Option<f64> {
    to.map(|to| seconds(u64::try_from(to.0.saturating_sub(from.0)).unwrap_or(0)))
}

/// `GET /api/v1/incidents`: youngest first, in pages, with the medians of those that are over.
pub(super) async fn list(
    state: Data<WebState>,
    query: Query<IncidentsQuery>,
) -> Result<HttpResponse, Problem> {
    let page = Page::read(query.after.as_deref(), query.limit.as_deref())?;
    let (roots, consequences) = state.read(move |books| books.incidents(page.after, page.limit)).await?;
    let items: Vec<Value> = roots
        .iter()
        .map(|root| incident(root, consequences.iter().filter(|one| one.incident == root.id)))
        .collect();
    let mut answer = page.answer(&items, roots.last().map(|root| root.number));
    let medians = state.readings.alerting.latest().medians;
    if let Some(members) = answer.as_object_mut() {
        members.insert(
            "medians".to_owned(),
            json!({
                "detect": median(medians.detect),
                "notify": median(medians.notify),
                "acknowledge": median(medians.acknowledge),
                "clear": median(medians.clear),
            }),
        );
    }
    Ok(HttpResponse::Ok().json(answer))
}

fn median(median: Median) -> Value {
    json!({"seconds": median.ms.map(seconds), "n": median.n})
}

fn incident<'a>(root: &Alert, consequences: impl Iterator<Item = &'a Alert>) -> Value {
    let consequences: Vec<&Alert> = consequences.collect();
    let all_over = !root.is_open() && consequences.iter().all(|one| !one.is_open());
    let over = consequences.iter().filter_map(|one| one.cleared_at).chain(root.cleared_at).max();
    let followed: Vec<Value> = consequences
        .iter()
        .map(|one| json!({"id": one.id, "key": one.key.as_str(), "open": one.is_open()}))
        .collect();
    json!({
        "id": root.incident,
        "root": root.key.as_str(),
        "severity": root.severity,
        "reason": root.reason,
        "since": time(root.since),
        "raised_at": time(root.raised_at),
        "cleared_at": if all_over { over.and_then(time) } else { None },
        "consequences": followed,
        "detect_seconds": between(root.since, Some(root.raised_at)),
        "notify_seconds": between(root.raised_at, root.first_told_at),
        "acknowledge_seconds": between(root.raised_at, root.first_acked_at),
        "clear_seconds": if all_over { between(root.raised_at, over) } else { None },
    })
}

/// `GET /api/v1/channels`: every way to tell people, and how it is.
pub(super) async fn channels(state: Data<WebState>) -> HttpResponse {
    let reading = state.readings.alerting.latest();
    let items: Vec<Value> = reading.channels.iter().map(channel).collect();
    HttpResponse::Ok().json(whole(&items))
}

fn channel(health: &ChannelHealth) -> Value {
    let now = WallMs(crate::clock::wall_millis());
    let reading = &health.reading;
    json!({
        "name": reading.name,
        "kind": health.kind,
        "status": if reading.failures > 0 { "failing" } else { "healthy" },
        "last_delivered_at": reading.last_ok.and_then(time),
        "last_delivered_age_seconds": reading.last_ok.and_then(|at| between(at, Some(now))),
        "failures": reading.failures,
        "last_error": reading.last_error,
        "waiting": reading.waiting,
        "oldest_waiting_since": reading.oldest.and_then(time),
        "held_until": reading.held_until.and_then(time),
        "delivered": health.delivered,
        "failed": health.failed,
    })
}
