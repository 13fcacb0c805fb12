//! The `fills` table: each trade once per (venue, symbol, trade id).

use super::error::{DbError, sql};
use super::lines::{Binds, Line};
use super::schema::fills;
use super::{read, words};
use crate::domain::ids::{ClientOrderId, StrategyId, Symbol, TradeId, VenueId};
use crate::domain::ledger::BookedFill;
use crate::domain::money::Price;
use crate::domain::order_types::Fill;
use crate::domain::time::WallMs;
use diesel::dsl::{exists, select};
use diesel::prelude::*;

/// Which fills are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FillFilter {
    /// Only of this strategy.
    pub strategy: Option<StrategyId>,
    /// Only of this instrument.
    pub symbol: Option<Symbol>,
    /// Only of this order, by the caller's id.
    pub order: Option<ClientOrderId>,
}

/// A fill ready to be written.
pub(super) struct FillLine<'a> {
    booked: &'a BookedFill,
    named: Option<&'a str>,
    quantity: String,
    price: String,
    fee: String,
    fee_asset: Option<&'a str>,
    client_order_id: Option<&'a str>,
}

impl<'a> FillLine<'a> {
    pub(super) fn new(booked: &'a BookedFill) -> Self {
        let fill = &booked.fill;
        Self {
            booked,
            named: fill.client_order_id.as_ref().map(|id| id.as_str()),
            quantity: fill.quantity.to_string(),
            price: fill.price.to_string(),
            fee: fill.fee.to_string(),
            fee_asset: fill.fee_asset.as_ref().map(|asset| asset.as_str()),
            client_order_id: booked.client_order_id.as_ref().map(|id| id.as_str()),
        }
    }
}

impl Line for FillLine<'_> {
    type Table = fills::table;
    const HEAD: &'static str = "INSERT INTO fills (venue,symbol,trade_id,venue_order_id,named,side,\
        quantity,price,fee,fee_asset,liquidity,at_ms,client_order_id,strategy,correlation,booked_at,busted) \
        VALUES ";
    // A trade that is on record stays as it is, except for whose it is and whether it was taken back.
    const TAIL: &'static str = " ON CONFLICT (venue,symbol,trade_id) DO UPDATE SET \
        busted=excluded.busted,client_order_id=excluded.client_order_id,strategy=excluded.strategy \
        WHERE busted<>excluded.busted OR strategy<>excluded.strategy \
        OR client_order_id IS NOT excluded.client_order_id";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        let (booked, fill) = (self.booked, &self.booked.fill);
        to.text(booked.venue.as_str())?;
        to.text(fill.symbol.as_str())?;
        to.text(fill.trade_id.as_str())?;
        to.text(fill.venue_order_id.as_str())?;
        to.str_or_null(&self.named)?;
        to.text(words::side(fill.side))?;
        to.text(&self.quantity)?;
        to.text(&self.price)?;
        to.text(&self.fee)?;
        to.str_or_null(&self.fee_asset)?;
        to.text(words::liquidity(fill.liquidity))?;
        to.int(&fill.at.0)?;
        to.str_or_null(&self.client_order_id)?;
        to.text(booked.strategy.as_str())?;
        to.text(booked.correlation.as_str())?;
        to.int(&booked.booked_at.0)?;
        to.flag(&booked.busted)
    }
}

/// A fill as stored.
#[derive(Queryable)]
struct StoredFill {
    id: i64,
    venue: String,
    symbol: String,
    trade_id: String,
    venue_order_id: String,
    named: Option<String>,
    side: String,
    quantity: String,
    price: String,
    fee: String,
    fee_asset: Option<String>,
    liquidity: String,
    at_ms: i64,
    client_order_id: Option<String>,
    strategy: String,
    correlation: String,
    booked_at: i64,
    busted: bool,
}

/// A fill with its place in the order of booking, the cursor for the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedFill {
    /// Rises with each booking, from 1.
    pub number: u64,
    /// The fill.
    pub fill: BookedFill,
}

fn fill(stored: StoredFill) -> Result<NumberedFill, DbError> {
    let at = read::Place { table: "fills", key: stored.id.to_string() };
    let named = stored.named.map(|id| at.checked(ClientOrderId::from_venue(&id))).transpose()?;
    let order = stored.client_order_id.map(|id| at.checked(ClientOrderId::from_venue(&id))).transpose()?;
    let fill = Fill {
        trade_id: at.id(&stored.trade_id)?,
        symbol: at.id(&stored.symbol)?,
        venue_order_id: at.id(&stored.venue_order_id)?,
        client_order_id: named,
        side: at.word(&stored.side, words::side_of)?,
        quantity: at.quantity(&stored.quantity)?,
        price: at.checked(Price::parse(&stored.price))?,
        fee: at.amount(&stored.fee)?,
        fee_asset: at.id_or_none(stored.fee_asset)?,
        liquidity: at.word(&stored.liquidity, words::liquidity_of)?,
        at: WallMs(stored.at_ms),
    };
    let booked = BookedFill {
        venue: at.id(&stored.venue)?,
        fill,
        client_order_id: order,
        strategy: at.id(&stored.strategy)?,
        correlation: at.id(&stored.correlation)?,
        booked_at: WallMs(stored.booked_at),
        busted: stored.busted,
    };
    Ok(NumberedFill { number: at.number(stored.id)?, fill: booked })
}

/// Fills after a number, in the order of booking.
pub(super) fn page(
    connection: &mut SqliteConnection,
    filter: &FillFilter,
    after: Option<u64>,
    limit: i64,
) -> Result<Vec<NumberedFill>, DbError> {
    let mut query = fills::table.order(fills::id).limit(limit).into_boxed();
    if let Some(after) = after {
        query = query.filter(fills::id.gt(i64::try_from(after).unwrap_or(i64::MAX)));
    }
    if let Some(strategy) = &filter.strategy {
        query = query.filter(fills::strategy.eq(strategy.as_str().to_owned()));
    }
    if let Some(symbol) = &filter.symbol {
        query = query.filter(fills::symbol.eq(symbol.as_str().to_owned()));
    }
    if let Some(order) = &filter.order {
        query = query.filter(fills::client_order_id.eq(order.as_str().to_owned()));
    }
    let stored: Vec<StoredFill> = query.load(connection).map_err(sql("reading fills"))?;
    stored.into_iter().map(fill).collect()
}

/// The youngest fills, youngest first.
pub(super) fn latest(connection: &mut SqliteConnection, limit: i64) -> Result<Vec<NumberedFill>, DbError> {
    let query = fills::table.order(fills::id.desc()).limit(limit);
    let stored: Vec<StoredFill> = query.load(connection).map_err(sql("reading fills"))?;
    stored.into_iter().map(fill).collect()
}

/// Is this trade on record? A trade that was taken back is.
pub(super) fn is_booked(
    connection: &mut SqliteConnection,
    venue: &VenueId,
    symbol: &Symbol,
    trade: &TradeId,
) -> Result<bool, DbError> {
    let one = fills::table
        .filter(fills::venue.eq(venue.as_str()))
        .filter(fills::symbol.eq(symbol.as_str()))
        .filter(fills::trade_id.eq(trade.as_str()));
    select(exists(one)).get_result(connection).map_err(sql("looking for a fill"))
}

/// How many fills there are.
pub(super) fn count(connection: &mut SqliteConnection) -> Result<u64, DbError> {
    let all: i64 = fills::table.count().get_result(connection).map_err(sql("counting fills"))?;
    Ok(u64::try_from(all).unwrap_or(0))
}
