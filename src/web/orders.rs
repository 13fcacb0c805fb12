//! `/api/v1/orders`: place, list, read, cancel, replace and resolve.

use super::desk::Caller;
use super::fields::{Fields, Members, reason};
use super::order_requests;
use super::pages::{Page, query_id, wrong_query};
use super::problem::Problem;
use super::state::WebState;
use super::wire::OrderView;
use crate::actors::oms::Ask;
use crate::db::OrderFilter;
use crate::domain::ids::{ClientOrderId, StrategyId, Symbol};
use crate::domain::oms::{Answer, Resolution};
use crate::domain::order::{Order, OrderNumber};
use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;
use serde_json::json;

/// `POST /api/v1/orders`: 202 once the intent is on disk; the same `client_order_id` again is the same order.
///
/// 422 names every wrong value or the refusal; 409 contradicts the state; 503 with `nothing_taken`, or with
/// `outcome_unknown` and the order to read.
pub(super) async fn submit(state: Data<WebState>, body: Json<Members>) -> Result<HttpResponse, Problem> {
    state.oms()?;
    let view = state.readings.oms.view();
    let venues: Vec<_> = view.gates.into_iter().map(|gate| gate.venue).collect();
    if venues.is_empty() {
        return Err(Problem::unavailable("the venues are not known yet: the order path is starting"));
    }
    let request = order_requests::order(body.into_inner(), &venues)?;
    let id = request.client_order_id.clone();
    taken(state.ask(Ask::Submit(request), id.as_ref()).await?)
}

/// Which orders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    state: Option<String>,
    strategy: Option<String>,
    symbol: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

/// `GET /api/v1/orders?state=open|all&strategy=&symbol=&after=&limit=`: in the order of their making; open ones
/// unless asked otherwise.
pub(super) async fn list(state: Data<WebState>, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let page = Page::read(query.after.as_deref(), query.limit.as_deref())?;
    let open_only = match query.state.as_deref() {
        None | Some("open") => true,
        Some("all") => false,
        Some(_) => return Err(wrong_query("state", "must be open or all")),
    };
    let filter = OrderFilter {
        open_only,
        strategy: query_id::<StrategyId>("strategy", query.strategy.as_deref())?,
        symbol: query_id::<Symbol>("symbol", query.symbol.as_deref())?,
    };
    let after = page.after.map(OrderNumber);
    let orders = state.read(move |books| books.orders(&filter, after, page.limit)).await?;
    let items: Vec<OrderView<'_>> = orders.iter().map(OrderView::from).collect();
    Ok(HttpResponse::Ok().json(page.answer(&items, orders.last().map(|order| order.number.0))))
}

/// `GET /api/v1/orders/{client_order_id}`.
pub(super) async fn get(state: Data<WebState>, path: Path<String>) -> Result<HttpResponse, Problem> {
    let id = order_id(&path)?;
    let wanted = id.clone();
    let order = state.read(move |books| books.order(&wanted)).await?;
    let order = order.ok_or_else(|| Problem::not_found(format!("no order {id}")))?;
    Ok(HttpResponse::Ok().json(OrderView::from(&order)))
}

/// Why an order is cancelled.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelQuery {
    reason: Option<String>,
}

/// `DELETE /api/v1/orders/{client_order_id}[?reason=]`: 202 with the order as it stands; the cancel is under way
/// unless the order is final already.
pub(super) async fn cancel(
    state: Data<WebState>,
    caller: Caller,
    path: Path<String>,
    query: Query<CancelQuery>,
) -> Result<HttpResponse, Problem> {
    let order = order_id(&path)?;
    let why = match query.into_inner().reason {
        Some(text) => reason(&text).map_err(|detail| wrong_query("reason", detail))?,
        None => "a cancel by id".to_owned(),
    };
    let ask = Ask::Cancel { order: order.clone(), by: caller.because(why) };
    taken(state.ask(ask, Some(&order)).await?)
}

/// `POST /api/v1/orders/{client_order_id}/replace` with `{client_order_id?, price, quantity, reason?}`: cancels the
/// order and places another in its stead once it is final. 202 with the new order once its intent is on disk.
pub(super) async fn replace(
    state: Data<WebState>,
    caller: Caller,
    path: Path<String>,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let (request, why) = order_requests::replace(order_id(&path)?, body.into_inner())?;
    let id = request.client_order_id.clone();
    let by = caller.because(why.unwrap_or_else(|| "a replacement".to_owned()));
    taken(state.ask(Ask::Replace { request, by }, id.as_ref()).await?)
}

/// `POST /api/v1/orders/{client_order_id}/resolve` with `{as: absent|query|resend, reason}`: an operator's word on
/// an order whose outcome is unknown.
pub(super) async fn resolve(
    state: Data<WebState>,
    caller: Caller,
    path: Path<String>,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let order = order_id(&path)?;
    let mut fields = Fields::new(body.into_inner());
    let how = fields.required("as", resolution);
    let why = fields.required("reason", reason);
    let (resolution, why) = fields.finish(|| Some((how?, why?)))?;
    let ask = Ask::Resolve { order: order.clone(), resolution, by: caller.because(why) };
    match state.ask(ask, Some(&order)).await? {
        Answer::Done => Ok(HttpResponse::Accepted().json(json!({"client_order_id": order.as_str()}))),
        answer => taken(answer),
    }
}

fn resolution(word: &str) -> Result<Resolution, &'static str> {
    match word {
        "absent" => Ok(Resolution::Absent),
        "query" => Ok(Resolution::QueryAgain),
        "resend" => Ok(Resolution::Resend),
        _ => Err("must be absent, query or resend"),
    }
}

/// 202 with the order's id and state.
fn taken(answer: Answer) -> Result<HttpResponse, Problem> {
    match answer {
        Answer::Accepted(order) | Answer::CancelTaken(order) => Ok(accepted(&order)),
        other => Err(Problem::internal(format!("an answer of another kind: {other:?}"))),
    }
}

fn accepted(order: &Order) -> HttpResponse {
    let id = order.client_order_id.as_str();
    HttpResponse::Accepted()
        .insert_header((LOCATION, format!("/api/v1/orders/{id}")))
        .json(json!({"client_order_id": id, "state": order.state.word()}))
}

/// The id in a path. Adopted orders carry the ids of others, whose alphabet is wider than ours.
fn order_id(text: &str) -> Result<ClientOrderId, Problem> {
    ClientOrderId::from_venue(text).map_err(|error| Problem::not_found(error.to_string()))
}
