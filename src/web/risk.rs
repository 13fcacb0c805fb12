//! `/api/v1/risk`: how full the limits are, what the chain would say of an order, and letting one order through.

use super::desk::Caller;
use super::fields::{Fields, Members, reason};
use super::gate::Noted;
use super::order_requests;
use super::problem::Problem;
use super::state::WebState;
use super::wire::time;
use crate::actors::oms::Ask;
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::domain::money::Quantity;
use crate::domain::oms::Answer;
use crate::domain::order_types::Side;
use crate::domain::risk::{LIFTABLE, Override, Proposal};
use crate::domain::time::Mono;
use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde_json::json;

/// Longest life of an override.
const OVERRIDE_SECONDS_MAX: u64 = 3_600;

/// `GET /api/v1/risk`: all gauges, tightest first; limits that stand broken; strategies that stand latched.
pub(super) async fn show(state: Data<WebState>) -> Result<HttpResponse, Problem> {
    state.oms()?;
    let risk = state.readings.oms.risk();
    Ok(HttpResponse::Ok().json(json!({
        "limits_id": risk.limits,
        "gauges": risk.gauges,
        "breaches": risk.breaches,
        "latches": risk.latches,
        "restraints": risk.restraints,
        "at": risk.at.and_then(time),
    })))
}

/// `POST /api/v1/risk/evaluate` with the body of an order: would it be denied? The same chain; nothing is sent, nothing
/// is counted. 200 whatever the verdict, with every check, its inputs, its limit and the distance between the two.
pub(super) async fn evaluate(state: Data<WebState>, body: Json<Members>) -> Result<HttpResponse, Problem> {
    state.oms()?;
    let venues: Vec<_> = state.readings.oms.view().gates.into_iter().map(|gate| gate.venue).collect();
    if venues.is_empty() {
        return Err(Problem::unavailable("the venues are not known yet: the order path is starting"));
    }
    let request = order_requests::order(body.into_inner(), &venues)?;
    let ask = Ask::Explain(Box::new(Proposal::of_request(&request)));
    match state.ask(ask, None).await? {
        Answer::Explained(explained) => Ok(HttpResponse::Ok().json(explained)),
        other => Err(Problem::internal(format!("an answer of another kind: {other:?}"))),
    }
}

/// `POST /api/v1/risk/overrides` with `{strategy, venue, symbol, side, max_quantity, lifts, expires_seconds, reason}`:
/// lets one order through that the codes in `lifts` (separated by commas) would deny. Used up by that order.
pub(super) async fn grant(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    body: Json<Members>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::new(body.into_inner());
    let strategy = fields.required("strategy", StrategyId::new);
    let venue = fields.required("venue", VenueId::new);
    let symbol = fields.required("symbol", Symbol::new);
    let side = fields.required("side", side);
    let max_quantity = fields.required("max_quantity", Quantity::parse);
    let lifts = fields.required("lifts", lifts);
    let seconds = fields.required("expires_seconds", seconds);
    let why = fields.required("reason", reason);
    let (over, seconds) = fields.finish(|| {
        let by = caller.because(why?);
        let over = Override {
            strategy: strategy?,
            venue: venue?,
            symbol: symbol?,
            side: side?,
            max_quantity: max_quantity?,
            lifts: lifts?,
            reason: by.reason,
            by: by.name,
            expires: Mono(0),
        };
        Some((over, seconds?))
    })?;
    let ask = Ask::Grant { over: Box::new(over), for_ms: seconds.saturating_mul(1_000) };
    Ok(HttpResponse::Ok().json(state.ask_noted(ask, noted).await?.body()))
}

fn side(word: &str) -> Result<Side, &'static str> {
    match word {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        _ => Err("must be buy or sell"),
    }
}

fn lifts(text: &str) -> Result<Vec<String>, String> {
    let codes: Vec<String> = text
        .split(',')
        .map(|code| code.trim().to_ascii_uppercase())
        .filter(|code| !code.is_empty())
        .collect();
    match codes.iter().find(|code| !LIFTABLE.contains(&code.as_str())) {
        None if codes.is_empty() => Err("names no code".to_owned()),
        None => Ok(codes),
        Some(code) => Err(format!("{code} cannot be lifted; these can: {}", LIFTABLE.join(", "))),
    }
}

fn seconds(text: &str) -> Result<u64, String> {
    let allowed = || format!("must be a whole number of seconds from 1 to {OVERRIDE_SECONDS_MAX}");
    let seconds: u64 = text.parse().map_err(|_| allowed())?;
    if (1..=OVERRIDE_SECONDS_MAX).contains(&seconds) { Ok(seconds) } else { Err(allowed()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lifted_is_named_in_full() {
        assert_eq!(lifts("position_limit, LEVERAGE").unwrap(), ["POSITION_LIMIT", "LEVERAGE"]);
        for bad in ["", " , ", "TRADING_HALTED", "position_limit,nonsense"] {
            assert!(lifts(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_override_lives_for_an_hour_at_most() {
        assert_eq!(seconds("3600"), Ok(3_600));
        for bad in ["0", "3601", "-1", "1.5", "forever"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
