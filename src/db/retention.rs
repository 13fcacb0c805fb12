//! Takes out of the tables of alerts and containment what is over and old, a bounded piece at a time.
//!
//! It promises: what stands, what is under way and what others rest on stays; the youngest row of each kind stays,
//! because numbers go on from it and a number is never given twice; a record that cannot be read stays. The journal's
//! rows are not touched.

use super::Writer;
use super::error::WriteError;
use super::schema::{alert_deliveries, alert_silences, alerts, containment};
use crate::domain::alert::{Alert, Case, Delivery, Silence, may_go, silence_may_go};
use crate::domain::time::WallMs;
use diesel::dsl::max;
use diesel::prelude::*;
use std::collections::BTreeSet;

/// Alerts that one piece looks at, at most.
pub const SLICE_MAX: i64 = 64;
/// Silences, canaries and intents that one piece looks at, at most of each.
const OTHERS_MAX: i64 = 512;

/// What one piece took out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Alerts.
    pub alerts: usize,
    /// Deliveries, canaries among them.
    pub deliveries: usize,
    /// Silences.
    pub silences: usize,
    /// Intents of containment.
    pub intents: usize,
    /// Where the next piece goes on; `None` when everything was looked at.
    pub next: Option<i64>,
}

impl Pruned {
    /// How many rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.alerts.saturating_add(self.deliveries).saturating_add(self.silences).saturating_add(self.intents)
    }
}

impl Writer {
    /// Takes out what was over before a time, among the alerts after a number; with the last piece of them also silences,
    /// canaries and intents. In a transaction of its own.
    ///
    /// # Errors
    /// [`WriteError`]: nothing was taken out.
    pub fn prune(&mut self, before: WallMs, after: i64) -> Result<Pruned, WriteError> {
        self.small(|connection| {
            let mut pruned = of_alerts(connection, before, after)?;
            if pruned.next.is_none() {
                pruned.silences = of_silences(connection, before)?;
                pruned.deliveries = pruned.deliveries.saturating_add(of_canaries(connection, before)?);
                pruned.intents = of_intents(connection, before)?;
            }
            Ok(pruned)
        })
    }
}

fn of_alerts(connection: &mut SqliteConnection, before: WallMs, after: i64) -> QueryResult<Pruned> {
    let youngest: Option<i64> = alerts::table.select(max(alerts::number)).first(connection)?;
    let rows: Vec<(i64, String, String)> = alerts::table
        .select((alerts::number, alerts::id, alerts::record))
        .filter(alerts::number.gt(after).and(alerts::number.lt(youngest.unwrap_or(0))))
        .filter(alerts::is_open.eq(false))
        .order(alerts::number)
        .limit(SLICE_MAX)
        .load(connection)?;
    let full = i64::try_from(rows.len()).is_ok_and(|found| found == SLICE_MAX);
    let mut next = rows.last().map(|(number, ..)| *number).filter(|_| full);
    let numbers: Vec<i64> = rows.iter().map(|(number, ..)| *number).collect();
    let ids: Vec<&str> = rows.iter().map(|(_, id, _)| id.as_str()).collect();
    let unsettled: BTreeSet<i64> = alert_deliveries::table
        .select(alert_deliveries::number)
        .filter(alert_deliveries::number.eq_any(&numbers).and(alert_deliveries::is_final.eq(false)))
        .load(connection)?
        .into_iter()
        .collect();
    let followed: BTreeSet<String> = alerts::table
        .select(alerts::incident)
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("is_root = 0"))
        .filter(alerts::incident.eq_any(&ids))
        .load(connection)?
        .into_iter()
        .collect();
    let mut go = Vec::new();
    for (number, id, text) in &rows {
        let Ok(alert) = serde_json::from_str::<Alert>(text) else {
            tracing::warn!(number, runbook = "journal_corrupt", "the record of an alert cannot be read");
            continue;
        };
        // Whatever comes after it was raised later.
        if alert.raised_at >= before {
            next = None;
            break;
        }
        let (unsettled, followed) = (unsettled.contains(number), followed.contains(id));
        if may_go(Case { alert: &alert, unsettled, followed }, before) {
            go.push(*number);
        }
    }
    let deliveries = diesel::delete(alert_deliveries::table.filter(alert_deliveries::number.eq_any(&go)))
        .execute(connection)?;
    let alerts = diesel::delete(alerts::table.filter(alerts::number.eq_any(&go))).execute(connection)?;
    Ok(Pruned { alerts, deliveries, next, ..Pruned::default() })
}

fn of_silences(connection: &mut SqliteConnection, before: WallMs) -> QueryResult<usize> {
    let youngest: Option<i64> =
        alert_silences::table.select(max(alert_silences::number)).first(connection)?;
    let rows: Vec<(String, String)> = alert_silences::table
        .select((alert_silences::id, alert_silences::record))
        .filter(alert_silences::ended.eq(true).and(alert_silences::number.lt(youngest.unwrap_or(0))))
        .order(alert_silences::number)
        .limit(OTHERS_MAX)
        .load(connection)?;
    let old = |text: &str| {
        serde_json::from_str::<Silence>(text).is_ok_and(|silence| silence_may_go(&silence, before))
    };
    let go: Vec<String> = rows.into_iter().filter(|(_, text)| old(text)).map(|(id, _)| id).collect();
    diesel::delete(alert_silences::table.filter(alert_silences::id.eq_any(go))).execute(connection)
}

fn of_canaries(connection: &mut SqliteConnection, before: WallMs) -> QueryResult<usize> {
    let youngest: Option<i64> = alert_deliveries::table
        .filter(alert_deliveries::number.eq(0))
        .select(max(alert_deliveries::seq))
        .first(connection)?;
    let rows: Vec<(String, String)> = alert_deliveries::table
        .select((alert_deliveries::name, alert_deliveries::record))
        .filter(alert_deliveries::number.eq(0).and(alert_deliveries::is_final.eq(true)))
        .filter(alert_deliveries::seq.lt(youngest.unwrap_or(0)))
        .order(alert_deliveries::seq)
        .limit(OTHERS_MAX)
        .load(connection)?;
    let old =
        |text: &str| serde_json::from_str::<Delivery>(text).is_ok_and(|canary| canary.created_at < before);
    let go: Vec<String> = rows.into_iter().filter(|(_, text)| old(text)).map(|(name, _)| name).collect();
    diesel::delete(alert_deliveries::table.filter(alert_deliveries::name.eq_any(go))).execute(connection)
}

fn of_intents(connection: &mut SqliteConnection, before: WallMs) -> QueryResult<usize> {
    let youngest: Option<i64> = containment::table.select(max(containment::number)).first(connection)?;
    let go: Vec<i64> = containment::table
        .select(containment::number)
        .filter(containment::at_ms.lt(before.0).and(containment::is_open.eq(false)))
        .filter(containment::number.lt(youngest.unwrap_or(0)))
        .order(containment::at_ms)
        .limit(OTHERS_MAX)
        .load(connection)?;
    diesel::delete(containment::table.filter(containment::number.eq_any(go))).execute(connection)
}
