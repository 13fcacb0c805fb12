//! Answers about orders, fills and balances: placement, cancel, query, open orders, trades, account.

use super::words::{read_side, read_status, read_tif, read_type};
use super::{DecodeError, read, read_list};
use crate::domain::ids::{Asset, ClientOrderId, Symbol, TradeId, VenueOrderId};
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::order_types::{Balance, Fill, Liquidity, OrderReport};
use crate::domain::time::WallMs;
use serde::Deserialize;
use std::borrow::Cow;

/// Most entries of a list answer: the venue's own largest page is 1,000, open orders are not paged.
const MAX_ENTRIES: usize = 50_000;

#[derive(Deserialize)]
struct WireOrder<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(rename = "orderId")]
    order_id: u64,
    #[serde(rename = "clientOrderId", borrow)]
    client_order_id: Cow<'a, str>,
    /// In the answer to a cancel: the order's own id; `clientOrderId` is then the cancel's.
    #[serde(rename = "origClientOrderId", borrow, default)]
    original_id: Option<Cow<'a, str>>,
    #[serde(rename = "transactTime", default)]
    transact_time: Option<i64>,
    #[serde(rename = "updateTime", default)]
    update_time: Option<i64>,
    #[serde(default)]
    time: Option<i64>,
    price: Price,
    #[serde(rename = "origQty")]
    quantity: Quantity,
    #[serde(rename = "executedQty")]
    executed: Quantity,
    #[serde(rename = "cummulativeQuoteQty", default)]
    executed_quote: Option<Amount>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(rename = "timeInForce", borrow)]
    time_in_force: Cow<'a, str>,
    #[serde(rename = "type", borrow)]
    order_type: Cow<'a, str>,
    #[serde(borrow)]
    side: Cow<'a, str>,
    #[serde(borrow, default)]
    fills: Vec<WireOrderFill<'a>>,
}

#[derive(Deserialize)]
struct WireOrderFill<'a> {
    price: Price,
    qty: Quantity,
    commission: Amount,
    #[serde(rename = "commissionAsset", borrow)]
    commission_asset: Cow<'a, str>,
    #[serde(rename = "tradeId")]
    trade_id: u64,
}

#[derive(Deserialize)]
struct WireTrade<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    id: u64,
    #[serde(rename = "orderId")]
    order_id: u64,
    price: Price,
    qty: Quantity,
    commission: Amount,
    #[serde(rename = "commissionAsset", borrow, default)]
    commission_asset: Option<Cow<'a, str>>,
    time: i64,
    #[serde(rename = "isBuyer")]
    is_buyer: bool,
    #[serde(rename = "isMaker")]
    is_maker: bool,
}

#[derive(Deserialize)]
struct WireAccount<'a> {
    #[serde(borrow)]
    balances: Vec<WireBalance<'a>>,
}

#[derive(Deserialize)]
struct WireBalance<'a> {
    #[serde(borrow)]
    asset: Cow<'a, str>,
    free: Amount,
    locked: Amount,
}

fn order_report(what: &'static str, wire: WireOrder<'_>) -> Result<OrderReport, DecodeError> {
    let symbol = Symbol::new(&wire.symbol).map_err(|e| DecodeError::field(what, "symbol", &e))?;
    let side = read_side(&wire.side).ok_or_else(|| {
        DecodeError::field(what, "side", &format!("{:.20} is neither BUY nor SELL", wire.side))
    })?;
    let id = wire.original_id.as_deref().filter(|id| !id.is_empty()).unwrap_or(&wire.client_order_id);
    let client_order_id =
        ClientOrderId::from_venue(id).map_err(|e| DecodeError::field(what, "clientOrderId", &e))?;
    let venue_order_id = VenueOrderId::from(wire.order_id);
    let at = WallMs(wire.transact_time.or(wire.update_time).or(wire.time).unwrap_or(0));
    let mut fills = Vec::with_capacity(wire.fills.len());
    for fill in wire.fills {
        fills.push(Fill {
            trade_id: TradeId::from(fill.trade_id),
            symbol: symbol.clone(),
            venue_order_id: venue_order_id.clone(),
            client_order_id: Some(client_order_id.clone()),
            side,
            quantity: fill.qty,
            price: fill.price,
            fee: fill.commission,
            fee_asset: Some(asset(what, &fill.commission_asset)?),
            // What fills in the answer to its own placement has taken.
            liquidity: Liquidity::Taker,
            at,
        });
    }
    Ok(OrderReport {
        client_order_id,
        venue_order_id,
        symbol,
        side,
        order_type: read_type(&wire.order_type),
        time_in_force: read_tif(&wire.time_in_force),
        status: read_status(&wire.status),
        execution: None,
        price: wire.price,
        quantity: wire.quantity,
        executed: wire.executed,
        executed_quote: wire.executed_quote.unwrap_or_default(),
        fills,
        reject_reason: None,
        at,
    })
}

fn asset(what: &'static str, text: &str) -> Result<Asset, DecodeError> {
    Asset::new(text).map_err(|e| DecodeError::field(what, "asset", &e))
}

fn bounded_list<T>(what: &'static str, list: Vec<T>) -> Result<Vec<T>, DecodeError> {
    if list.len() > MAX_ENTRIES {
        let detail = format!("{} entries; at most {MAX_ENTRIES} are read", list.len());
        return Err(DecodeError::Field { what, field: "length", detail });
    }
    Ok(list)
}

