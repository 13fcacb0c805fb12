//! Reads the parameters of new orders: which belong to which type, and in which form.
//!
//! Owns the venue's rules of presence (-1102 for what is missing, -1106 for what does not belong) and
//! the words (-1115, -1116, -1117). Values are judged by the engine's filters, not here.

use super::gate::Call;
use super::market::symbol;
use crate::paper_exchange::engine::{
    Amount, ClientOrderId, DecimalError, NewOco, NewOrder, OrderType, Price, Qty, Side, StpMode, Terms,
    TimeInForce,
};
use crate::paper_exchange::errors::ApiError;
use crate::paper_exchange::params::Params;
use crate::paper_exchange::render::orders::ResponseType;
use std::str::FromStr;

const DECIMAL: &str = r"^([0-9]{1,20})(\.[0-9]{1,20})?$";
const CLIENT_ID: &str = "^[a-zA-Z0-9-_]{1,36}$";

/// A decimal parameter.
pub(super) fn decimal<T: FromStr<Err = DecimalError>>(
    params: &Params<'_>,
    name: &str,
) -> Result<Option<T>, ApiError> {
    let Some(text) = params.text(name)? else { return Ok(None) };
    match text.parse() {
        Ok(value) => Ok(Some(value)),
        Err(DecimalError::TooPrecise) => Err(ApiError::precision(name)),
        Err(DecimalError::Malformed | DecimalError::OutOfRange) => {
            Err(ApiError::illegal_characters(name, DECIMAL))
        }
    }
}

fn must<T>(value: Option<T>, name: &str) -> Result<T, ApiError> {
    value.ok_or_else(|| ApiError::mandatory(name))
}

/// A client order id parameter.
pub(super) fn client_id(params: &Params<'_>, name: &str) -> Result<Option<ClientOrderId>, ApiError> {
    let Some(text) = params.text(name)? else { return Ok(None) };
    ClientOrderId::new(text).map(Some).map_err(|_| ApiError::illegal_characters(name, CLIENT_ID))
}

fn side(params: &Params<'_>) -> Result<Side, ApiError> {
    Side::from_word(params.required("side")?).ok_or_else(|| ApiError::new(-1117, "Invalid side."))
}

fn time_in_force(params: &Params<'_>, name: &str) -> Result<Option<TimeInForce>, ApiError> {
    let Some(word) = params.text(name)? else { return Ok(None) };
    TimeInForce::from_word(word).map(Some).ok_or_else(|| ApiError::new(-1115, "Invalid timeInForce."))
}

fn stp(params: &Params<'_>) -> Result<Option<StpMode>, ApiError> {
    let Some(word) = params.text("selfTradePreventionMode")? else { return Ok(None) };
    StpMode::from_word(word)
        .map(Some)
        .ok_or_else(|| ApiError::new(-1130, "Invalid data sent for parameter 'selfTradePreventionMode'."))
}

fn refuse_unsupported(params: &Params<'_>) -> Result<(), ApiError> {
    for (name, what) in [
        ("icebergQty", "Iceberg orders are not supported for this symbol."),
        ("trailingDelta", "Trailing stop orders are not supported for this symbol."),
        ("pegPriceType", "Pegged orders are not supported for this symbol."),
    ] {
        if params.text(name)?.is_some() {
            return Err(ApiError::new(-1013, what));
        }
    }
    Ok(())
}

/// Parameters that do not belong to a type must not be sent.
fn forbid(params: &Params<'_>, names: &[&str]) -> Result<(), ApiError> {
    match names.iter().find(|name| matches!(params.text(name), Ok(Some(_)))) {
        Some(name) => Err(ApiError::not_required(name)),
        None => Ok(()),
    }
}

/// The order of a request.
pub(super) fn read(call: &Call<'_>) -> Result<NewOrder, ApiError> {
    let params = call.params;
    let symbol = symbol(call)?;
    let side = side(params)?;
    let kind = OrderType::from_word(params.required("type")?)
        .ok_or_else(|| ApiError::new(-1116, "Invalid orderType."))?;
    refuse_unsupported(params)?;
    Ok(NewOrder {
        account: call.account()?,
        symbol,
        side,
        terms: terms(params, kind)?,
        client_order_id: client_id(params, "newClientOrderId")?,
        stp: stp(params)?,
    })
}

