//! Requests that place, cancel and replace orders.

use super::gate::Call;
use super::market::{refused, symbol};
use super::new_order::{client_id, read, read_oco, read_order_list_oco, response_type};
use crate::paper_exchange::engine::{
    CancelOrder, CancelReplace, CancelReplaceMode, CancelRestriction, Cancelled, Command, ListId, NewOco,
    OrderId, OrderRef, OrderType, Outcome, Refusal,
};
use crate::paper_exchange::errors::ApiError;
use crate::paper_exchange::params::Params;
use crate::paper_exchange::render::{self, orders::ResponseType};

/// Applies a command for a request; refuses when the exchange is stopping.
fn apply(call: &mut Call<'_>, command: &Command) -> Result<Outcome, ApiError> {
    if call.floor.stopping.is_some() {
        return Err(ApiError::shutting_down());
    }
    let outcome = call.floor.apply(call.now_ms, command).map_err(refused)?;
    // The journal failed under this very command: nobody may be told that it is safe.
    if call.floor.stopping.is_some() { Err(ApiError::backend_timeout()) } else { Ok(outcome) }
}

fn unexpected() -> ApiError {
    ApiError::new(-1000, "An unknown error occurred while processing the request.").with_status(500)
}

fn count(call: &mut Call<'_>) {
    if let Some(identity) = call.identity {
        call.floor.limits.count_order(call.now_ms, &identity.name);
    }
}

fn check_count(call: &mut Call<'_>) -> Result<(), ApiError> {
    match call.identity {
        Some(identity) => call.floor.limits.check_orders(call.now_ms, &identity.name),
        None => Err(ApiError::unauthorized()),
    }
}

pub(super) fn place(call: &mut Call<'_>) -> Result<String, ApiError> {
    let order = read(call)?;
    let form = response_type(call.params, order.terms.kind())?;
    check_count(call)?;
    let Outcome::Placed(placed) = apply(call, &Command::Place(order))? else { return Err(unexpected()) };
    if placed.order.status.is_open() {
        count(call);
    }
    Ok(render::orders::placed(&placed, form))
}

pub(super) fn test(call: &mut Call<'_>) -> Result<String, ApiError> {
    let order = read(call)?;
    response_type(call.params, order.terms.kind())?;
    let with_rates = call.params.boolean("computeCommissionRates")?.unwrap_or(false);
    call.floor.exchange.test(call.now_ms, &order).map_err(refused)?;
    if !with_rates {
        return Ok("{}".to_owned());
    }
    let account = call.floor.exchange.account(order.account).map_err(refused)?;
    Ok(render::json(&serde_json::json!({
        "standardCommissionForOrder": {"maker": account.maker, "taker": account.taker},
        "specialCommissionForOrder": {"maker": "0.00000000", "taker": "0.00000000"},
        "taxCommissionForOrder": {"maker": "0.00000000", "taker": "0.00000000"},
        "discount": {"enabledForAccount": false, "enabledForSymbol": false, "discountAsset": "BNB", "discount": "0.00000000"},
    })))
}

/// Which order a request names, by number, by the owner's id, or both.
pub(super) fn order_ref(params: &Params<'_>, id: &str, client: &str) -> Result<OrderRef, ApiError> {
    match (params.unsigned(id)?, client_id(params, client)?) {
        (Some(id), Some(client)) => Ok(OrderRef::Both(OrderId(id), client)),
        (Some(id), None) => Ok(OrderRef::Id(OrderId(id))),
        (None, Some(client)) => Ok(OrderRef::Client(client)),
        (None, None) => Err(ApiError::new(
            -1102,
            format!("Param '{client}' or '{id}' must be sent, but both were empty/null!"),
        )),
    }
}

fn restriction(params: &Params<'_>) -> Result<Option<CancelRestriction>, ApiError> {
    match params.text("cancelRestrictions")? {
        None => Ok(None),
        Some("ONLY_NEW") => Ok(Some(CancelRestriction::OnlyNew)),
        Some("ONLY_PARTIALLY_FILLED") => Ok(Some(CancelRestriction::OnlyPartiallyFilled)),
        Some(_) => Err(ApiError::invalid_data("cancelRestrictions")),
    }
}

pub(super) fn cancel(call: &mut Call<'_>) -> Result<String, ApiError> {
    let request = CancelOrder {
        account: call.account()?,
        symbol: symbol(call)?,
        order: order_ref(call.params, "orderId", "origClientOrderId")?,
        cancel_client_order_id: client_id(call.params, "newClientOrderId")?,
        restriction: restriction(call.params)?,
    };
    match apply(call, &Command::Cancel(request))? {
        Outcome::Cancelled(done) => Ok(render::orders::cancelled(&done)),
        _ => Err(unexpected()),
    }
}

