//! The control routes under `/paper/v1`: truth, faults, sessions, market, deposits.
//!
//! For tests and drills only. They stand outside the gate: no fault, limit or key applies to them, so a
//! drill can always be ended. They answer `application/json`; errors are `{"error": "..."}`.

use crate::clock;
use crate::paper_exchange::engine::{Amount, Asset, Command, Order};
use crate::paper_exchange::faults::{FaultKind, FaultSpec};
use crate::paper_exchange::floor::{Floor, SharedFloor};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

type Shared = web::ThinData<SharedFloor>;

/// Adds the control routes.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/paper/v1/truth", web::get().to(truth))
        .route("/paper/v1/faults", web::get().to(list_faults))
        .route("/paper/v1/faults", web::post().to(plant_fault))
        .route("/paper/v1/faults", web::delete().to(heal_all))
        .route("/paper/v1/faults/{id}", web::delete().to(heal_one))
        .route("/paper/v1/sessions", web::get().to(sessions))
        .route("/paper/v1/market", web::get().to(market))
        .route("/paper/v1/market", web::post().to(hold_market))
        .route("/paper/v1/deposits", web::post().to(deposit))
        .route("/paper/v1/user-streams", web::delete().to(terminate_user_streams));
}

fn wrong(status: StatusCode, error: impl std::fmt::Display) -> HttpResponse {
    HttpResponse::build(status).json(json!({"error": error.to_string()}))
}

fn read<T: for<'a> Deserialize<'a>>(body: &web::Bytes) -> Result<T, String> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| error.to_string())
}

