//! The tables of the alert router: the latest record of every alert, delivery, silence and channel.
//!
//! [`write`] belongs in the transaction of the journal's rows. Records are JSON of this version's types; one that
//! cannot be read is a typed error that names its row.

use super::error::{DbError, sql};
use super::lines::{self, Binds, Line};
use super::meta;
use super::read::Place;
use super::schema::{alert_channels, alert_deliveries, alert_silences, alerts};
use crate::domain::alert::router::Restored;
use crate::domain::alert::{Alert, ChannelRecord, Delivery, REMEMBERED, Silence};
use crate::domain::journal::{AlertLine, AlertLines, ChannelLine, DeliveryLine, SilenceLine};
use diesel::dsl::max;
use diesel::prelude::*;
use serde::de::DeserializeOwned;

impl Line for AlertLine {
    type Table = alerts::table;
    const HEAD: &'static str = "INSERT INTO alerts (number,id,key,incident,is_open,is_root,record) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (number) DO UPDATE SET incident=excluded.incident,\
        is_open=excluded.is_open,is_root=excluded.is_root,record=excluded.record";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        to.int(&self.number)?;
        to.text(&self.id)?;
        to.text(&self.key)?;
        to.text(&self.incident)?;
        to.flag(&self.is_open)?;
        to.flag(&self.is_root)?;
        to.text(&self.record)
    }
}

impl Line for DeliveryLine {
    type Table = alert_deliveries::table;
    const HEAD: &'static str = "INSERT INTO alert_deliveries (name,number,seq,is_final,record) VALUES ";
    const TAIL: &'static str =
        " ON CONFLICT (name) DO UPDATE SET is_final=excluded.is_final,record=excluded.record";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        to.text(&self.name)?;
        to.int(&self.number)?;
        to.int(&self.seq)?;
        to.flag(&self.is_final)?;
        to.text(&self.record)
    }
}

impl Line for SilenceLine {
    type Table = alert_silences::table;
    const HEAD: &'static str = "INSERT INTO alert_silences (id,number,ended,record) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (id) DO UPDATE SET ended=excluded.ended,record=excluded.record";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        to.text(&self.id)?;
        to.int(&self.number)?;
        to.flag(&self.ended)?;
        to.text(&self.record)
    }
}

impl Line for ChannelLine {
    type Table = alert_channels::table;
    const HEAD: &'static str = "INSERT INTO alert_channels (channel,record) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (channel) DO UPDATE SET record=excluded.record";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        to.text(&self.channel)?;
        to.text(&self.record)
    }
}

/// Writes what changed.
pub(super) fn write(connection: &mut SqliteConnection, changed: &AlertLines) -> QueryResult<()> {
    lines::insert(connection, &changed.alerts)?;
    lines::insert(connection, &changed.deliveries)?;
    lines::insert(connection, &changed.silences)?;
    lines::insert(connection, &changed.channels)?;
    Ok(())
}

fn record<T: DeserializeOwned>(table: &'static str, key: String, text: &str) -> Result<T, DbError> {
    Place { table, key }.checked(serde_json::from_str(text))
}

fn alerts_of(rows: Vec<(i64, String)>) -> Result<Vec<Alert>, DbError> {
    rows.into_iter().map(|(number, text)| record("alerts", number.to_string(), &text)).collect()
}

fn deliveries_of(rows: Vec<(String, String)>) -> Result<Vec<Delivery>, DbError> {
    rows.into_iter().map(|(name, text)| record("alert_deliveries", name, &text)).collect()
}

/// Which alerts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only those that stand.
    pub open_only: bool,
    /// Only roots of incidents.
    pub roots_only: bool,
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Alerts after a number, oldest first.
pub(super) fn page(
    connection: &mut SqliteConnection,
    filter: AlertFilter,
    after: Option<u64>,
    limit: i64,
) -> Result<Vec<Alert>, DbError> {
    let mut query = alerts::table
        .select((alerts::number, alerts::record))
        .filter(alerts::number.gt(signed(after.unwrap_or(0))))
        .order(alerts::number)
        .limit(limit)
        .into_boxed();
    if filter.open_only {
        // Spelt as the index is.
        query = query.filter(diesel::dsl::sql::<diesel::sql_types::Bool>("is_open = 1"));
    }
    if filter.roots_only {
        query = query.filter(alerts::is_root.eq(true));
    }
    alerts_of(query.load(connection).map_err(sql("reading alerts"))?)
}

/// Roots of incidents before a number, youngest first.
pub(super) fn roots_before(
    connection: &mut SqliteConnection,
    before: Option<u64>,
    limit: i64,
) -> Result<Vec<Alert>, DbError> {
    let rows = alerts::table
        .select((alerts::number, alerts::record))
        .filter(alerts::is_root.eq(true).and(alerts::number.lt(before.map_or(i64::MAX, signed))))
        .order(alerts::number.desc())
        .limit(limit)
        .load(connection)
        .map_err(sql("reading incidents"))?;
    alerts_of(rows)
}

/// The alerts that follow from the roots of some incidents, oldest first.
pub(super) fn consequences(
    connection: &mut SqliteConnection,
    incidents: &[String],
    limit: i64,
) -> Result<Vec<Alert>, DbError> {
    let rows = alerts::table
        .select((alerts::number, alerts::record))
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("is_root = 0"))
        .filter(alerts::incident.eq_any(incidents))
        .order(alerts::number)
        .limit(limit)
        .load(connection)
        .map_err(sql("reading incidents"))?;
    alerts_of(rows)
}