pub(super) fn cancel_all(call: &mut Call<'_>) -> Result<String, ApiError> {
    let (account, symbol) = (call.account()?, symbol(call)?);
    match apply(call, &Command::CancelAll { account, symbol })? {
        Outcome::AllCancelled(done) => {
            let rows: Vec<String> = done.iter().map(render::orders::cancelled).collect();
            Ok(format!("[{}]", rows.join(",")))
        }
        _ => Err(unexpected()),
    }
}

pub(super) fn cancel_replace(call: &mut Call<'_>) -> Result<String, ApiError> {
    let mode = match call.params.required("cancelReplaceMode")? {
        "STOP_ON_FAILURE" => CancelReplaceMode::StopOnFailure,
        "ALLOW_FAILURE" => CancelReplaceMode::AllowFailure,
        _ => return Err(ApiError::invalid_data("cancelReplaceMode")),
    };
    let order = read(call)?;
    let form = response_type(call.params, order.terms.kind())?;
    check_count(call)?;
    let request = CancelReplace {
        mode,
        cancel: order_ref(call.params, "cancelOrderId", "cancelOrigClientOrderId")?,
        cancel_client_order_id: client_id(call.params, "cancelNewClientOrderId")?,
        restriction: restriction(call.params)?,
        order,
    };
    let Outcome::CancelReplaced(done) = apply(call, &Command::CancelReplace(request))? else {
        return Err(unexpected());
    };
    let answer = render::orders::cancel_replaced(&done, form);
    match done.refusal() {
        None => {
            count(call);
            Ok(answer)
        }
        Some(refusal) => {
            // Partly failed is a conflict, wholly failed a bad request; both halves travel as `data`.
            let status = if refusal == Refusal::CancelReplacePartlyFailed { 409 } else { 400 };
            let mut error = refused(refusal).with_status(status);
            error.data = Some(answer.into());
            Err(error)
        }
    }
}

fn place_oco(call: &mut Call<'_>, order: NewOco) -> Result<String, ApiError> {
    let form = match call.params.text("newOrderRespType")? {
        None => ResponseType::Result,
        Some(_) => response_type(call.params, OrderType::LimitMaker)?,
    };
    check_count(call)?;
    match apply(call, &Command::PlaceOco(order))? {
        Outcome::OcoPlaced(placed) => {
            count(call);
            count(call);
            Ok(render::orders::oco(&placed, form))
        }
        _ => Err(unexpected()),
    }
}

pub(super) fn oco(call: &mut Call<'_>) -> Result<String, ApiError> {
    let order = read_oco(call)?;
    place_oco(call, order)
}

pub(super) fn order_list_oco(call: &mut Call<'_>) -> Result<String, ApiError> {
    let order = read_order_list_oco(call)?;
    place_oco(call, order)
}

/// Cancels a list by cancelling one of its legs: the other goes with it.
pub(super) fn cancel_list(call: &mut Call<'_>) -> Result<String, ApiError> {
    let (account, symbol) = (call.account()?, symbol(call)?);
    let number = call.params.unsigned("orderListId")?;
    let client = client_id(call.params, "listClientOrderId")?;
    if number.is_none() && client.is_none() {
        return Err(ApiError::new(
            -1102,
            "Param 'orderListId' or 'listClientOrderId' must be sent, but both were empty/null!",
        ));
    }
    let leg = call
        .floor
        .exchange
        .order_lists()
        .iter()
        .filter(|list| list.account == account && list.symbol == symbol && !list.done)
        .find(|list| {
            number.is_none_or(|number| list.list_id == ListId(number))
                && client.is_none_or(|client| list.list_client_order_id == client)
        })
        .and_then(|list| list.legs.first().copied())
        .ok_or_else(|| refused(Refusal::UnknownOrder))?;
    let request = CancelOrder {
        account,
        symbol,
        order: OrderRef::Id(leg),
        cancel_client_order_id: client_id(call.params, "newClientOrderId")?,
        restriction: None,
    };
    match apply(call, &Command::Cancel(request))? {
        Outcome::Cancelled(done) => {
            let Cancelled { with_list, cancel_client_order_id, .. } = done.as_ref();
            match with_list {
                Some(list) => Ok(render::orders::cancelled_list(list, *cancel_client_order_id)),
                None => Ok(render::orders::cancelled(&done)),
            }
        }
        _ => Err(unexpected()),
    }
}
