//! User data events: execution reports, balances, transfers, and the end of the stream.

use super::words::{read_execution, read_side, read_status, read_tif, read_type};
use super::{DecodeError, read};
use crate::domain::ids::{Asset, ClientOrderId, Symbol, TradeId, VenueOrderId};
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::order_types::{Balance, ExecutionType, Fill, Liquidity, OrderReport, OtherWord};
use crate::domain::time::WallMs;
use serde::Deserialize;
use std::borrow::Cow;

/// One user data event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserEvent {
    /// An order changed.
    Report(Box<OrderReport>),
    /// Balances that may have changed.
    Balances(Vec<Balance>),
    /// A deposit, withdrawal or transfer.
    BalanceMoved {
        /// Asset.
        asset: Asset,
        /// Change.
        delta: Amount,
    },
    /// The subscription ended: subscribe again and reconcile.
    Terminated,
    /// The venue will close this connection.
    Shutdown,
    /// A list of orders changed; its orders send their own reports.
    OrderList,
    /// A kind that we do not know.
    Other(OtherWord),
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "e", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(rename = "E")]
    event_time: i64,
    #[serde(rename = "s", borrow)]
    symbol: Cow<'a, str>,
    #[serde(rename = "c", borrow)]
    client_id: Cow<'a, str>,
    #[serde(rename = "C", borrow, default)]
    original_id: Option<Cow<'a, str>>,
    #[serde(rename = "S", borrow)]
    side: Cow<'a, str>,
    #[serde(rename = "o", borrow)]
    order_type: Cow<'a, str>,
    #[serde(rename = "f", borrow)]
    time_in_force: Cow<'a, str>,
    #[serde(rename = "q")]
    quantity: Quantity,
    #[serde(rename = "p")]
    price: Price,
    #[serde(rename = "x", borrow)]
    execution: Cow<'a, str>,
    #[serde(rename = "X", borrow)]
    status: Cow<'a, str>,
    #[serde(rename = "r", borrow, default)]
    reason: Option<Cow<'a, str>>,
    #[serde(rename = "i")]
    order_id: u64,
    #[serde(rename = "l")]
    last_quantity: Quantity,
    #[serde(rename = "z")]
    executed: Quantity,
    #[serde(rename = "L")]
    last_price: Price,
    #[serde(rename = "n", default)]
    fee: Option<Amount>,
    #[serde(rename = "N", borrow, default)]
    fee_asset: Option<Cow<'a, str>>,
    #[serde(rename = "T", default)]
    transaction_time: Option<i64>,
    #[serde(rename = "t")]
    trade_id: i64,
    #[serde(rename = "m")]
    maker: bool,
    #[serde(rename = "Z", default)]
    executed_quote: Option<Amount>,
}

#[derive(Deserialize)]
struct Position<'a> {
    #[serde(rename = "B", borrow)]
    balances: Vec<PositionEntry<'a>>,
}

#[derive(Deserialize)]
struct PositionEntry<'a> {
    #[serde(rename = "a", borrow)]
    asset: Cow<'a, str>,
    #[serde(rename = "f")]
    free: Amount,
    #[serde(rename = "l")]
    locked: Amount,
}

#[derive(Deserialize)]
struct Moved<'a> {
    #[serde(rename = "a", borrow)]
    asset: Cow<'a, str>,
    #[serde(rename = "d")]
    delta: Amount,
}

/// How an execution report begins on the wire.
const REPORT_BEGINS: &str = r#"{"e":"executionReport","#;

/// Reads the inside of an event envelope.
///
/// # Errors
/// [`DecodeError`] when a known kind lacks what it must have. An unknown kind is not an error.
pub fn decode(text: &str) -> Result<UserEvent, DecodeError> {
    // The kind that comes with every order names itself first; looking for it elsewhere reads the text twice.
    if text.starts_with(REPORT_BEGINS) {
        return report(text).map(|report| UserEvent::Report(Box::new(report)));
    }
    let kind: Kind<'_> = read("user event", text)?;
    match kind.kind.as_ref() {
        "executionReport" => report(text).map(|report| UserEvent::Report(Box::new(report))),
        "outboundAccountPosition" => {
            let position: Position<'_> = read("outboundAccountPosition", text)?;
            let balances = position.balances.iter().map(|entry| {
                let asset = asset("outboundAccountPosition", &entry.asset)?;
                Ok(Balance { asset, free: entry.free, locked: entry.locked })
            });
            balances.collect::<Result<_, _>>().map(UserEvent::Balances)
        }
        "balanceUpdate" => {
            let moved: Moved<'_> = read("balanceUpdate", text)?;
            let asset = asset("balanceUpdate", &moved.asset)?;
            Ok(UserEvent::BalanceMoved { asset, delta: moved.delta })
        }
        "eventStreamTerminated" => Ok(UserEvent::Terminated),
        "serverShutdown" => Ok(UserEvent::Shutdown),
        "listStatus" => Ok(UserEvent::OrderList),
        other => Ok(UserEvent::Other(OtherWord::new(other))),
    }
}

fn asset(what: &'static str, text: &str) -> Result<Asset, DecodeError> {
    Asset::new(text).map_err(|e| DecodeError::field(what, "asset", &e))
}

