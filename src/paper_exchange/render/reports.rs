//! User-data events: `executionReport`, `listStatus`, `outboundAccountPosition`, `balanceUpdate`.
//!
//! One function per event; the caller wraps it for its transport.

use super::{json, or_none};
use crate::paper_exchange::engine::{
    AccountPosition, Amount, Asset, BalanceUpdate, ClientOrderId, ExecutionReport, ExecutionType, ListReport,
    ListStatus, OrderId, OrderStatus, OrderType, Price, Qty, RejectReason, Side, StpMode, Symbol,
    TimeInForce,
};
use serde::Serialize;

#[derive(Serialize)]
struct Execution<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    s: Symbol,
    c: ClientOrderId,
    #[serde(rename = "S")]
    side: Side,
    o: OrderType,
    f: TimeInForce,
    q: Qty,
    p: Price,
    #[serde(rename = "P")]
    stop_price: Price,
    #[serde(rename = "F")]
    iceberg: Qty,
    g: i64,
    #[serde(rename = "C")]
    original: &'a str,
    x: ExecutionType,
    #[serde(rename = "X")]
    status: OrderStatus,
    r: RejectReason,
    i: OrderId,
    l: Qty,
    z: Qty,
    #[serde(rename = "L")]
    last_price: Price,
    n: Amount,
    #[serde(rename = "N")]
    commission_asset: Option<Asset>,
    #[serde(rename = "T")]
    transaction_time: i64,
    t: i64,
    #[serde(rename = "I")]
    execution_id: u64,
    w: bool,
    m: bool,
    #[serde(rename = "M")]
    ignore: bool,
    #[serde(rename = "O")]
    accepted: i64,
    #[serde(rename = "Z")]
    cumulative_quote: Amount,
    #[serde(rename = "Y")]
    last_quote: Amount,
    #[serde(rename = "Q")]
    quote_quantity: Amount,
    #[serde(rename = "W", skip_serializing_if = "Option::is_none")]
    working_time: Option<i64>,
    #[serde(rename = "V")]
    stp: StpMode,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    prevention: Option<PreventionFields>,
}

#[derive(Serialize)]
struct PreventionFields {
    v: u64,
    #[serde(rename = "A")]
    prevented: Qty,
    #[serde(rename = "B")]
    last_prevented: Qty,
    #[serde(rename = "U")]
    counter_order: OrderId,
    #[serde(rename = "pl")]
    prevented_executed: Qty,
    #[serde(rename = "pL")]
    prevented_price: Price,
}

/// `executionReport`, announced at `now_ms`.
#[must_use]
pub fn execution(report: &ExecutionReport, now_ms: i64) -> String {
    json(&Execution {
        e: "executionReport",
        event_time: now_ms,
        s: report.symbol,
        c: report.client_order_id,
        side: report.side,
        o: report.kind,
        f: report.time_in_force,
        q: report.quantity,
        p: report.price,
        stop_price: report.stop_price,
        iceberg: Qty::ZERO,
        g: or_none(report.list_id.map(|id| id.0)),
        original: report.original_client_order_id.as_ref().map_or("", ClientOrderId::as_str),
        x: report.execution_type,
        status: report.status,
        r: report.reject_reason,
        i: report.order_id,
        l: report.last_quantity,
        z: report.cumulative_quantity,
        last_price: report.last_price,
        n: report.commission,
        commission_asset: report.commission_asset,
        transaction_time: report.at_ms,
        t: or_none(report.trade_id.map(|id| id.0)),
        execution_id: report.execution_id,
        w: report.is_working,
        m: report.is_maker,
        ignore: report.execution_type == ExecutionType::Trade,
        accepted: report.accepted_ms,
        cumulative_quote: report.cumulative_quote,
        last_quote: report.last_quote,
        quote_quantity: report.quote_quantity,
        working_time: report.working_ms,
        stp: report.stp,
        prevention: report.prevention.map(|prevention| PreventionFields {
            v: prevention.prevented_match_id,
            prevented: prevention.prevented_quantity,
            last_prevented: prevention.last_prevented_quantity,
            counter_order: prevention.counter_order_id,
            prevented_executed: prevention.last_prevented_quantity,
            prevented_price: prevention.price,
        }),
    })
}

/// `listStatus`, announced at `now_ms`.
#[must_use]
pub fn list(report: &ListReport, now_ms: i64) -> String {
    let (kind, status) = match report.status {
        ListStatus::Executing => ("EXEC_STARTED", "EXECUTING"),
        ListStatus::AllDone => ("ALL_DONE", "ALL_DONE"),
    };
    let orders: Vec<_> = report
        .orders
        .iter()
        .map(|(id, client)| serde_json::json!({"s": report.symbol, "i": id, "c": client}))
        .collect();
    json(&serde_json::json!({
        "e": "listStatus", "E": now_ms, "s": report.symbol, "g": or_none(Some(report.list_id.0)),
        "c": "OCO", "l": kind, "L": status, "r": "NONE", "C": report.list_client_order_id,
        "T": report.at_ms, "O": orders,
    }))
}

#[derive(Serialize)]
struct Position {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    u: i64,
    #[serde(rename = "B")]
    balances: Vec<PositionLine>,
}

#[derive(Serialize)]
struct PositionLine {
    a: Asset,
    f: Amount,
    l: Amount,
}

/// `outboundAccountPosition`, announced at `now_ms`.
#[must_use]
pub fn position(position: &AccountPosition, now_ms: i64) -> String {
    let line = |balance: &crate::paper_exchange::engine::Balance| PositionLine {
        a: balance.asset,
        f: balance.free,
        l: balance.locked,
    };
    json(&Position {
        e: "outboundAccountPosition",
        event_time: now_ms,
        u: position.at_ms,
        balances: position.balances.iter().map(line).collect(),
    })
}

/// `balanceUpdate`, announced at `now_ms`.
#[must_use]
pub fn balance(update: &BalanceUpdate, now_ms: i64) -> String {
    json(&serde_json::json!({
        "e": "balanceUpdate", "E": now_ms, "a": update.asset, "d": update.delta, "T": update.at_ms,
    }))
}

/// `eventStreamTerminated`: this subscription receives nothing more.
#[must_use]
pub fn terminated(now_ms: i64) -> String {
    format!(r#"{{"e":"eventStreamTerminated","E":{now_ms}}}"#)
}

/// `serverShutdown`: the exchange is about to stop.
#[must_use]
pub fn shutdown(now_ms: i64) -> String {
    format!(r#"{{"e":"serverShutdown","E":{now_ms}}}"#)
}