fn rfc3339(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms)
        .map_or_else(|| ms.to_string(), |at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

async fn truth(floor: Shared) -> HttpResponse {
    let floor = floor.0.borrow();
    let account = |id| floor.account_name(id).to_owned();
    let exchange = &floor.exchange;
    let orders: Vec<_> = exchange.orders().iter().map(|order| order_truth(&floor, order)).collect();
    let trades: Vec<_> = exchange
        .fills()
        .iter()
        .map(|fill| {
            json!({
                "trade_id": fill.trade_id, "order_id": fill.order_id, "account": account(fill.account),
                "symbol": fill.symbol, "side": fill.side, "quantity": fill.quantity, "price": fill.price,
                "commission": fill.commission, "commission_asset": fill.commission_asset,
                "is_maker": fill.is_maker, "at": rfc3339(fill.at_ms),
            })
        })
        .collect();
    let balances: Vec<_> = exchange
        .accounts()
        .filter_map(|id| exchange.account(id).ok())
        .flat_map(|view| {
            let name = account(view.account);
            view.balances
                .into_iter()
                .map(move |line| json!({"account": name, "asset": line.asset, "free": line.free, "locked": line.locked}))
        })
        .collect();
    HttpResponse::Ok().json(json!({
        "orders": orders, "trades": trades, "balances": balances,
        "duplicate_client_order_ids_refused": exchange.duplicate_client_order_ids_refused(),
    }))
}

fn order_truth(floor: &Floor, order: &Order) -> serde_json::Value {
    json!({
        "client_order_id": order.client_order_id, "order_id": order.order_id,
        "account": floor.account_name(order.account), "symbol": order.symbol, "side": order.side,
        "type": order.kind, "price": order.price, "status": order.status, "quantity": order.quantity,
        "executed_quantity": order.executed, "accepted_at": rfc3339(order.accepted_ms),
    })
}

async fn list_faults(floor: Shared) -> HttpResponse {
    let mut floor = floor.0.borrow_mut();
    let faults = floor.faults.list(clock::wall_millis());
    HttpResponse::Ok().json(json!({"items": faults, "next": null}))
}

async fn plant_fault(body: web::Bytes, floor: Shared) -> HttpResponse {
    let spec: FaultSpec = match read(&body) {
        Ok(spec) => spec,
        Err(why) => return wrong(StatusCode::UNPROCESSABLE_ENTITY, why),
    };
    let kind = match spec.kind() {
        Ok(kind) => kind,
        Err(error) => return wrong(StatusCode::UNPROCESSABLE_ENTITY, error),
    };
    let now_ms = clock::wall_millis();
    let mut floor = floor.0.borrow_mut();
    let id = match floor.faults.plant(now_ms, kind, &spec) {
        Ok(id) => id,
        Err(error) => return wrong(StatusCode::CONFLICT, error),
    };
    floor.strike_sessions(now_ms);
    if kind == FaultKind::Disconnect && spec.for_seconds.is_none() && spec.count.is_none() {
        // "Disconnect" alone means: everybody who is connected now.
        floor.faults.heal(id);
    }
    HttpResponse::Created().json(json!({"id": id}))
}

async fn heal_all(floor: Shared) -> HttpResponse {
    let healed = floor.0.borrow_mut().faults.heal_all();
    HttpResponse::Ok().json(json!({"healed": healed}))
}

async fn heal_one(id: web::Path<String>, floor: Shared) -> HttpResponse {
    let healed = id.parse().is_ok_and(|id| floor.0.borrow_mut().faults.heal(id));
    match healed {
        true => HttpResponse::Ok().json(json!({"healed": 1})),
        false => wrong(StatusCode::NOT_FOUND, format_args!("no fault {id} is in force")),
    }
}

async fn sessions(floor: Shared) -> HttpResponse {
    let floor = floor.0.borrow();
    let items: Vec<_> = floor
        .registry
        .iter()
        .map(|session| {
            let streams: Vec<String> = session.streams.iter().map(ToString::to_string).collect();
            let accounts: Vec<&str> =
                session.user.iter().map(|user| floor.account_name(user.account)).collect();
            json!({
                "id": session.id, "kind": session.door, "address": session.address.to_string(),
                "opened_at": rfc3339(session.opened_ms), "streams": streams, "accounts": accounts,
                "waiting_bytes": session.outbox.waiting_bytes(),
            })
        })
        .collect();
    HttpResponse::Ok().json(json!({"items": items, "next": null, "counts": floor.stats}))
}

async fn market(floor: Shared) -> HttpResponse {
    let floor = floor.0.borrow();
    HttpResponse::Ok().json(json!({"held": floor.market_held, "events": floor.stats.market_events}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    hold: bool,
}

async fn hold_market(body: web::Bytes, floor: Shared) -> HttpResponse {
    match read::<Hold>(&body) {
        Ok(wish) => {
            floor.0.borrow_mut().hold_market(wish.hold);
            market(floor).await
        }
        Err(why) => wrong(StatusCode::UNPROCESSABLE_ENTITY, why),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deposit {
    account: String,
    asset: Asset,
    amount: Amount,
}

async fn deposit(body: web::Bytes, floor: Shared) -> HttpResponse {
    let deposit: Deposit = match read(&body) {
        Ok(deposit) => deposit,
        Err(why) => return wrong(StatusCode::UNPROCESSABLE_ENTITY, why),
    };
    let now_ms = clock::wall_millis();
    let mut floor = floor.0.borrow_mut();
    let Some(account) = floor.account_id(&deposit.account) else {
        return wrong(StatusCode::NOT_FOUND, format_args!("account: {:?} is unknown", deposit.account));
    };
    let adjust = Command::Adjust { account, asset: deposit.asset, delta: deposit.amount };
    match floor.apply(now_ms, &adjust) {
        Ok(_) => {
            floor.publish(now_ms);
            HttpResponse::Ok().json(json!({}))
        }
        Err(refusal) => wrong(StatusCode::UNPROCESSABLE_ENTITY, refusal),
    }
}

async fn terminate_user_streams(floor: Shared) -> HttpResponse {
    let now_ms = clock::wall_millis();
    let mut floor = floor.0.borrow_mut();
    let sessions: Vec<u64> = floor.registry.iter().map(|session| session.id).collect();
    let ended: usize = sessions.into_iter().map(|id| floor.terminate_user_data(now_ms, id, None)).sum();
    HttpResponse::Ok().json(json!({"terminated": ended}))
}
