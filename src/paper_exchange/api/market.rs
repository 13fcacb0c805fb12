//! Public requests: time, rules, book, trades, klines, prices.

use super::gate::Call;
use crate::paper_exchange::engine::{BestView, Price, PublicTrade, Qty, Refusal, Symbol};
use crate::paper_exchange::errors::ApiError;
use crate::paper_exchange::floor::candles::{Candle, Interval};
use crate::paper_exchange::params::Params;
use crate::paper_exchange::render::{self, json};
use serde_json::{Value, json as value};

/// The deepest book page.
const MAX_DEPTH: usize = 5_000;
const MAX_TRADES: usize = 1_000;
/// The window of `avgPrice`, in minutes.
const AVERAGE_MINUTES: u8 = 5;

/// The symbol of a request.
pub(super) fn symbol(call: &Call<'_>) -> Result<Symbol, ApiError> {
    listed(call, call.params.required("symbol")?)
}

/// A symbol that is listed here.
pub(super) fn listed(call: &Call<'_>, name: &str) -> Result<Symbol, ApiError> {
    let symbol =
        Symbol::new(name).map_err(|_| ApiError::illegal_characters("symbol", "^[A-Z0-9-_.]{1,20}$"))?;
    call.floor.exchange.symbol(symbol).map(|spec| spec.symbol).ok_or_else(ApiError::invalid_symbol)
}

/// An engine's refusal as it goes over the wire.
pub(super) fn refused(refusal: Refusal) -> ApiError {
    let error = ApiError::new(refusal.code(), refusal.message());
    match refusal {
        Refusal::TruthFull => error.with_status(503),
        Refusal::UnknownAccount => error.with_status(401),
        _ => error,
    }
}

pub(super) fn ping(_call: &mut Call<'_>) -> Result<String, ApiError> {
    Ok("{}".to_owned())
}