fn report(text: &str) -> Result<OrderReport, DecodeError> {
    let what = "executionReport";
    let wire: Report<'_> = read(what, text)?;
    let symbol = Symbol::new(&wire.symbol).map_err(|e| DecodeError::field(what, "s", &e))?;
    let side = read_side(&wire.side).ok_or_else(|| {
        DecodeError::field(what, "S", &format!("{:.20} is neither BUY nor SELL", wire.side))
    })?;
    // A cancel reports its own id in `c` and the cancelled order's in `C`.
    let id = wire.original_id.as_deref().filter(|id| !id.is_empty()).unwrap_or(&wire.client_id);
    let client_order_id = ClientOrderId::from_venue(id).map_err(|e| DecodeError::field(what, "c", &e))?;
    let venue_order_id = VenueOrderId::from(wire.order_id);
    let execution = read_execution(&wire.execution);
    let at = WallMs(wire.transaction_time.unwrap_or(wire.event_time));
    let fills = match u64::try_from(wire.trade_id) {
        Ok(trade) if execution == ExecutionType::Trade && !wire.last_quantity.is_zero() => vec![Fill {
            trade_id: TradeId::from(trade),
            symbol: symbol.clone(),
            venue_order_id: venue_order_id.clone(),
            client_order_id: Some(client_order_id.clone()),
            side,
            quantity: wire.last_quantity,
            price: wire.last_price,
            fee: wire.fee.unwrap_or_default(),
            fee_asset: wire
                .fee_asset
                .as_deref()
                .filter(|name| !name.is_empty())
                .map(|name| asset(what, name))
                .transpose()?,
            liquidity: if wire.maker { Liquidity::Maker } else { Liquidity::Taker },
            at,
        }],
        Err(_) if execution == ExecutionType::Trade => {
            let detail = format!("a trade without a trade id ({})", wire.trade_id);
            return Err(DecodeError::Field { what, field: "t", detail });
        }
        _ => Vec::new(),
    };
    Ok(OrderReport {
        client_order_id,
        venue_order_id,
        symbol,
        side,
        order_type: read_type(&wire.order_type),
        time_in_force: read_tif(&wire.time_in_force),
        status: read_status(&wire.status),
        execution: Some(execution),
        price: wire.price,
        quantity: wire.quantity,
        executed: wire.executed,
        executed_quote: wire.executed_quote.unwrap_or_default(),
        fills,
        reject_reason: wire.reason.as_deref().filter(|reason| *reason != "NONE").map(OtherWord::new),
        at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order_types::OrderStatus;

    const TRADE: &str = r#"{"e":"executionReport","E":1499405658658,"s":"ETHBTC","c":"mUvoqJxFIILMdfAW5iGSOW",
        "S":"BUY","o":"LIMIT","f":"GTC","q":"1.00000000","p":"0.10264410","P":"0.00000000","F":"0.00000000",
        "g":-1,"C":"","x":"TRADE","X":"PARTIALLY_FILLED","r":"NONE","i":4293153,"l":"0.40000000",
        "z":"0.40000000","L":"0.10264410","n":"0","N":null,"T":1499405658657,"t":77,"I":8641984,"w":true,
        "m":false,"M":true,"O":1,"Z":"0.04105764","Y":"0.04105764","Q":"0","W":2,"V":"NONE"}"#;

    fn report_of(text: &str) -> OrderReport {
        match decode(text).unwrap() {
            UserEvent::Report(report) => *report,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_trade_carries_its_fill() {
        let report = report_of(TRADE);
        let fill = report.fills.first().unwrap();
        assert_eq!((fill.trade_id.number(), fill.quantity.to_string()), (Some(77), "0.40000000".into()));
        assert_eq!((fill.fee_asset.as_ref(), report.reject_reason.as_ref()), (None, None));
    }

    #[test]
    fn a_cancel_reports_the_original_id() {
        let text = TRADE
            .replace(r#""C":"""#, r#""C":"the-order""#)
            .replace(r#""x":"TRADE""#, r#""x":"CANCELED""#)
            .replace("PARTIALLY_FILLED", "CANCELED")
            .replace(r#""t":77"#, r#""t":-1"#);
        let report = report_of(&text);
        assert_eq!(report.client_order_id.as_str(), "the-order");
        assert_eq!(report.status, OrderStatus::Canceled);
        assert!(report.fills.is_empty());
    }

    #[test]
    fn a_trade_without_an_id_is_an_error() {
        assert!(decode(&TRADE.replace(r#""t":77"#, r#""t":-1"#)).is_err());
    }

    #[test]
    fn unknown_kinds_are_surfaced() {
        assert_eq!(decode(r#"{"e":"newThing"}"#), Ok(UserEvent::Other(OtherWord::new("newThing"))));
        assert_eq!(decode(r#"{"e":"eventStreamTerminated","E":1}"#), Ok(UserEvent::Terminated));
        assert!(decode(r#"{"E":1}"#).is_err());
        let text = r#"{"e":"outboundAccountPosition","E":1,"u":1,"B":[{"a":"ETH","f":"1.0","l":"0.5"}]}"#;
        assert!(matches!(decode(text), Ok(UserEvent::Balances(list)) if list.len() == 1));
        let text = r#"{"e":"balanceUpdate","E":1,"a":"BTC","d":"-100.0","T":2}"#;
        assert!(matches!(decode(text), Ok(UserEvent::BalanceMoved { .. })));
    }
}
