//! Requests that ask for orders and fills. A fault may hide orders: then they do not exist, for a while.

use super::gate::Call;
use super::market::{listed, refused, symbol};
use super::orders::order_ref;
use crate::paper_exchange::engine::{FillQuery, OrderId, Refusal, TradeId};
use crate::paper_exchange::errors::ApiError;
use crate::paper_exchange::params::Params;
use crate::paper_exchange::render;

const MAX_ROWS: usize = 1_000;
/// The widest time range of one query, in milliseconds (a day).
const MAX_RANGE_MS: i64 = 86_400_000;

fn list(rows: impl Iterator<Item = String>) -> String {
    let rows: Vec<String> = rows.collect();
    format!("[{}]", rows.join(","))
}

fn range(call: &Call<'_>) -> Result<(Option<i64>, Option<i64>), ApiError> {
    let (start, end) = (call.params.integer("startTime")?, call.params.integer("endTime")?);
    if let (Some(start), Some(end)) = (start, end)
        && end.saturating_sub(start) > MAX_RANGE_MS
    {
        return Err(ApiError::new(-1127, "More than 24 hours between startTime and endTime."));
    }
    Ok((start, end))
}

pub(super) fn order(call: &mut Call<'_>) -> Result<String, ApiError> {
    let (account, symbol) = (call.account()?, symbol(call)?);
    let wanted = order_ref(call.params, "orderId", "origClientOrderId")?;
    if call.orders_hidden {
        return Err(refused(Refusal::NoSuchOrder));
    }
    call.floor.exchange.order(account, symbol, wanted).map(render::orders::order).map_err(refused)
}

pub(super) fn open_orders_weight(params: &Params<'_>) -> u32 {
    if params.text("symbol").ok().flatten().is_some() { 6 } else { 80 }
}

pub(super) fn open_orders(call: &mut Call<'_>) -> Result<String, ApiError> {
    let account = call.account()?;
    let symbol = call.params.text("symbol")?.map(|name| listed(call, name)).transpose()?;
    if call.orders_hidden {
        return Ok("[]".to_owned());
    }
    Ok(list(call.floor.exchange.open_orders(account, symbol).map(render::orders::order)))
}

pub(super) fn all_orders(call: &mut Call<'_>) -> Result<String, ApiError> {
    let (account, symbol) = (call.account()?, symbol(call)?);
    let limit = call.params.limit(500, MAX_ROWS)?;
    let from = call.params.unsigned("orderId")?.map(OrderId);
    let (start, end) = range(call)?;
    if call.orders_hidden {
        return Ok("[]".to_owned());
    }
    let timed = start.is_some() || end.is_some();
    let rows = if timed { usize::MAX } else { limit };
    let orders = call.floor.exchange.all_orders(account, symbol, from, rows).map_err(refused)?;
    let within = orders.into_iter().filter(|order| {
        start.is_none_or(|start| order.accepted_ms >= start) && end.is_none_or(|end| order.accepted_ms <= end)
    });
    Ok(list(within.take(limit).map(render::orders::order)))
}

pub(super) fn my_trades_weight(params: &Params<'_>) -> u32 {
    if params.text("orderId").ok().flatten().is_some() { 5 } else { 20 }
}

pub(super) fn my_trades(call: &mut Call<'_>) -> Result<String, ApiError> {
    let (account, symbol) = (call.account()?, symbol(call)?);
    let limit = call.params.limit(500, MAX_ROWS)?;
    let (start_ms, end_ms) = range(call)?;
    let query = FillQuery {
        order: call.params.unsigned("orderId")?.map(OrderId),
        from: call.params.unsigned("fromId")?.map(TradeId),
        start_ms,
        end_ms,
    };
    if call.orders_hidden {
        return Ok("[]".to_owned());
    }
    let fills = call.floor.exchange.fills_of(account, symbol, query, limit).map_err(refused)?;
    Ok(render::account::my_trades(fills.into_iter()))
}