pub(super) fn time(call: &mut Call<'_>) -> Result<String, ApiError> {
    Ok(format!(r#"{{"serverTime":{}}}"#, call.client_ms))
}

pub(super) fn exchange_info(call: &mut Call<'_>) -> Result<String, ApiError> {
    let wanted = match call.params.symbols()? {
        Some(names) => Some(names.iter().map(|name| listed(call, name)).collect::<Result<Vec<_>, _>>()?),
        None => None,
    };
    let specs = call
        .floor
        .exchange
        .symbols()
        .filter(|spec| wanted.as_ref().is_none_or(|wanted| wanted.contains(&spec.symbol)));
    Ok(render::info::exchange(call.client_ms, call.floor.limits.settings(), specs))
}

pub(super) fn depth_weight(params: &Params<'_>) -> u32 {
    match params.limit(100, MAX_DEPTH).unwrap_or(100) {
        0..=100 => 5,
        101..=500 => 25,
        501..=1_000 => 50,
        _ => 250,
    }
}

pub(super) fn depth(call: &mut Call<'_>) -> Result<String, ApiError> {
    let limit = call.params.limit(100, MAX_DEPTH)?;
    let book = call.floor.exchange.book(symbol(call)?, limit).map_err(refused)?;
    Ok(render::market::book(book.last_update_id, &book.bids, &book.asks))
}

fn tape(call: &Call<'_>, limit: usize) -> Result<Vec<PublicTrade>, ApiError> {
    call.floor.exchange.recent_trades(symbol(call)?, limit).map_err(refused)
}

pub(super) fn trades(call: &mut Call<'_>) -> Result<String, ApiError> {
    let limit = call.params.limit(500, MAX_TRADES)?;
    Ok(render::market::trades(tape(call, limit)?.iter()))
}

pub(super) fn agg_trades(call: &mut Call<'_>) -> Result<String, ApiError> {
    let limit = call.params.limit(500, MAX_TRADES)?;
    let from = call.params.unsigned("fromId")?;
    let start_ms = call.params.integer("startTime")?;
    let end_ms = call.params.integer("endTime")?;
    let all = tape(call, MAX_TRADES)?;
    let wanted = |trade: &&PublicTrade| {
        from.is_none_or(|from| trade.trade_id.0 >= from)
            && start_ms.is_none_or(|start| trade.at_ms >= start)
            && end_ms.is_none_or(|end| trade.at_ms <= end)
    };
    let matching: Vec<&PublicTrade> = all.iter().filter(wanted).collect();
    // With a beginning the page starts there; without one it holds the newest.
    let from_start = from.is_some() || start_ms.is_some();
    let skip = if from_start { 0 } else { matching.len().saturating_sub(limit) };
    Ok(render::market::agg_trades(matching.into_iter().skip(skip).take(limit)))
}

pub(super) fn klines(call: &mut Call<'_>) -> Result<String, ApiError> {
    let symbol = symbol(call)?;
    let interval = Interval::from_word(call.params.required("interval")?)
        .ok_or_else(|| ApiError::new(-1120, "Invalid interval."))?;
    let limit = call.params.limit(500, 1_000)?;
    let start_ms = call.params.integer("startTime")?;
    let end_ms = call.params.integer("endTime")?;
    let Some(board) = call.floor.boards.get(&symbol) else { return Err(ApiError::invalid_symbol()) };
    let wanted = |candle: &&Candle| {
        start_ms.is_none_or(|start| candle.open_ms >= start) && end_ms.is_none_or(|end| candle.open_ms <= end)
    };
    let matching: Vec<&Candle> = board.candles.series(interval).filter(wanted).collect();
    let skip = if start_ms.is_some() { 0 } else { matching.len().saturating_sub(limit) };
    Ok(render::market::klines(interval, matching.into_iter().skip(skip).take(limit)))
}

pub(super) fn average_price(call: &mut Call<'_>) -> Result<String, ApiError> {
    let symbol = symbol(call)?;
    let price = call.floor.exchange.average_price(call.now_ms, symbol, AVERAGE_MINUTES).map_err(refused)?;
    Ok(json(&value!({
        "mins": AVERAGE_MINUTES, "price": price.unwrap_or_default(), "closeTime": call.client_ms,
    })))
}

pub(super) fn ticker_weight(params: &Params<'_>) -> u32 {
    match params.symbols() {
        Ok(Some(names)) if names.len() == 1 => 2,
        _ => 4,
    }
}

/// One object for `symbol`, a list for `symbols` or for none.
pub(super) fn per_symbol(
    call: &Call<'_>,
    row: impl Fn(&Call<'_>, Symbol) -> Result<Value, ApiError>,
) -> Result<String, ApiError> {
    if call.params.text("symbol")?.is_some() && call.params.text("symbols")?.is_none() {
        return row(call, symbol(call)?).map(|row| json(&row));
    }
    let symbols = match call.params.symbols()? {
        Some(names) => names.iter().map(|name| listed(call, name)).collect::<Result<Vec<_>, _>>()?,
        None => call.floor.exchange.symbols().map(|spec| spec.symbol).collect(),
    };
    let rows = symbols.into_iter().map(|symbol| row(call, symbol)).collect::<Result<Vec<_>, _>>()?;
    Ok(json(&rows))
}

pub(super) fn ticker_price(call: &mut Call<'_>) -> Result<String, ApiError> {
    per_symbol(call, |call, symbol| {
        let best = call.floor.exchange.best(symbol).map_err(refused)?;
        let last = call.floor.exchange.last_price(symbol).map_err(refused)?;
        // Before the first trade the book is all there is to go by.
        let price = last.or(best.bid.map(|(price, _)| price)).unwrap_or_default();
        Ok(value!({"symbol": symbol, "price": price}))
    })
}

pub(super) fn ticker_book(call: &mut Call<'_>) -> Result<String, ApiError> {
    per_symbol(call, |call, symbol| {
        let BestView { bid, ask, .. } = call.floor.exchange.best(symbol).map_err(refused)?;
        let (bid, ask) = (bid.unwrap_or((Price::ZERO, Qty::ZERO)), ask.unwrap_or((Price::ZERO, Qty::ZERO)));
        Ok(value!({
            "symbol": symbol, "bidPrice": bid.0, "bidQty": bid.1, "askPrice": ask.0, "askQty": ask.1,
        }))
    })
}
