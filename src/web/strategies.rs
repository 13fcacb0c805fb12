//! `/api/v1/strategies`: which there are, whether they may trade, and switching them.

use super::desk::Caller;
use super::fields::{Fields, Members, reason};
use super::gate::Noted;
use super::pages::whole;
use super::problem::Problem;
use super::state::WebState;
use crate::actors::oms::Ask;
use crate::domain::ids::StrategyId;
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use serde_json::{Value, json};

/// `GET /api/v1/strategies`.
pub(super) async fn list(state: Data<WebState>) -> Result<HttpResponse, Problem> {
    state.oms()?;
    let strategies = state.readings.oms.view().strategies;
    let items: Vec<Value> =
        strategies.iter().map(|(name, enabled)| json!({"name": name.as_str(), "enabled": enabled})).collect();
    Ok(HttpResponse::Ok().json(whole(&items)))
}

/// `POST /api/v1/strategies/{name}/enable` with `{reason}`.
pub(super) async fn enable(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    path: Path<String>,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    switch(&state, &caller, noted, &path, body.into_inner(), true).await
}

/// `POST /api/v1/strategies/{name}/disable` with `{reason}`: no new orders of it. A built-in strategy takes its
/// working orders back; those of `manual` go on working.
pub(super) async fn disable(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    path: Path<String>,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    switch(&state, &caller, noted, &path, body.into_inner(), false).await
}

async fn switch(
    state: &WebState,
    caller: &Caller,
    noted: Noted,
    name: &str,
    body: Members,
    enabled: bool,
) -> Result<HttpResponse, Problem> {
    let strategy = StrategyId::new(name).map_err(|error| Problem::not_found(error.to_string()))?;
    let mut fields = Fields::new(body);
    let why = fields.required("reason", reason);
    let why = fields.finish(|| why)?;
    let ask = Ask::SwitchStrategy { strategy, enabled, by: caller.because(why) };
    Ok(HttpResponse::Ok().json(state.ask_noted(ask, noted).await?.body()))
}

/// `POST /api/v1/strategies/{name}/re-enable` with `{reason}`: a named person looked at a strategy that its own
/// executions had stopped. 409 where nothing had stopped it.
pub(super) async fn re_enable(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    path: Path<String>,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let strategy = StrategyId::new(&path).map_err(|error| Problem::not_found(error.to_string()))?;
    let mut fields = Fields::new(body.into_inner());
    let why = fields.required("reason", reason);
    let why = fields.finish(|| why)?;
    let ask = Ask::ReEnable { strategy, by: caller.because(why) };
    Ok(HttpResponse::Ok().json(state.ask_noted(ask, noted).await?.body()))
}