fn terms(params: &Params<'_>, kind: OrderType) -> Result<Terms, ApiError> {
    let tif = || must(time_in_force(params, "timeInForce")?, "timeInForce");
    let price = || must(decimal::<Price>(params, "price")?, "price");
    let stop_price = || must(decimal::<Price>(params, "stopPrice")?, "stopPrice");
    let quantity = || must(decimal::<Qty>(params, "quantity")?, "quantity");
    Ok(match kind {
        OrderType::Limit => {
            forbid(params, &["stopPrice", "quoteOrderQty"])?;
            Terms::Limit { time_in_force: tif()?, quantity: quantity()?, price: price()? }
        }
        OrderType::LimitMaker => {
            forbid(params, &["stopPrice", "quoteOrderQty", "timeInForce"])?;
            Terms::LimitMaker { quantity: quantity()?, price: price()? }
        }
        OrderType::Market => {
            forbid(params, &["price", "stopPrice", "timeInForce"])?;
            match (decimal::<Qty>(params, "quantity")?, decimal::<Amount>(params, "quoteOrderQty")?) {
                (Some(quantity), None) => Terms::Market { quantity },
                (None, Some(quote_quantity)) => Terms::MarketQuote { quote_quantity },
                (Some(_), Some(_)) => return Err(ApiError::bad_combination()),
                (None, None) => return Err(ApiError::mandatory("quantity")),
            }
        }
        OrderType::StopLoss | OrderType::TakeProfit => {
            forbid(params, &["price", "quoteOrderQty", "timeInForce"])?;
            let (quantity, stop_price) = (quantity()?, stop_price()?);
            match kind {
                OrderType::StopLoss => Terms::StopLoss { quantity, stop_price },
                _ => Terms::TakeProfit { quantity, stop_price },
            }
        }
        OrderType::StopLossLimit | OrderType::TakeProfitLimit => {
            forbid(params, &["quoteOrderQty"])?;
            let (time_in_force, quantity) = (tif()?, quantity()?);
            let (price, stop_price) = (price()?, stop_price()?);
            match kind {
                OrderType::StopLossLimit => {
                    Terms::StopLossLimit { price, quantity, stop_price, time_in_force }
                }
                _ => Terms::TakeProfitLimit { price, quantity, stop_price, time_in_force },
            }
        }
    })
}

/// How much the answer tells: what was asked for, else FULL for MARKET and LIMIT, ACK for the others.
pub(super) fn response_type(params: &Params<'_>, kind: OrderType) -> Result<ResponseType, ApiError> {
    match params.text("newOrderRespType")? {
        Some("ACK") => Ok(ResponseType::Ack),
        Some("RESULT") => Ok(ResponseType::Result),
        Some("FULL") => Ok(ResponseType::Full),
        Some(_) => Err(ApiError::invalid_data("newOrderRespType")),
        None if matches!(kind, OrderType::Market | OrderType::Limit) => Ok(ResponseType::Full),
        None => Ok(ResponseType::Ack),
    }
}

/// A pair in the older form: `price`, `stopPrice`, `stopLimitPrice`.
pub(super) fn read_oco(call: &Call<'_>) -> Result<NewOco, ApiError> {
    let params = call.params;
    let stop_limit = match decimal::<Price>(params, "stopLimitPrice")? {
        Some(price) => {
            Some((price, must(time_in_force(params, "stopLimitTimeInForce")?, "stopLimitTimeInForce")?))
        }
        None => None,
    };
    Ok(NewOco {
        account: call.account()?,
        symbol: symbol(call)?,
        side: side(params)?,
        quantity: must(decimal(params, "quantity")?, "quantity")?,
        price: must(decimal(params, "price")?, "price")?,
        stop_price: must(decimal(params, "stopPrice")?, "stopPrice")?,
        stop_limit,
        list_client_order_id: client_id(params, "listClientOrderId")?,
        limit_client_order_id: client_id(params, "limitClientOrderId")?,
        stop_client_order_id: client_id(params, "stopClientOrderId")?,
        stp: stp(params)?,
    })
}

