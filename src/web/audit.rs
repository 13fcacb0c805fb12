//! `GET /api/v1/audit`, and the lane by which requests that steered nothing else get there.
//!
//! Every request that steers the process, accepted or not, is one line. Those that reach the order management are
//! written with what they did; the others go through here: at once to the log, and to the journal's writer when it
//! has nothing better to do. Lines of refused requests are limited in rate, so that a flood of them fills no disk;
//! how many were left out is written as soon as there is room again.

use super::access::NOBODY;
use super::pace::Pace;
use super::pages::Page;
use super::problem::Problem;
use super::state::WebState;
use super::wire::time;
use crate::actors::journal::AppendControls;
use crate::domain::control::{AuditRow, ControlNote, ControlRow};
use crate::domain::time::WallMs;
use crate::supervision::Port;
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Lines of refused requests per second; twice as many at once.
const REFUSED_PER_SECOND: u64 = 50;

/// See the module's head.
#[derive(Debug)]
pub(super) struct Lane {
    port: Option<Port<AppendControls>>,
    pace: Mutex<Pace>,
    left_out: AtomicU64,
}

impl Lane {
    /// A lane to the journal's writer; to the log alone in a process that keeps no journal.
    pub(super) fn new(port: Option<Port<AppendControls>>) -> Self {
        Self { port, pace: Mutex::new(Pace::new(REFUSED_PER_SECOND)), left_out: AtomicU64::new(0) }
    }

    /// Writes one line.
    pub(super) fn write(&self, row: ControlRow, now: Instant) {
        if row.is_refusal() && self.pace.lock().take(NOBODY, now).is_err() {
            self.left_out.fetch_add(1, Ordering::AcqRel);
            return;
        }
        if row.note.audited {
            log(&row);
        }
        let Some(port) = &self.port else { return };
        let missing = self.left_out.swap(0, Ordering::AcqRel);
        let mut rows = Vec::with_capacity(2);
        if missing > 0 {
            rows.push(gap(missing, row.at));
        }
        rows.push(row);
        if port.tell(AppendControls(rows)).is_err() {
            self.left_out.fetch_add(missing.saturating_add(1), Ordering::AcqRel);
        }
    }
}

fn log(row: &ControlRow) {
    let note = &row.note;
    tracing::info!(
        event = "control",
        actor = note.actor,
        principal = note.principal,
        peer = note.peer,
        route = note.route,
        reason = note.reason,
        status = row.status,
        code = row.code,
    );
}

/// The line that stands for those that were left out.
fn gap(missing: u64, at: WallMs) -> ControlRow {
    let note = ControlNote {
        principal: "plimsoll".to_owned(),
        actor: "plimsoll".to_owned(),
        peer: String::new(),
        route: String::new(),
        verb: "left_out".to_owned(),
        reason: Some(format!("{missing} lines of refused requests were not written")),
        key: None,
        body_hash: String::new(),
        audited: true,
    };
    note.answered(at, 429, Some("too_many_requests".to_owned()), String::new())
}

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    after: Option<String>,
    limit: Option<String>,
}

/// `GET /api/v1/audit?after=&limit=`: every request that steered the process or was refused, oldest first.
pub(super) async fn list(state: Data<WebState>, query: Query<AuditQuery>) -> Result<HttpResponse, Problem> {
    let page = Page::read(query.after.as_deref(), query.limit.as_deref())?;
    let rows = state.read(move |books| books.audit(page.after, page.limit)).await?;
    let items: Vec<Value> = rows.iter().map(show).collect();
    Ok(HttpResponse::Ok().json(page.answer(&items, rows.last().map(|row| row.id))))
}

fn show(row: &AuditRow) -> Value {
    json!({
        "id": row.id,
        "at": time(row.at),
        "actor": row.actor,
        "principal": row.principal,
        "peer": row.peer,
        "route": row.route,
        "verb": row.verb,
        "reason": row.reason,
        "idempotency_key": row.key,
        "status": row.status,
        "code": row.code,
    })
}
