//! The `orders` table: the latest state of every order.

use super::error::{DbError, sql};
use super::lines::{Binds, Line};
use super::schema::orders;
use super::{read, words};
use crate::domain::ids::{ClientOrderId, StrategyId, Symbol};
use crate::domain::order::{Order, OrderNumber};
use crate::domain::time::WallMs;
use diesel::dsl::sql as literal;
use diesel::prelude::*;
use diesel::sql_types::Bool;

/// Which orders are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only those that may still execute.
    pub open_only: bool,
    /// Only of this strategy.
    pub strategy: Option<StrategyId>,
    /// Only of this instrument.
    pub symbol: Option<Symbol>,
}

/// An order ready to be written.
pub(super) struct OrderLine<'a> {
    order: &'a Order,
    number: i64,
    venue_order_id: Option<&'a str>,
    quantity: String,
    price: Option<String>,
    time_in_force: Option<String>,
    stop_loss: Option<String>,
    is_final: bool,
    executed: String,
    booked: String,
    booked_quote: String,
    attempts: i64,
    replaces: Option<&'a str>,
    fills_after: Option<&'a str>,
    decision_price: Option<String>,
}

impl<'a> OrderLine<'a> {
    pub(super) fn new(order: &'a Order) -> Self {
        Self {
            order,
            number: key(order.number),
            venue_order_id: order.venue_order_id.as_ref().map(|id| id.as_str()),
            quantity: order.quantity.to_string(),
            price: order.price.map(|price| price.to_string()),
            time_in_force: order.time_in_force.as_ref().map(words::time_in_force),
            stop_loss: order.stop_loss.map(|price| price.to_string()),
            is_final: order.state.is_final(),
            executed: order.executed.to_string(),
            booked: order.booked.to_string(),
            booked_quote: order.booked_quote.to_string(),
            attempts: i64::from(order.attempts),
            replaces: order.replaces.as_ref().map(|id| id.as_str()),
            fills_after: order.fills_after.as_ref().map(|id| id.as_str()),
            decision_price: order.decision_price.map(|price| price.to_string()),
        }
    }
}

fn key(number: OrderNumber) -> i64 {
    i64::try_from(number.0).unwrap_or(i64::MAX)
}

impl Line for OrderLine<'_> {
    type Table = orders::table;
    const HEAD: &'static str = "INSERT INTO orders (number,client_order_id,venue_client_order_id,\
        venue_order_id,venue,symbol,side,kind,quantity,price,time_in_force,stop_loss,reduce_only,strategy,\
        correlation,origin,state,is_final,executed,booked,booked_quote,reason,attempts,cancel_requested,\
        replaces,fills_after,created_at,updated_at,decision_price) VALUES ";
    // Only what can change: an index whose columns are not named here costs nothing on an update.
    const TAIL: &'static str = " ON CONFLICT (number) DO UPDATE SET venue_order_id=excluded.venue_order_id,\
        quantity=excluded.quantity,price=excluded.price,state=excluded.state,is_final=excluded.is_final,\
        executed=excluded.executed,booked=excluded.booked,booked_quote=excluded.booked_quote,\
        reason=excluded.reason,attempts=excluded.attempts,cancel_requested=excluded.cancel_requested,\
        fills_after=excluded.fills_after,updated_at=excluded.updated_at";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        let order = self.order;
        to.int(&self.number)?;
        to.text(order.client_order_id.as_str())?;
        to.text(order.venue_client_order_id.as_str())?;
        to.str_or_null(&self.venue_order_id)?;
        to.text(order.venue.as_str())?;
        to.text(order.symbol.as_str())?;
        to.text(words::side(order.side))?;
        to.text(words::kind(order.kind))?;
        to.text(&self.quantity)?;
        to.text_or_null(&self.price)?;
        to.text_or_null(&self.time_in_force)?;
        to.text_or_null(&self.stop_loss)?;
        to.flag(&order.reduce_only)?;
        to.text(order.strategy.as_str())?;
        to.text(order.correlation.as_str())?;
        to.text(words::origin(order.origin))?;
        to.text(order.state.word())?;
        to.flag(&self.is_final)?;
        to.text(&self.executed)?;
        to.text(&self.booked)?;
        to.text(&self.booked_quote)?;
        to.text_or_null(&order.reason)?;
        to.int(&self.attempts)?;
        to.flag(&order.cancel_requested)?;
        to.str_or_null(&self.replaces)?;
        to.str_or_null(&self.fills_after)?;
        to.int(&order.created_at.0)?;
        to.int(&order.updated_at.0)?;
        to.text_or_null(&self.decision_price)
    }
}

