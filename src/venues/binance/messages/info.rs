//! Exchange information: instruments with their filters, and the published limits.
//!
//! Filters that we do not interpret are kept by name. A filter that we do interpret but cannot read is an
//! error: trading on a guessed tick size is worse than not trading.

use super::api::RateLimit;
use super::{DecodeError, read};
use crate::domain::ids::{Asset, Symbol};
use crate::domain::instrument::{Instrument, Step};
use crate::domain::money::Amount;
use crate::domain::order_types::OtherWord;
use crate::domain::time::WallMs;
use crate::venues::ExchangeInfo;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

#[derive(Deserialize)]
struct Info<'a> {
    #[serde(rename = "serverTime", default)]
    server_time: i64,
    #[serde(rename = "rateLimits", borrow, default)]
    rate_limits: Vec<RateLimit<'a>>,
    #[serde(borrow)]
    symbols: Vec<WireSymbol<'a>>,
}

#[derive(Deserialize)]
struct WireSymbol<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(rename = "baseAsset", borrow)]
    base: Cow<'a, str>,
    #[serde(rename = "quoteAsset", borrow)]
    quote: Cow<'a, str>,
    #[serde(borrow)]
    filters: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct FilterName<'a> {
    #[serde(rename = "filterType", borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct PriceFilter {
    #[serde(rename = "minPrice")]
    min: Amount,
    #[serde(rename = "maxPrice")]
    max: Amount,
    #[serde(rename = "tickSize")]
    step: Amount,
}

#[derive(Deserialize)]
struct LotFilter {
    #[serde(rename = "minQty")]
    min: Amount,
    #[serde(rename = "maxQty")]
    max: Amount,
    #[serde(rename = "stepSize")]
    step: Amount,
}

#[derive(Deserialize)]
struct MinNotional {
    #[serde(rename = "minNotional")]
    min: Amount,
    #[serde(rename = "applyToMarket", default)]
    market: bool,
}

#[derive(Deserialize)]
struct Notional {
    #[serde(rename = "minNotional")]
    min: Amount,
    #[serde(rename = "applyMinToMarket", default)]
    min_market: bool,
    #[serde(rename = "maxNotional")]
    max: Amount,
    #[serde(rename = "applyMaxToMarket", default)]
    max_market: bool,
}

#[derive(Deserialize)]
struct MaxOrders {
    #[serde(rename = "maxNumOrders")]
    max: u32,
}

fn step(min: Amount, max: Amount, step: Amount) -> Step {
    Step { min: min.get(), max: max.get(), step: step.get() }
}

fn symbol(wire: &WireSymbol<'_>) -> Result<Instrument, DecodeError> {
    let what = "exchangeInfo";
    let field = |field| move |e| DecodeError::field(what, field, &e);
    let mut out = Instrument {
        symbol: Symbol::new(&wire.symbol).map_err(field("symbol"))?,
        base: Asset::new(&wire.base).map_err(field("baseAsset"))?,
        quote: Asset::new(&wire.quote).map_err(field("quoteAsset"))?,
        trading: wire.status == "TRADING",
        price: Step::default(),
        lot: Step::default(),
        market_lot: None,
        min_notional: None,
        max_notional: None,
        max_open_orders: None,
        unknown_filters: Vec::new(),
    };
    for raw in wire.filters.iter().map(|raw| raw.get()) {
        let named: FilterName<'_> = read("filter", raw)?;
        match named.name.as_ref() {
            "PRICE_FILTER" => {
                let f: PriceFilter = read("PRICE_FILTER", raw)?;
                out.price = step(f.min, f.max, f.step);
            }
            "LOT_SIZE" => {
                let f: LotFilter = read("LOT_SIZE", raw)?;
                out.lot = step(f.min, f.max, f.step);
            }
            "MARKET_LOT_SIZE" => {
                let f: LotFilter = read("MARKET_LOT_SIZE", raw)?;
                out.market_lot = Some(step(f.min, f.max, f.step));
            }
            "MIN_NOTIONAL" => {
                let f: MinNotional = read("MIN_NOTIONAL", raw)?;
                out.min_notional = Some((f.min, f.market));
            }
            "NOTIONAL" => {
                let f: Notional = read("NOTIONAL", raw)?;
                out.min_notional = Some((f.min, f.min_market));
                out.max_notional = (f.max.get() > Decimal::ZERO).then_some((f.max, f.max_market));
            }
            "MAX_NUM_ORDERS" => {
                let f: MaxOrders = read("MAX_NUM_ORDERS", raw)?;
                out.max_open_orders = Some(f.max);
            }
            other => out.unknown_filters.push(OtherWord::new(other)),
        }
    }
    Ok(out)
}

/// Reads exchange information.
///
/// # Errors
/// [`DecodeError`] when an instrument or a filter that we interpret cannot be read.
pub fn decode_info(text: &str) -> Result<ExchangeInfo, DecodeError> {
    let info: Info<'_> = read("exchangeInfo", text)?;
    let limit = |pick: fn(&RateLimit<'_>) -> bool| info.rate_limits.iter().find(|l| pick(l)).map(|l| l.limit);
    Ok(ExchangeInfo {
        instruments: info.symbols.iter().map(symbol).collect::<Result<_, _>>()?,
        weight_per_minute: limit(|l| l.is_weight_per_minute()),
        orders_per_10s: limit(|l| l.is_orders_per_10s()),
        at: WallMs(info.server_time),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = r#"{"timezone":"UTC","serverTime":5,"rateLimits":[
        {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000},
        {"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100}],
        "symbols":[{"symbol":"ODDUSDT","status":"TRADING","baseAsset":"ODD","quoteAsset":"USDT","filters":[
        {"filterType":"PRICE_FILTER","minPrice":"0.05","maxPrice":"0","tickSize":"0.07"},
        {"filterType":"LOT_SIZE","minQty":"3","maxQty":"900","stepSize":"3"},
        {"filterType":"NOTIONAL","minNotional":"5","applyMinToMarket":true,"maxNotional":"9000000",
         "applyMaxToMarket":false,"avgPriceMins":5},
        {"filterType":"TOMORROWS_FILTER","x":1}]}]}"#;

    #[test]
    fn filters_are_read_and_unknown_ones_named() {
        let info = decode_info(INFO).unwrap();
        let odd = info.instruments.first().unwrap();
        assert_eq!(odd.price.step.to_string(), "0.07");
        assert_eq!(odd.unknown_filters, vec![OtherWord::new("TOMORROWS_FILTER")]);
        assert_eq!((info.weight_per_minute, info.orders_per_10s), (Some(6_000), Some(100)));
        assert!(odd.min_notional.unwrap().1);
    }

    #[test]
    fn a_broken_known_filter_is_an_error() {
        assert!(decode_info(&INFO.replace(r#""tickSize":"0.07""#, r#""tickSize":0.07"#)).is_err());
        assert!(decode_info(&INFO.replace(r#""stepSize":"3""#, r#""stepSise":"3""#)).is_err());
    }
}
