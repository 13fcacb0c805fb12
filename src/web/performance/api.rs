//! `GET /api/v1/performance` and `/api/v1/performance/equity`: figures and curves from what was observed.
//!
//! Figures are of the last observation, not of this instant: two readers a second apart read the same. What cannot be
//! said answers its reason (`{"undefined": ...}`).

use super::super::problem::Problem;
use super::super::state::WebState;
use super::super::wire::time;
use super::question::{Figures, Parameters, Question};
use crate::domain::kpi::{Scope, curve};
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde_json::json;

/// `GET /api/v1/performance?strategy=&venue=&period=&clock_seconds=`: of one strategy or venue when one is named, else
/// of all together, of each strategy and of each venue.
pub(in crate::web) async fn figures(
    state: Data<WebState>,
    parameters: Query<Parameters>,
) -> Result<HttpResponse, Problem> {
    let question = Question::read(&state, &parameters)?;
    let latest = state.readings.performance.latest();
    let items = answers(&state, &question).await?;
    Ok(HttpResponse::Ok().json(json!({
        "period": question.period,
        "sample_seconds": question.plan.sample.as_secs(),
        "observed_at": latest.observed_at.and_then(time),
        "failure": latest.failure,
        "items": items,
    })))
}

/// The scopes that a question is about, each with its figures.
pub(super) async fn answers(state: &WebState, question: &Question) -> Result<Vec<Figures>, Problem> {
    let scopes = if question.scope == Scope::default() {
        let known = state.readings.performance.latest().scopes;
        let one = |scope: &Scope| scope.strategy.is_none() || scope.venue.is_none();
        let known: Vec<Scope> = known.into_iter().filter(one).collect();
        if known.is_empty() { vec![Scope::default()] } else { known }
    } else {
        vec![question.scope.clone()]
    };
    let mut items = Vec::with_capacity(scopes.len());
    for scope in scopes {
        items.push(question.figures(state, scope).await?);
    }
    Ok(items)
}

/// `GET /api/v1/performance/equity?strategy=&venue=&period=&clock_seconds=`: a curve for a chart.
pub(in crate::web) async fn equity(
    state: Data<WebState>,
    parameters: Query<Parameters>,
) -> Result<HttpResponse, Problem> {
    let question = Question::read(&state, &parameters)?;
    let (points, clock) = question.curve(&state, &question.scope).await?;
    let costs = question.costs(&question.scope);
    Ok(HttpResponse::Ok().json(json!({
        "strategy": question.scope.strategy,
        "venue": question.scope.venue,
        "period": question.period,
        "clock_seconds": clock.div_euclid(1_000),
        "budget": costs.budget.as_ref().map(|(_, budget)| budget),
        "asset": costs.budget.as_ref().map(|(asset, _)| asset),
        "points": curve(&points, clock, &costs),
    })))
}
