//! What a transaction writes beside the journal's rows: the latest state of everything that its batches changed.

use super::fills::FillLine;
use super::holdings::{BalanceLine, PositionLine};
use super::orders::OrderLine;
use super::{alerts, containment, controls, lines};
use crate::domain::control::ControlRow;
use crate::domain::journal::{AlertLines, Batch, IntentLine};
use diesel::{QueryResult, SqliteConnection};
use std::borrow::Borrow;
use std::collections::HashMap;

/// The projections of several batches, each key once, the latest kept.
#[derive(Default)]
pub(super) struct Projections<'a> {
    orders: Vec<OrderLine<'a>>,
    fills: Vec<FillLine<'a>>,
    positions: Vec<PositionLine<'a>>,
    balances: Vec<BalanceLine<'a>>,
    controls: Vec<&'a [ControlRow]>,
    alerts: Vec<&'a AlertLines>,
    intents: Vec<&'a IntentLine>,
}

impl<'a> Projections<'a> {
    pub(super) fn merge<B: Borrow<Batch>>(batches: &'a [B]) -> Self {
        let all = || batches.iter().map(Borrow::borrow);
        let orders = latest(all().flat_map(|b: &Batch| &b.orders), |o| o.number);
        let fills = latest(all().flat_map(|b: &Batch| &b.fills), |f| {
            (f.venue.as_str(), f.fill.symbol.as_str(), f.fill.trade_id.as_str())
        });
        let positions = latest(all().flat_map(|b: &Batch| &b.positions), |p| {
            (p.venue.as_str(), p.symbol.as_str(), p.strategy.as_str())
        });
        let balances =
            latest(all().flat_map(|b: &Batch| &b.balances), |b| (b.venue.as_str(), b.asset.as_str()));
        Self {
            orders: orders.into_iter().map(OrderLine::new).collect(),
            fills: fills.into_iter().map(FillLine::new).collect(),
            positions: positions.into_iter().map(PositionLine::new).collect(),
            balances: balances.into_iter().map(BalanceLine::new).collect(),
            controls: all().map(|batch| batch.controls.as_slice()).filter(|rows| !rows.is_empty()).collect(),
            alerts: all().filter_map(|batch| batch.alerts.as_deref()).collect(),
            intents: latest(all().flat_map(|b: &Batch| &b.intents), |intent| intent.number),
        }
    }

    /// Writes all of them; answers how many fills were on record already.
    pub(super) fn write(&self, connection: &mut SqliteConnection) -> QueryResult<usize> {
        lines::insert(connection, &self.orders)?;
        let changed = lines::insert(connection, &self.fills)?;
        lines::insert(connection, &self.positions)?;
        lines::insert(connection, &self.balances)?;
        for rows in &self.controls {
            controls::insert(connection, rows)?;
        }
        for changed in &self.alerts {
            alerts::write(connection, changed)?;
        }
        containment::write(connection, &self.intents)?;
        Ok(self.fills.len().saturating_sub(changed))
    }
}

/// Each key's last value, in the order of the keys' first appearance.
fn latest<'a, T, K: std::hash::Hash + Eq>(
    values: impl Iterator<Item = &'a T>,
    key: impl Fn(&'a T) -> K,
) -> Vec<&'a T> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut kept: Vec<&'a T> = Vec::new();
    for value in values {
        let place = *places.entry(key(value)).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(slot) => *slot = value,
            None => kept.push(value),
        }
    }
    kept
}
