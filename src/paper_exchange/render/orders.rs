//! Orders as REST and the WebSocket API answer them: place (ACK, RESULT, FULL), cancel, query, lists.

use super::{json, or_none};
use crate::paper_exchange::engine::{
    Amount, Asset, CancelReplaced, Cancelled, CancelledList, ClientOrderId, ExecutionReport, Half, OcoPlaced,
    Order, OrderId, OrderList, OrderStatus, OrderType, Placed, Price, Qty, Refusal, Side, StpMode, Symbol,
    TimeInForce,
};
use serde::Serialize;

/// How much of a new order the answer tells (`newOrderRespType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseType {
    /// Ids only.
    Ack,
    /// The order after matching.
    Result,
    /// The order and its fills.
    Full,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ack {
    symbol: Symbol,
    order_id: OrderId,
    order_list_id: i64,
    client_order_id: ClientOrderId,
    transact_time: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct State {
    price: Price,
    orig_qty: Qty,
    executed_qty: Qty,
    orig_quote_order_qty: Amount,
    cummulative_quote_qty: Amount,
    status: OrderStatus,
    time_in_force: TimeInForce,
    #[serde(rename = "type")]
    kind: OrderType,
    side: Side,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<Price>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_time: Option<i64>,
    self_trade_prevention_mode: StpMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevented_quantity: Option<Qty>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FillLine {
    price: Price,
    qty: Qty,
    commission: Amount,
    commission_asset: Option<Asset>,
    trade_id: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewOrderAnswer {
    #[serde(flatten)]
    ack: Ack,
    #[serde(flatten)]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fills: Option<Vec<FillLine>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelAnswer {
    symbol: Symbol,
    orig_client_order_id: ClientOrderId,
    order_id: OrderId,
    order_list_id: i64,
    client_order_id: ClientOrderId,
    transact_time: i64,
    #[serde(flatten)]
    state: State,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QueryAnswer {
    symbol: Symbol,
    order_id: OrderId,
    order_list_id: i64,
    client_order_id: ClientOrderId,
    #[serde(flatten)]
    state: State,
    iceberg_qty: Qty,
    time: i64,
    update_time: i64,
    is_working: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LegName {
    symbol: Symbol,
    order_id: OrderId,
    client_order_id: ClientOrderId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListAnswer<R: Serialize> {
    order_list_id: i64,
    contingency_type: &'static str,
    list_status_type: &'static str,
    list_order_status: &'static str,
    list_client_order_id: ClientOrderId,
    transaction_time: i64,
    symbol: Symbol,
    orders: Vec<LegName>,
    order_reports: Vec<R>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelReplaceAnswer<'a> {
    cancel_result: &'static str,
    new_order_result: &'static str,
    cancel_response: &'a serde_json::value::RawValue,
    new_order_response: &'a serde_json::value::RawValue,
}

fn state(order: &Order) -> State {
    State {
        price: order.price.unwrap_or_default(),
        orig_qty: order.quantity,
        executed_qty: order.executed,
        orig_quote_order_qty: order.quote_quantity,
        cummulative_quote_qty: order.executed_quote,
        status: order.status,
        time_in_force: order.time_in_force,
        kind: order.kind,
        side: order.side,
        stop_price: order.stop_price,
        working_time: Some(order.working_ms.unwrap_or(super::NONE)),
        self_trade_prevention_mode: order.stp,
        prevented_quantity: order.prevented.is_positive().then_some(order.prevented),
    }
}

fn list_id(order: &Order) -> i64 {
    or_none(order.list_id.map(|id| id.0))
}

fn new_order(order: &Order, fills: &[ExecutionReport], form: ResponseType) -> NewOrderAnswer {
    let ack = Ack {
        symbol: order.symbol,
        order_id: order.order_id,
        order_list_id: list_id(order),
        client_order_id: order.client_order_id,
        transact_time: order.accepted_ms,
    };
    let fill = |report: &ExecutionReport| FillLine {
        price: report.last_price,
        qty: report.last_quantity,
        commission: report.commission,
        commission_asset: report.commission_asset,
        trade_id: or_none(report.trade_id.map(|id| id.0)),
    };
    NewOrderAnswer {
        ack,
        state: (form != ResponseType::Ack).then(|| state(order)),
        fills: (form == ResponseType::Full).then(|| fills.iter().map(fill).collect()),
    }
}

/// The answer to a new order.
#[must_use]
pub fn placed(placed: &Placed, form: ResponseType) -> String {
    json(&new_order(&placed.order, &placed.fills, form))
}

fn cancel(order: &Order, cancel_id: ClientOrderId) -> CancelAnswer {
    let mut state = state(order);
    state.working_time = None;
    CancelAnswer {
        symbol: order.symbol,
        orig_client_order_id: order.client_order_id,
        order_id: order.order_id,
        order_list_id: list_id(order),
        client_order_id: cancel_id,
        transact_time: order.updated_ms,
        state,
    }
}

/// The answer to a cancel; the whole list when a leg of one was cancelled.
#[must_use]
pub fn cancelled(done: &Cancelled) -> String {
    match &done.with_list {
        Some(list) => cancelled_list(list, done.cancel_client_order_id),
        None => json(&cancel(&done.order, done.cancel_client_order_id)),
    }
}

/// The answer to a cancelled list.
#[must_use]
pub fn cancelled_list(done: &CancelledList, cancel_id: ClientOrderId) -> String {
    let reports = done.orders.iter().map(|order| cancel(order, cancel_id)).collect();
    json(&list_answer(&done.list, &done.orders, reports))
}

/// The answer to a new pair.
#[must_use]
pub fn oco(placed: &OcoPlaced, form: ResponseType) -> String {
    let reports = placed.orders.iter().map(|order| new_order(order, &[], form)).collect();
    json(&list_answer(&placed.list, &placed.orders, reports))
}

fn list_answer<R: Serialize>(list: &OrderList, orders: &[Order], order_reports: Vec<R>) -> ListAnswer<R> {
    let name = |order: &Order| LegName {
        symbol: order.symbol,
        order_id: order.order_id,
        client_order_id: order.client_order_id,
    };
    ListAnswer {
        order_list_id: or_none(Some(list.list_id.0)),
        contingency_type: "OCO",
        list_status_type: if list.done { "ALL_DONE" } else { "EXEC_STARTED" },
        list_order_status: if list.done { "ALL_DONE" } else { "EXECUTING" },
        list_client_order_id: list.list_client_order_id,
        transaction_time: orders.iter().map(|order| order.updated_ms).max().unwrap_or(list.accepted_ms),
        symbol: list.symbol,
        orders: orders.iter().map(name).collect(),
        order_reports,
    }
}

/// An order as queries answer it.
#[must_use]
pub fn order(order: &Order) -> String {
    json(&QueryAnswer {
        symbol: order.symbol,
        order_id: order.order_id,
        order_list_id: list_id(order),
        client_order_id: order.client_order_id,
        state: state(order),
        iceberg_qty: Qty::ZERO,
        time: order.accepted_ms,
        update_time: order.updated_ms,
        is_working: order.is_working,
    })
}

/// The answer to a cancel-replace, or (when a half failed) the `data` of its error.
#[must_use]
pub fn cancel_replaced(done: &CancelReplaced, form: ResponseType) -> String {
    let (cancel_result, cancel_response) = half(&done.cancel, cancelled);
    let (new_order_result, new_order_response) = half(&done.placed, |done| placed(done, form));
    json(&CancelReplaceAnswer {
        cancel_result,
        new_order_result,
        cancel_response: &cancel_response,
        new_order_response: &new_order_response,
    })
}

fn half<T>(
    half: &Half<T>,
    render: impl Fn(&T) -> String,
) -> (&'static str, Box<serde_json::value::RawValue>) {
    let (word, text) = match half {
        Half::Success(done) => ("SUCCESS", render(done)),
        Half::Failure(refusal) => ("FAILURE", refusal_json(*refusal)),
        Half::NotAttempted => ("NOT_ATTEMPTED", String::from("null")),
    };
    let raw = serde_json::value::RawValue::from_string(text);
    (word, raw.unwrap_or_else(|_| serde_json::value::RawValue::NULL.to_owned()))
}

fn refusal_json(refusal: Refusal) -> String {
    json(&serde_json::json!({"code": refusal.code(), "msg": refusal.message()}))
}
