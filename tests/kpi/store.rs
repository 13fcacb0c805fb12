//! Observations in the database: together with the fold, thinned with age, and a row of the journal each day.

use plimsoll::db::{Options, PerformanceWrite, PointRow, Readers, Writer};
use plimsoll::domain::ids::{Correlation, StrategyId};
use plimsoll::domain::journal::{NewRow, Seq};
use plimsoll::domain::kpi::{DAY, OrderCounts, Scope, Totals, Tracker};
use plimsoll::domain::oms::Fact;
use plimsoll::domain::time::WallMs;

const MINUTE: i64 = 60_000;

fn totals(fills: u64) -> Totals {
    Totals { orders: OrderCounts { fills, ..OrderCounts::default() }, ..Totals::default() }
}

fn write(scope: &Scope, at: i64, fills: u64) -> PerformanceWrite {
    PerformanceWrite {
        points: vec![PointRow::new(scope, WallMs(at), &totals(fills)).unwrap()],
        seq: 1,
        state: serde_json::to_string(&Tracker::default()).unwrap(),
        ..PerformanceWrite::default()
    }
}

fn moments(readers: &Readers, scope: &Scope, from: i64, clock: i64) -> Vec<(i64, u64)> {
    let points = readers.equity_points(scope, WallMs(from), clock).unwrap();
    points.into_iter().map(|point| (point.at.0, point.totals.orders.fills)).collect()
}

#[test]
fn what_was_observed_is_read_back_on_a_clock() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(dir.path(), Options::default()).unwrap();
    let readers = Readers::open(dir.path()).unwrap();
    assert_eq!(readers.performance_state().unwrap(), None);
    let own = Scope { strategy: Some(StrategyId::new("quoter").unwrap()), venue: None };
    for (minute, fills) in [(7, 1), (15, 2), (16, 3), (30, 4), (31, 5)] {
        writer.append_performance(&write(&own, minute * MINUTE, fills)).unwrap();
    }
    // The same moment again changes nothing.
    writer.append_performance(&write(&own, 31 * MINUTE, 99)).unwrap();
    let on_quarters = moments(&readers, &own, 0, 15 * MINUTE);
    let wanted = [(7, 1), (15, 2), (30, 4), (31, 5)].map(|(minute, fills)| (minute * MINUTE, fills));
    assert_eq!(on_quarters, wanted, "the first and the last, and what lies on the clock");
    assert_eq!(moments(&readers, &own, 16 * MINUTE, 15 * MINUTE).len(), 3);
    assert_eq!(readers.observed_since(&own).unwrap(), Some(WallMs(7 * MINUTE)));
    assert_eq!(readers.observed_since(&Scope::default()).unwrap(), None);
    assert_eq!(readers.performance_state().unwrap(), Some(Tracker::default()));
}

#[test]
fn old_observations_are_thinned_and_then_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(dir.path(), Options::default()).unwrap();
    let readers = Readers::open(dir.path()).unwrap();
    let (all, now) = (Scope::default(), 20_000 * DAY);
    // A young moment, and per rule one that stays and one that goes.
    let kept = [now - MINUTE, now - 3 * DAY, now - 61 * DAY, now - 401 * DAY];
    let gone = [
        now - 3 * DAY + MINUTE,
        now - 61 * DAY + 15 * MINUTE,
        now - 401 * DAY + 60 * MINUTE,
        now - 4_000 * DAY,
    ];
    for at in kept.iter().chain(&gone) {
        writer.append_performance(&write(&all, *at, 1)).unwrap();
    }
    let mut last = write(&all, now, 2);
    last.thin = Some(WallMs(now));
    writer.append_performance(&last).unwrap();
    let mut wanted: Vec<i64> = kept.into_iter().chain([now]).collect();
    wanted.sort_unstable();
    let found: Vec<i64> = moments(&readers, &all, 0, 1).into_iter().map(|(at, _)| at).collect();
    assert_eq!(found, wanted);
}

#[test]
fn the_days_row_is_part_of_the_chain_and_no_fact_of_the_orders() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(dir.path(), Options::default()).unwrap();
    let before = writer.head().seq;
    let mut day = write(&Scope::default(), DAY, 1);
    day.daily = Some(NewRow {
        kind: "performance",
        correlation: Correlation::new("performance").unwrap(),
        at: WallMs(DAY),
        payload: r#"{"scopes":[]}"#.to_owned(),
    });
    writer.append_performance(&day).unwrap();
    assert_eq!(writer.head().seq, Seq(before.0 + 1));
    writer.verify_from_last().unwrap();
    let rows = writer.rows_after(before, 10).unwrap();
    assert_eq!((rows.len(), rows[0].kind.as_str()), (1, "performance"));
    assert_eq!(Fact::from_row(&rows[0].kind, &rows[0].payload), Ok(None), "a replay passes over it");
    let mut tracker = Tracker::default();
    assert!(
        (!tracker.turns_to(1) && !tracker.turns_to(1)) && tracker.turns_to(2),
        "once a day, not on the first"
    );
}