/// A pair in the newer form: an `above` and a `below` leg. The exchange trades a LIMIT_MAKER leg with a
/// STOP_LOSS or STOP_LOSS_LIMIT leg on the other side of the market.
pub(super) fn read_order_list_oco(call: &Call<'_>) -> Result<NewOco, ApiError> {
    let params = call.params;
    let side = side(params)?;
    let (limit, stop) = match side {
        Side::Sell => ("above", "below"),
        Side::Buy => ("below", "above"),
    };
    let unsupported = || {
        ApiError::new(
            -1013,
            "This exchange pairs a LIMIT_MAKER leg with a STOP_LOSS or STOP_LOSS_LIMIT leg (SELL: above and below; BUY: below and above).",
        )
    };
    if params.required(&format!("{limit}Type"))? != "LIMIT_MAKER" {
        return Err(unsupported());
    }
    let name = |leg: &str, field: &str| format!("{leg}{field}");
    let stop_limit = match params.required(&name(stop, "Type"))? {
        "STOP_LOSS" => None,
        "STOP_LOSS_LIMIT" => {
            let (price, tif) = (name(stop, "Price"), name(stop, "TimeInForce"));
            Some((must(decimal(params, &price)?, &price)?, must(time_in_force(params, &tif)?, &tif)?))
        }
        _ => return Err(unsupported()),
    };
    let (price, stop_price) = (name(limit, "Price"), name(stop, "StopPrice"));
    Ok(NewOco {
        account: call.account()?,
        symbol: symbol(call)?,
        side,
        quantity: must(decimal(params, "quantity")?, "quantity")?,
        price: must(decimal(params, &price)?, &price)?,
        stop_price: must(decimal(params, &stop_price)?, &stop_price)?,
        stop_limit,
        list_client_order_id: client_id(params, "listClientOrderId")?,
        limit_client_order_id: client_id(params, &name(limit, "ClientOrderId"))?,
        stop_client_order_id: client_id(params, &name(stop, "ClientOrderId"))?,
        stp: stp(params)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms_of(query: &str) -> Result<Terms, i32> {
        let params = Params::from_query_and_body(query, "").unwrap();
        let kind = OrderType::from_word(params.required("type").unwrap()).unwrap();
        terms(&params, kind).map_err(|error| error.code)
    }

    #[test]
    fn each_type_takes_its_own_parameters() {
        let accepted = [
            "type=LIMIT&timeInForce=GTC&quantity=1&price=2",
            "type=LIMIT_MAKER&quantity=1&price=2",
            "type=MARKET&quantity=1",
            "type=MARKET&quoteOrderQty=10",
            "type=STOP_LOSS&quantity=1&stopPrice=2",
            "type=STOP_LOSS_LIMIT&timeInForce=FOK&quantity=1&price=2&stopPrice=3",
            "type=TAKE_PROFIT&quantity=1&stopPrice=2",
            "type=TAKE_PROFIT_LIMIT&timeInForce=IOC&quantity=1&price=2&stopPrice=3",
        ];
        for query in accepted {
            assert!(terms_of(query).is_ok(), "{query}");
        }
    }

    #[test]
    fn what_is_missing_or_does_not_belong_has_its_code() {
        let refused = [
            ("type=LIMIT&timeInForce=GTC&quantity=1", -1102),
            ("type=LIMIT&quantity=1&price=1", -1102),
            ("type=LIMIT&timeInForce=NOW&quantity=1&price=1", -1115),
            ("type=LIMIT&timeInForce=GTC&quantity=1&price=1&stopPrice=1", -1106),
            ("type=MARKET&quantity=1&price=1", -1106),
            ("type=MARKET&quantity=1&quoteOrderQty=1", -1128),
            ("type=MARKET", -1102),
            ("type=STOP_LOSS&quantity=1", -1102),
            ("type=MARKET&quantity=1e5", -1100),
            ("type=MARKET&quantity=-1", -1100),
            ("type=MARKET&quantity=0.000000001", -1111),
            ("type=MARKET&quantity=99999999999999999999999", -1100),
        ];
        for (query, code) in refused {
            assert_eq!(terms_of(query).unwrap_err(), code, "{query}");
        }
    }
}