/// An alert by its id, or the last one of a key.
pub(super) fn find(connection: &mut SqliteConnection, name: &str) -> Result<Option<Alert>, DbError> {
    let number = name.rsplit_once('-').and_then(|(_, digits)| digits.parse::<i64>().ok());
    if let Some(number) = number {
        let found: Option<(i64, String)> = alerts::table
            .select((alerts::number, alerts::record))
            .filter(alerts::number.eq(number).and(alerts::id.eq(name)))
            .first(connection)
            .optional()
            .map_err(sql("reading an alert"))?;
        if let Some(row) = found {
            return Ok(alerts_of(vec![row])?.pop());
        }
    }
    let found: Option<(i64, String)> = alerts::table
        .select((alerts::number, alerts::record))
        .filter(alerts::key.eq(name))
        .order(alerts::number.desc())
        .first(connection)
        .optional()
        .map_err(sql("reading an alert"))?;
    Ok(alerts_of(found.into_iter().collect())?.pop())
}

/// What was and is sent of some alerts, in order.
pub(super) fn deliveries(
    connection: &mut SqliteConnection,
    numbers: &[u64],
    limit: i64,
) -> Result<Vec<Delivery>, DbError> {
    let numbers: Vec<i64> = numbers.iter().copied().map(signed).collect();
    let rows = alert_deliveries::table
        .select((alert_deliveries::name, alert_deliveries::record))
        .filter(alert_deliveries::number.eq_any(numbers))
        .order((alert_deliveries::number, alert_deliveries::seq, alert_deliveries::name))
        .limit(limit)
        .load(connection)
        .map_err(sql("reading deliveries"))?;
    deliveries_of(rows)
}

/// One delivery.
pub(super) fn delivery(connection: &mut SqliteConnection, name: &str) -> Result<Option<Delivery>, DbError> {
    let found: Option<String> = alert_deliveries::table
        .select(alert_deliveries::record)
        .find(name)
        .first(connection)
        .optional()
        .map_err(sql("reading a delivery"))?;
    found.map(|text| record("alert_deliveries", name.to_owned(), &text)).transpose()
}

/// Silences, youngest first; at most `limit`.
pub(super) fn silences(
    connection: &mut SqliteConnection,
    only_holding: bool,
    limit: i64,
) -> Result<Vec<Silence>, DbError> {
    let mut query = alert_silences::table
        .select((alert_silences::id, alert_silences::record))
        .order(alert_silences::number.desc())
        .limit(limit)
        .into_boxed();
    if only_holding {
        query = query.filter(alert_silences::ended.eq(false));
    }
    let rows: Vec<(String, String)> = query.load(connection).map_err(sql("reading silences"))?;
    rows.into_iter().map(|(id, text)| record("alert_silences", id, &text)).collect()
}

/// Everything that the router goes on from.
pub(super) fn restore(connection: &mut SqliteConnection) -> Result<Restored, DbError> {
    let tag = meta::get(connection, meta::TAG)?.unwrap_or_default();
    let last: Option<i64> =
        alerts::table.select(max(alerts::number)).first(connection).map_err(sql("reading alerts"))?;
    let waiting: Vec<(String, String)> = alert_deliveries::table
        .select((alert_deliveries::name, alert_deliveries::record))
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("is_final = 0"))
        .load(connection)
        .map_err(sql("reading deliveries"))?;
    let deliveries = deliveries_of(waiting)?;
    let numbers: Vec<i64> = deliveries.iter().map(|delivery| signed(delivery.number)).collect();
    let mut standing = page(connection, AlertFilter { open_only: true, ..AlertFilter::default() }, None, -1)?;
    for chunk in numbers.chunks(500) {
        let rows: Vec<(i64, String)> = alerts::table
            .select((alerts::number, alerts::record))
            .filter(alerts::number.eq_any(chunk).and(alerts::is_open.eq(false)))
            .load(connection)
            .map_err(sql("reading alerts"))?;
        standing.extend(alerts_of(rows)?);
    }
    standing.sort_by_key(|alert| alert.number);
    standing.dedup_by_key(|alert| alert.number);
    let last_silence: Option<i64> = alert_silences::table
        .select(max(alert_silences::number))
        .first(connection)
        .map_err(sql("reading silences"))?;
    // Canaries carry no alert; their numbers are shared with silences.
    let last_canary: Option<i64> = alert_deliveries::table
        .filter(alert_deliveries::number.eq(0))
        .select(max(alert_deliveries::seq))
        .first(connection)
        .map_err(sql("reading deliveries"))?;
    let channels: Vec<(String, String)> =
        alert_channels::table.load(connection).map_err(sql("reading channels"))?;
    let channels = channels.into_iter().map(|(channel, text)| {
        let kept: ChannelRecord = record("alert_channels", channel.clone(), &text)?;
        Ok((channel, kept))
    });
    let recent = i64::try_from(REMEMBERED).unwrap_or(i64::MAX);
    let mut recent = roots_before(connection, None, recent)?;
    recent.reverse();
    Ok(Restored {
        tag,
        last_number: last.and_then(|number| u64::try_from(number).ok()).unwrap_or(0),
        last_word: last_silence.max(last_canary).and_then(|number| u64::try_from(number).ok()).unwrap_or(0),
        alerts: standing,
        deliveries,
        silences: silences(connection, true, -1)?,
        channels: channels.collect::<Result<_, DbError>>()?,
        recent,
    })
}
