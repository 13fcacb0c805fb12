//! `GET /api/v1/alerts` and what belongs to single ones: what stands and wants somebody, who was told, and why.
//!
//! Alerts are read from the database. A condition that holds and is no alert on disk yet, because it was asserted a
//! moment ago, is still being sampled, or cannot be written, is shown as well: silence must not look like health.

use super::pages::{Page, whole, wrong_query};
use super::problem::Problem;
use super::state::WebState;
use super::wire::time;
use crate::actors::alert_router::show;
use crate::actors::oms::OpenAlert;
use crate::db::AlertFilter;
use crate::domain::alert::{Alert, AlertKey, Delivery, codes};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Which alerts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertsQuery {
    status: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

/// `GET /api/v1/alerts?status=open|all`: oldest first, in pages.
pub(super) async fn list(state: Data<WebState>, query: Query<AlertsQuery>) -> Result<HttpResponse, Problem> {
    let open_only = match query.status.as_deref() {
        None | Some("open") => true,
        Some("all") => false,
        Some(_) => return Err(wrong_query("status", "must be open or all")),
    };
    let page = Page::read(query.after.as_deref(), query.limit.as_deref())?;
    let mut pending = state.pending_alerts();
    if state.parts.readers.is_none() {
        return Ok(HttpResponse::Ok().json(whole(&pending.iter().map(show).collect::<Vec<_>>())));
    }
    let filter = AlertFilter { open_only, ..AlertFilter::default() };
    let read = state.read(move |books| {
        let alerts = books.alerts(filter, page.after, page.limit)?;
        let numbers: Vec<u64> = alerts.iter().map(|alert| alert.number).collect();
        let deliveries = books.alert_deliveries(&numbers)?;
        Ok((alerts, deliveries))
    });
    let (alerts, deliveries) = match read.await {
        Ok(found) => found,
        // What holds is known without the books.
        Err(_) if open_only && page.after.is_none() => (Vec::new(), Vec::new()),
        Err(problem) => return Err(problem),
    };
    let mut by_alert: BTreeMap<u64, Vec<Delivery>> = BTreeMap::new();
    for delivery in deliveries {
        by_alert.entry(delivery.number).or_default().push(delivery);
    }
    let mut items: Vec<Value> = alerts
        .iter()
        .map(|alert| show::alert(alert, by_alert.get(&alert.number).map_or(&[], |of| of)))
        .collect();
    let mut answer = page.answer(&items, alerts.last().map(|alert| alert.number));
    if answer.get("next").is_none_or(Value::is_null) {
        pending.retain(|one| !alerts.iter().any(|alert| alert.is_open() && alert.key == key(one)));
        items.extend(pending.iter().map(show));
        answer = whole(&items);
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// `GET /api/v1/alerts/{id}`, by id or key: everything that is known of one.
pub(super) async fn get(state: Data<WebState>, path: Path<String>) -> Result<HttpResponse, Problem> {
    let (alert, deliveries) = state.alert(path.into_inner()).await?;
    Ok(HttpResponse::Ok().json(show::whole(&alert, &deliveries)))
}

/// `GET /api/v1/alerts/{id}/why`: why it was raised, who was told, who was not, and what comes next; as sentences.
pub(super) async fn why(state: Data<WebState>, path: Path<String>) -> Result<HttpResponse, Problem> {
    let (alert, deliveries) = state.alert(path.into_inner()).await?;
    let lines = story(&alert, &deliveries);
    Ok(HttpResponse::Ok().json(json!({"id": alert.id, "key": alert.key.as_str(), "story": lines})))
}

fn story(alert: &Alert, deliveries: &[Delivery]) -> Vec<String> {
    let mut lines: Vec<(i64, String)> = Vec::new();
    for moment in &alert.moments {
        lines.push((moment.at.0, format!("{}: {}", moment.what, moment.note)));
    }
    for one in deliveries {
        let (channel, word) = (&one.channel, one.transition.word());
        let mut line = format!("{word} on {channel}: {}, {} attempts", one.state.word(), one.attempts);
        if let Some(error) = &one.last_error {
            line.push_str(&format!(", last answer: {error}"));
        }
        if let Some(within) = &one.within {
            line.push_str(&format!(", said within {within}"));
        }
        if let Some(confirm) = &one.confirm {
            let next = time(confirm.next_at).unwrap_or_default();
            line.push_str(&format!(", its provider was asked {} times, next {next}", confirm.asked));
        }
        if !one.state.is_final() {
            line.push_str(&format!(", next attempt {}", time(one.next_at).unwrap_or_default()));
        }
        lines.push((one.created_at.0, line));
    }
    lines.sort_by_key(|(at, _)| *at);
    let stamp = |at: i64| time(crate::domain::time::WallMs(at)).unwrap_or_default();
    let mut story: Vec<String> =
        lines.into_iter().map(|(at, line)| format!("{}  {line}", stamp(at))).collect();
    let next = match (&alert.hidden, &alert.ack, &alert.escalation) {
        _ if !alert.is_open() => "it is over: nothing more follows".to_owned(),
        (Some(hidden), _, _) => format!("nobody is told while it is hidden by {}", hidden.words()),
        (None, Some(ack), _) => {
            format!("{} took it on until {}", ack.by, time(ack.until).unwrap_or_default())
        }
        (None, None, Some(escalation)) => match escalation.next_at {
            Some(at) => format!("next step of {} at {}", escalation.policy, time(at).unwrap_or_default()),
            None => format!("every step of {} was taken", escalation.policy),
        },
        (None, None, None) => "no policy covers it: nobody is told".to_owned(),
    };
    story.push(next);
    story
}

fn key(alert: &OpenAlert) -> AlertKey {
    AlertKey::new(alert.code, &alert.scope)
}

impl WebState {
    /// Conditions that hold and are no alerts on disk yet, oldest first.
    pub(super) fn pending_alerts(&self) -> Vec<OpenAlert> {
        let mut pending = self.readings.oms.alerts();
        pending.extend(self.readings.alerts.open());
        pending.retain(|alert| !self.readings.alerting.stands(&key(alert)));
        pending.sort_by(|a, b| (a.raised_at, a.code, &a.scope).cmp(&(b.raised_at, b.code, &b.scope)));
        pending.dedup_by(|a, b| key(a) == key(b));
        pending
    }

    /// How many alerts stand.
    pub(super) fn alerts_open(&self) -> usize {
        self.readings.alerting.open().saturating_add(self.pending_alerts().len())
    }

    /// One alert and what is sent of it.
    async fn alert(&self, name: String) -> Result<(Alert, Vec<Delivery>), Problem> {
        let asked = name.clone();
        let found = self.read(move |books| {
            let Some(alert) = books.alert(&name)? else { return Ok(None) };
            let deliveries = books.alert_deliveries(&[alert.number])?;
            Ok(Some((alert, deliveries)))
        });
        let shown: String = asked.chars().take(100).collect();
        found.await?.ok_or_else(|| Problem::not_found(format!("there is no alert {shown:?}")))
    }
}

/// A condition that is no alert on disk yet. Its key names it.
pub(super) fn show(alert: &OpenAlert) -> Value {
    let key = key(alert);
    json!({
        "id": key.as_str(),
        "code": alert.code,
        "key": key.as_str(),
        "severity": codes::severity(alert.code),
        "scope": alert.scope,
        "reason": alert.reason,
        "since": time(alert.raised_at),
        "raised_at": time(alert.raised_at),
        "cleared_at": null,
        "cleared_by": null,
        "acked_at": null,
        "acked_by": null,
        "ack_reason": null,
        "ack_until": null,
        "runbook": alert.code,
        "locality": "local",
        "cause": null,
        "incident": null,
        "suppressed_by": null,
        "contained": null,
        "escalation": null,
        "deliveries": [],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::{Condition, Hidden, Transition};
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
        let condition = Condition::new(alert.code, alert.scope.clone(), alert.reason.clone());
        let on_disk = show::alert(&Alert::raised(1, "pl", &condition, WallMs(0), WallMs(0)), &[]);
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&shown), names(&on_disk), "both look alike");
    }

    #[test]
    fn the_story_says_who_was_told_and_what_comes_next() {
        let condition = Condition::new("disk_low", "data", "5 % free");
        let mut alert = Alert::raised(1, "pl", &condition, WallMs(0), WallMs(1_000));
        alert.note(WallMs(1_000), "raised", "5 % free");
        let mut delivery = Delivery::new((1, "pl-1"), 1, "hook", Transition::Raise, WallMs(1_001));
        delivery.claim(WallMs(1_001), 1_000);
        delivery.fail("401");
        let told = story(&alert, std::slice::from_ref(&delivery));
        assert!(told[0].ends_with("raised: 5 % free"), "{told:?}");
        assert!(told[1].contains("raise on hook: failed, 1 attempts, last answer: 401"), "{told:?}");
        assert_eq!(told[2], "no policy covers it: nobody is told");
        alert.hidden = Some(Hidden::Silence("s-1".to_owned()));
        assert!(story(&alert, &[]).last().unwrap().contains("silence s-1"));
    }
}
