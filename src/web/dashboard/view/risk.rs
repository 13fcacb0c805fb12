//! Limits as distance: how much of each is used, the tightest first.

use super::edition::{Row, render};
use super::figures::{or_nothing, plain};
use super::model::{Desk, Gauge};
use askama::Template;

/// Gauges that are listed.
const LISTED: usize = 40;
/// From here on a gauge is near its limit, per mille.
const NEAR: u64 = 800;

#[derive(Template)]
#[template(path = "risk.html")]
struct Head<'a> {
    desk: &'a Desk,
    left_out: usize,
}

pub(super) fn head(desk: &Desk) -> String {
    let all = desk.gauges.as_ref().map_or(0, Vec::len);
    render(&Head { desk, left_out: all.saturating_sub(LISTED) })
}

#[derive(Template)]
#[template(path = "row_risk.html")]
struct GaugeRow<'a> {
    gauge: &'a Gauge,
    name: String,
    class: &'static str,
    word: &'static str,
    percent: String,
    /// Width of the bar, of a hundred.
    width: u64,
    used: String,
    limit: String,
}

fn row(gauge: &Gauge) -> Row {
    let (class, word) = match gauge.per_mille {
        None => ("none", "not known"),
        Some(used) if used >= 1_000 => ("crit", "at the limit"),
        Some(used) if used >= NEAR => ("warn", "near"),
        Some(_) => ("ok", ""),
    };
    let used = gauge.per_mille.unwrap_or(1_000);
    let template = GaugeRow {
        gauge,
        name: gauge.name.replace('_', " "),
        class,
        word,
        percent: gauge.per_mille.map_or_else(String::new, |used| format!("{}.{} %", used / 10, used % 10)),
        width: (used / 10).min(100),
        used: or_nothing(gauge.used.as_deref()),
        limit: gauge.limit.as_deref().map_or_else(|| "none set: denies".to_owned(), plain),
    };
    Row::new(format!("{} {}", gauge.name, gauge.scope), &template)
}

pub(super) fn rows(desk: &Desk) -> Vec<Row> {
    desk.gauges.iter().flatten().take(LISTED).map(row).collect()
}