/// An order as stored.
#[derive(Queryable)]
struct StoredOrder {
    number: i64,
    client_order_id: String,
    venue_client_order_id: String,
    venue_order_id: Option<String>,
    venue: String,
    symbol: String,
    side: String,
    kind: String,
    quantity: String,
    price: Option<String>,
    time_in_force: Option<String>,
    stop_loss: Option<String>,
    reduce_only: bool,
    strategy: String,
    correlation: String,
    origin: String,
    state: String,
    _is_final: bool,
    executed: String,
    booked: String,
    booked_quote: String,
    reason: Option<String>,
    attempts: i64,
    cancel_requested: bool,
    replaces: Option<String>,
    fills_after: Option<String>,
    created_at: i64,
    updated_at: i64,
    decision_price: Option<String>,
}

fn order(stored: StoredOrder) -> Result<Order, DbError> {
    let at = read::Place { table: "orders", key: stored.number.to_string() };
    Ok(Order {
        number: OrderNumber(at.number(stored.number)?),
        // Adopted orders may carry ids of other programs, which use more characters than ours.
        client_order_id: at.checked(ClientOrderId::from_venue(&stored.client_order_id))?,
        venue_client_order_id: at.checked(ClientOrderId::from_venue(&stored.venue_client_order_id))?,
        venue_order_id: at.id_or_none(stored.venue_order_id)?,
        venue: at.id(&stored.venue)?,
        symbol: at.id(&stored.symbol)?,
        side: at.word(&stored.side, words::side_of)?,
        kind: at.word(&stored.kind, words::kind_of)?,
        quantity: at.quantity(&stored.quantity)?,
        price: at.price_or_none(stored.price)?,
        time_in_force: stored
            .time_in_force
            .map(|word| at.word(&word, words::time_in_force_of))
            .transpose()?,
        stop_loss: at.price_or_none(stored.stop_loss)?,
        reduce_only: stored.reduce_only,
        strategy: at.id(&stored.strategy)?,
        correlation: at.id(&stored.correlation)?,
        origin: at.word(&stored.origin, words::origin_of)?,
        state: at.word(&stored.state, words::state_of)?,
        executed: at.quantity(&stored.executed)?,
        booked: at.quantity(&stored.booked)?,
        booked_quote: at.amount(&stored.booked_quote)?,
        reason: stored.reason,
        attempts: at.checked(u32::try_from(stored.attempts))?,
        cancel_requested: stored.cancel_requested,
        replaces: stored.replaces.map(|id| at.checked(ClientOrderId::from_venue(&id))).transpose()?,
        decision_price: at.price_or_none(stored.decision_price)?,
        fills_after: at.id_or_none(stored.fills_after)?,
        created_at: WallMs(stored.created_at),
        updated_at: WallMs(stored.updated_at),
    })
}

/// Orders after a number, ascending.
pub(super) fn page(
    connection: &mut SqliteConnection,
    filter: &OrderFilter,
    after: Option<OrderNumber>,
    limit: i64,
) -> Result<Vec<Order>, DbError> {
    let mut query = orders::table.order(orders::number).limit(limit).into_boxed();
    if let Some(after) = after {
        query = query.filter(orders::number.gt(key(after)));
    }
    if filter.open_only {
        // Spelt as in the partial index, which a bound value would not match.
        query = query.filter(literal::<Bool>("is_final = 0"));
    }
    if let Some(strategy) = &filter.strategy {
        query = query.filter(orders::strategy.eq(strategy.as_str().to_owned()));
    }
    if let Some(symbol) = &filter.symbol {
        query = query.filter(orders::symbol.eq(symbol.as_str().to_owned()));
    }
    let stored: Vec<StoredOrder> = query.load(connection).map_err(sql("reading orders"))?;
    stored.into_iter().map(order).collect()
}

/// The order of that id: ours if there is one, else the youngest that was adopted.
pub(super) fn find(connection: &mut SqliteConnection, id: &ClientOrderId) -> Result<Option<Order>, DbError> {
    for origin in ["origin = 'intent'", "origin = 'adopted'"] {
        let found: Option<StoredOrder> = orders::table
            .filter(orders::client_order_id.eq(id.as_str()))
            .filter(literal::<Bool>(origin))
            .order(orders::number.desc())
            .first(connection)
            .optional()
            .map_err(sql("reading an order"))?;
        if let Some(found) = found {
            return order(found).map(Some);
        }
    }
    Ok(None)
}

/// How many orders there are, and how many of them may still execute.
pub(super) fn counts(connection: &mut SqliteConnection) -> Result<(u64, u64), DbError> {
    let all: i64 = orders::table.count().get_result(connection).map_err(sql("counting orders"))?;
    let open: i64 = orders::table
        .filter(literal::<Bool>("is_final = 0"))
        .count()
        .get_result(connection)
        .map_err(sql("counting orders"))?;
    Ok((u64::try_from(all).unwrap_or(0), u64::try_from(open).unwrap_or(0)))
}