/// Reads one order: the answer to a placement, a cancel or a query.
///
/// # Errors
/// [`DecodeError`] when it is not one.
pub fn decode_order(text: &str) -> Result<OrderReport, DecodeError> {
    order_report("order", read("order", text)?)
}

/// Reads the open orders.
///
/// # Errors
/// [`DecodeError`] when any of them cannot be read: a list with a hole would be taken for the truth.
pub fn decode_orders(text: &str) -> Result<Vec<OrderReport>, DecodeError> {
    let list: Vec<WireOrder<'_>> = bounded_list("open orders", read_list("open orders", text)?)?;
    list.into_iter().map(|wire| order_report("open orders", wire)).collect()
}

/// Reads the account's trades.
///
/// # Errors
/// [`DecodeError`] when any of them cannot be read.
pub fn decode_trades(text: &str) -> Result<Vec<Fill>, DecodeError> {
    let what = "account trades";
    let list: Vec<WireTrade<'_>> = bounded_list(what, read_list(what, text)?)?;
    list.into_iter()
        .map(|wire| {
            let fee_asset = wire.commission_asset.as_deref().filter(|name| !name.is_empty());
            Ok(Fill {
                trade_id: TradeId::from(wire.id),
                symbol: Symbol::new(&wire.symbol).map_err(|e| DecodeError::field(what, "symbol", &e))?,
                venue_order_id: VenueOrderId::from(wire.order_id),
                client_order_id: None,
                side: if wire.is_buyer {
                    crate::domain::order_types::Side::Buy
                } else {
                    crate::domain::order_types::Side::Sell
                },
                quantity: wire.qty,
                price: wire.price,
                fee: wire.commission,
                fee_asset: fee_asset.map(|name| asset(what, name)).transpose()?,
                liquidity: if wire.is_maker { Liquidity::Maker } else { Liquidity::Taker },
                at: WallMs(wire.time),
            })
        })
        .collect()
}

/// Reads the account's balances.
///
/// # Errors
/// [`DecodeError`] when any of them cannot be read.
pub fn decode_account(text: &str) -> Result<Vec<Balance>, DecodeError> {
    let account: WireAccount<'_> = read("account", text)?;
    bounded_list("account", account.balances)?
        .into_iter()
        .map(|b| Ok(Balance { asset: asset("account", &b.asset)?, free: b.free, locked: b.locked }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order_types::{OrderStatus, OrderType, OtherWord};

    const PLACED: &str = r#"{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"a1",
        "transactTime":1507725176595,"price":"0.00000000","origQty":"10.00000000","executedQty":"10.00000000",
        "cummulativeQuoteQty":"10.00000000","status":"FILLED","timeInForce":"GTC","type":"MARKET","side":"SELL",
        "workingTime":1,"selfTradePreventionMode":"NONE","fills":[{"price":"4000.00000000","qty":"1.00000000",
        "commission":"4.00000000","commissionAsset":"USDT","tradeId":56}]}"#;

    #[test]
    fn a_full_answer() {
        let report = decode_order(PLACED).unwrap();
        assert_eq!(report.status, OrderStatus::Filled);
        let fill = report.fills.first().unwrap();
        assert_eq!((fill.trade_id.number(), fill.fee.to_string()), (Some(56), "4.00000000".into()));
    }

    #[test]
    fn a_cancel_names_the_order_not_the_cancel() {
        let text =
            PLACED.replace(r#""clientOrderId":"a1""#, r#""origClientOrderId":"a1","clientOrderId":"c9""#);
        assert_eq!(decode_order(&text).unwrap().client_order_id.as_str(), "a1");
    }

    #[test]
    fn unknown_words_are_kept_and_unclear_sides_refused() {
        let text = PLACED.replace("FILLED", "MELTED").replace("MARKET", "ICEBERG_TWIST");
        let report = decode_order(&text).unwrap();
        assert_eq!(report.status, OrderStatus::Other(OtherWord::new("MELTED")));
        assert_eq!(report.order_type, OrderType::Other(OtherWord::new("ICEBERG_TWIST")));
        assert!(matches!(
            decode_order(&PLACED.replace("SELL", "SIDEWAYS")),
            Err(DecodeError::Field { field: "side", .. })
        ));
        assert!(
            decode_order(&PLACED.replace(r#""executedQty":"10.00000000""#, r#""executedQty":10.0"#)).is_err()
        );
    }

    #[test]
    fn a_list_with_a_hole_is_not_the_truth() {
        let list = format!("[{PLACED},{{}}]");
        assert!(decode_orders(&list).is_err());
        assert_eq!(decode_orders(&format!("[{PLACED}]")).unwrap().len(), 1);
    }

    #[test]
    fn trades_and_balances() {
        let trades = r#"[{"symbol":"BNBBTC","id":28457,"orderId":100234,"price":"4.00000100","qty":"12.00000000",
            "quoteQty":"48.000012","commission":"10.10000000","commissionAsset":"BNB","time":1499865549590,
            "isBuyer":true,"isMaker":false,"isBestMatch":true}]"#;
        let fills = decode_trades(trades).unwrap();
        assert_eq!(fills.first().unwrap().trade_id.number(), Some(28_457));
        let account = r#"{"makerCommission":15,"balances":[{"asset":"BTC","free":"1.5","locked":"0.5"}]}"#;
        assert_eq!(decode_account(account).unwrap().first().unwrap().locked.to_string(), "0.5");
    }
}
