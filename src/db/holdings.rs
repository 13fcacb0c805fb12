//! The `positions` and `balances` tables: the latest of each.

use super::error::{DbError, sql};
use super::lines::{Binds, Line};
use super::read;
use super::schema::{balances, positions};
use crate::domain::journal::BalanceRow;
use crate::domain::ledger::Position;
use crate::domain::time::WallMs;
use diesel::prelude::*;

/// A position ready to be written.
pub(super) struct PositionLine<'a> {
    position: &'a Position,
    quantity: String,
    average_price: Option<String>,
    realised_pnl: String,
    fees: String,
    turnover: String,
}

impl<'a> PositionLine<'a> {
    pub(super) fn new(position: &'a Position) -> Self {
        Self {
            position,
            quantity: position.quantity.to_string(),
            average_price: position.average_price.map(|price| price.to_string()),
            realised_pnl: position.realised_pnl.to_string(),
            // A map of texts to texts always has a JSON form.
            fees: serde_json::to_string(&position.fees).unwrap_or_default(),
            turnover: position.turnover.to_string(),
        }
    }
}

impl Line for PositionLine<'_> {
    type Table = positions::table;
    const HEAD: &'static str = "INSERT INTO positions (venue,symbol,strategy,quantity,average_price,\
        realised_pnl,fees,turnover,updated_at) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (venue,symbol,strategy) DO UPDATE SET quantity=excluded.quantity,\
        average_price=excluded.average_price,realised_pnl=excluded.realised_pnl,fees=excluded.fees,\
        turnover=excluded.turnover,updated_at=excluded.updated_at";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        to.text(self.position.venue.as_str())?;
        to.text(self.position.symbol.as_str())?;
        to.text(self.position.strategy.as_str())?;
        to.text(&self.quantity)?;
        to.text_or_null(&self.average_price)?;
        to.text(&self.realised_pnl)?;
        to.text(&self.fees)?;
        to.text(&self.turnover)?;
        to.int(&self.position.updated_at.0)
    }
}

/// A balance ready to be written.
pub(super) struct BalanceLine<'a> {
    balance: &'a BalanceRow,
    free: String,
    locked: String,
    expected: Option<String>,
    compared_at: Option<i64>,
}

impl<'a> BalanceLine<'a> {
    pub(super) fn new(balance: &'a BalanceRow) -> Self {
        Self {
            balance,
            free: balance.free.to_string(),
            locked: balance.locked.to_string(),
            expected: balance.expected.map(|amount| amount.to_string()),
            compared_at: balance.compared_at.map(|at| at.0),
        }
    }
}

impl Line for BalanceLine<'_> {
    type Table = balances::table;
    const HEAD: &'static str = "INSERT INTO balances (venue,asset,free,locked,expected,compared_at) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (venue,asset) DO UPDATE SET free=excluded.free,\
        locked=excluded.locked,expected=excluded.expected,compared_at=excluded.compared_at";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        to.text(self.balance.venue.as_str())?;
        to.text(self.balance.asset.as_str())?;
        to.text(&self.free)?;
        to.text(&self.locked)?;
        to.text_or_null(&self.expected)?;
        to.int_or_null(&self.compared_at)
    }
}

#[derive(Queryable)]
struct StoredPosition {
    venue: String,
    symbol: String,
    strategy: String,
    quantity: String,
    average_price: Option<String>,
    realised_pnl: String,
    fees: String,
    turnover: String,
    updated_at: i64,
}

/// All positions, flat ones included.
pub(super) fn positions(connection: &mut SqliteConnection) -> Result<Vec<Position>, DbError> {
    let stored: Vec<StoredPosition> = positions::table
        .order((positions::venue, positions::symbol, positions::strategy))
        .load(connection)
        .map_err(sql("reading positions"))?;
    let position = |stored: StoredPosition| {
        let key = format!("{}/{}/{}", stored.venue, stored.symbol, stored.strategy);
        let at = read::Place { table: "positions", key };
        Ok(Position {
            venue: at.id(&stored.venue)?,
            symbol: at.id(&stored.symbol)?,
            strategy: at.id(&stored.strategy)?,
            quantity: at.amount(&stored.quantity)?,
            average_price: at.price_or_none(stored.average_price)?,
            realised_pnl: at.amount(&stored.realised_pnl)?,
            fees: at.checked(serde_json::from_str(&stored.fees))?,
            turnover: at.amount(&stored.turnover)?,
            updated_at: WallMs(stored.updated_at),
        })
    };
    stored.into_iter().map(position).collect()
}

#[derive(Queryable)]
struct StoredBalance {
    venue: String,
    asset: String,
    free: String,
    locked: String,
    expected: Option<String>,
    compared_at: Option<i64>,
}

/// All balances.
pub(super) fn balances(connection: &mut SqliteConnection) -> Result<Vec<BalanceRow>, DbError> {
    let stored: Vec<StoredBalance> = balances::table
        .order((balances::venue, balances::asset))
        .load(connection)
        .map_err(sql("reading balances"))?;
    let balance = |stored: StoredBalance| {
        let at = read::Place { table: "balances", key: format!("{}/{}", stored.venue, stored.asset) };
        Ok(BalanceRow {
            venue: at.id(&stored.venue)?,
            asset: at.id(&stored.asset)?,
            free: at.amount(&stored.free)?,
            locked: at.amount(&stored.locked)?,
            expected: at.amount_or_none(stored.expected)?,
            compared_at: stored.compared_at.map(WallMs),
        })
    };
    stored.into_iter().map(balance).collect()
}
