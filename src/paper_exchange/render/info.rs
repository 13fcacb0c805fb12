//! `exchangeInfo`: what may be traded, within which filters and limits.

use super::json;
use crate::paper_exchange::engine::{LotSize, OrderType, StpMode, SymbolSpec};
use crate::paper_exchange::limits::{LimitSettings, OrderCounts};
use serde_json::{Value, json as value};

/// Raw requests per five minutes that the venue announces; this exchange counts weight only.
const RAW_REQUESTS: u32 = 300_000;

/// REST `exchangeInfo`.
#[must_use]
pub fn exchange<'a>(
    now_ms: i64,
    limits: LimitSettings,
    symbols: impl Iterator<Item = &'a SymbolSpec>,
) -> String {
    let symbols: Vec<Value> = symbols.map(symbol).collect();
    json(&value!({
        "timezone": "UTC", "serverTime": now_ms,
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": limits.weight_per_minute},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": limits.orders_per_ten_seconds},
            {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": limits.orders_per_day},
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": RAW_REQUESTS},
        ],
        "exchangeFilters": [], "symbols": symbols,
    }))
}

/// `rateLimit/order`: the order counts of an account.
#[must_use]
pub fn order_limits(limits: LimitSettings, counts: OrderCounts) -> String {
    json(&value!([
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": limits.orders_per_ten_seconds, "count": counts.ten_seconds},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": limits.orders_per_day, "count": counts.day},
    ]))
}

fn symbol(spec: &SymbolSpec) -> Value {
    let types: Vec<&str> = OrderType::ALL.iter().map(|kind| kind.as_str()).collect();
    let modes: Vec<&str> = StpMode::ALL.iter().map(|mode| mode.as_str()).collect();
    value!({
        "symbol": spec.symbol, "status": spec.status,
        "baseAsset": spec.base, "baseAssetPrecision": 8,
        "quoteAsset": spec.quote, "quotePrecision": 8, "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": types,
        "icebergAllowed": false, "ocoAllowed": true, "otoAllowed": false, "opoAllowed": false,
        "quoteOrderQtyMarketAllowed": true, "allowTrailingStop": false, "cancelReplaceAllowed": true,
        "amendAllowed": false, "pegInstructionsAllowed": false,
        "isSpotTradingAllowed": true, "isMarginTradingAllowed": false,
        "filters": filters(spec),
        "permissions": [], "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": spec.default_stp,
        "allowedSelfTradePreventionModes": modes,
    })
}

fn lot(name: &str, lot: LotSize) -> Value {
    value!({"filterType": name, "minQty": lot.min_qty, "maxQty": lot.max_qty, "stepSize": lot.step_size})
}

fn filters(spec: &SymbolSpec) -> Vec<Value> {
    let notional = spec.notional;
    let mut filters = vec![
        value!({
            "filterType": "PRICE_FILTER", "minPrice": spec.price.min_price,
            "maxPrice": spec.price.max_price, "tickSize": spec.price.tick_size,
        }),
        lot("LOT_SIZE", spec.lot),
        lot("MARKET_LOT_SIZE", spec.market_lot),
        value!({
            "filterType": "NOTIONAL", "minNotional": notional.min_notional,
            "applyMinToMarket": notional.apply_min_to_market, "maxNotional": notional.max_notional,
            "applyMaxToMarket": notional.apply_max_to_market, "avgPriceMins": notional.avg_price_mins,
        }),
    ];
    if let Some(percent) = spec.percent_price {
        filters.push(value!({
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": percent.bid_multiplier_up, "bidMultiplierDown": percent.bid_multiplier_down,
            "askMultiplierUp": percent.ask_multiplier_up, "askMultiplierDown": percent.ask_multiplier_down,
            "avgPriceMins": percent.avg_price_mins,
        }));
    }
    if spec.max_num_orders > 0 {
        filters.push(value!({"filterType": "MAX_NUM_ORDERS", "maxNumOrders": spec.max_num_orders}));
    }
    if spec.max_num_algo_orders > 0 {
        filters.push(
            value!({"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": spec.max_num_algo_orders}),
        );
    }
    filters
}
