//! `GET /api/v1/alerts`: what stands and wants somebody.

use super::pages::{whole, wrong_query};
use super::problem::Problem;
use super::state::WebState;
use super::wire::time;
use crate::actors::oms::OpenAlert;
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use serde_json::{Value, json};

/// Which alerts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertsQuery {
    status: Option<String>,
}

/// `GET /api/v1/alerts?status=open`: every alert that stands, oldest first.
pub(super) async fn list(state: Data<WebState>, query: Query<AlertsQuery>) -> Result<HttpResponse, Problem> {
    if !matches!(query.status.as_deref(), None | Some("open" | "all")) {
        return Err(wrong_query("status", "must be open or all"));
    }
    let mut alerts = state.readings.oms.view().alerts;
    alerts.extend(state.readings.alerts.open());
    alerts.sort_by(|a, b| (a.raised_at, a.code, &a.scope).cmp(&(b.raised_at, b.code, &b.scope)));
    let items: Vec<Value> = alerts.iter().map(show).collect();
    Ok(HttpResponse::Ok().json(whole(&items)))
}

/// One alert. Its key, code and scope together, names it as long as it stands.
pub(super) fn show(alert: &OpenAlert) -> Value {
    let key = format!("{}:{}", alert.code, alert.scope);
    json!({
        "id": key,
        "code": alert.code,
        "key": key,
        "severity": severity(alert.code),
        "scope": alert.scope,
        "reason": alert.reason,
        "raised_at": time(alert.raised_at),
        "cleared_at": null,
        "acked_at": null,
        "acked_by": null,
        "runbook": alert.code,
        "deliveries": [],
    })
}

/// `critical` where money may be lost while nobody looks, `warning` otherwise.
fn severity(code: &str) -> &'static str {
    match code {
        "position_divergence"
        | "journal_corrupt"
        | "journal_writer_stalled"
        | "kill_switch_engaged"
        | "unmatched_fill"
        | "order_outcome_unknown"
        | "supervisor_meltdown"
        | "execution_disconnected" => "critical",
        _ => "warning",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::WallMs;

    #[test]
    fn the_key_is_code_and_scope() {
        let alert = OpenAlert {
            code: "order_outcome_unknown",
            scope: "paper/x-1".to_owned(),
            reason: "no answer".to_owned(),
            raised_at: WallMs(0),
        };
        let shown = show(&alert);
        assert_eq!(shown["key"], "order_outcome_unknown:paper/x-1");
        assert_eq!(
            (shown["severity"].as_str(), shown["runbook"].as_str()),
            (Some("critical"), Some(alert.code))
        );
    }
}
