//! The gate every request passes: faults, weight, identity, receive window, then the request itself.
//!
//! The order is the venue's: who exceeds the limits learns nothing else; who cannot prove an identity
//! changes nothing. Answers carry what the headers need. No sockets here: REST and the WebSocket API
//! both call [`serve`].

use super::routes::{Access, Effect, Route};
use crate::paper_exchange::engine::{AccountId, Side};
use crate::paper_exchange::errors::ApiError;
use crate::paper_exchange::faults::{Context, OrderVerdict, RequestVerdict, SessionKind};
use crate::paper_exchange::floor::Floor;
use crate::paper_exchange::limits::OrderCounts;
use crate::paper_exchange::params::Params;
use crate::paper_exchange::signing::{check_window, without_signature};
use std::net::IpAddr;

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The peer.
    pub address: IpAddr,
    /// The door.
    pub door: SessionKind,
    /// The session's number; a REST request has its own.
    pub session: u64,
}

/// A proven identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The key.
    pub api_key: String,
    /// Its account.
    pub account: AccountId,
    /// The account's name.
    pub name: String,
}

/// What a request brings to prove its identity.
#[derive(Debug, Clone, Copy)]
pub enum Proof<'a> {
    /// REST: the key's header, and the query and body as received.
    Rest {
        /// `X-MBX-APIKEY`.
        api_key: Option<&'a str>,
        /// The raw query string.
        query: &'a str,
        /// The raw form body.
        body: &'a str,
    },
    /// WebSocket API: key and signature among the parameters, unless the session is logged on.
    Session {
        /// The identity of a logged-on session.
        logged_on: Option<&'a Identity>,
    },
}

/// An answer, and what travels beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status, or the `status` member.
    pub status: u16,
    /// The result, or why not.
    pub outcome: Result<String, ApiError>,
    /// Weight used in this minute.
    pub used_weight: u32,
    /// Order counts, for signed requests.
    pub order_counts: Option<OrderCounts>,
    /// By how much the answer is late on purpose.
    pub delay_ms: u64,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// With an answer.
    Answer(Answer),
    /// Without one, on purpose.
    Silence,
}

/// A request that passed the gate.
#[derive(Debug)]
pub struct Call<'a> {
    /// The exchange.
    pub floor: &'a mut Floor,
    /// The exchange's time, ms since the epoch.
    pub now_ms: i64,
    /// The exchange's time as this client sees it.
    pub client_ms: i64,
    /// The parameters.
    pub params: &'a Params<'a>,
    /// Who asks; present for signed requests.
    pub identity: Option<&'a Identity>,
    /// Whether a fault hides orders from this query.
    pub orders_hidden: bool,
}

impl Call<'_> {
    /// Who asks.
    ///
    /// # Errors
    /// -1002 when nobody proved an identity.
    pub fn account(&self) -> Result<AccountId, ApiError> {
        self.identity.map(|identity| identity.account).ok_or_else(ApiError::unauthorized)
    }
}

/// Decides about a request and carries it out.
pub fn serve(
    floor: &mut Floor,
    now_ms: i64,
    caller: Caller,
    route: &Route,
    params: &Params<'_>,
    proof: Proof<'_>,
) -> Served {
    let claimed = claimed_key(params, proof);
    let account_name = claimed.and_then(|key| floor.keys.find(key).ok()).map(|key| key.account.clone());
    let side = params.text("side").ok().flatten().and_then(Side::from_word);
    let context = Context {
        symbol: params.text("symbol").ok().flatten(),
        account: account_name.as_deref(),
        api_key: claimed,
        side: side.map(crate::paper_exchange::floor::scope_side),
        session: Some(caller.session),
        door: Some(caller.door),
    };
    let weight = route.weight.of(params);
    let passed = admit(floor, now_ms, caller, route, params, proof, &context, weight);
    let (outcome, identity) = match passed {
        Ok(identity) => {
            let outcome = carry_out(floor, now_ms, route, params, identity.as_ref(), &context);
            let Some(outcome) = outcome else { return Served::Silence };
            (outcome, identity)
        }
        Err(error) => (Err(error), None),
    };
    if outcome.is_ok() && matches!(route.effect, Effect::Places | Effect::Changes) {
        floor.limits.refund(now_ms, caller.address, weight);
    }
    let status = outcome.as_ref().map_or_else(|error| error.status, |_| 200);
    Served::Answer(Answer {
        status,
        outcome,
        used_weight: floor.limits.used(now_ms, caller.address),
        order_counts: identity.map(|identity| floor.limits.order_counts(now_ms, &identity.name)),
        delay_ms: floor.faults.at_answer(now_ms, &context),
    })
}

#[expect(clippy::too_many_arguments, reason = "one call site, and each is a different fact of the request")]
fn admit(
    floor: &mut Floor,
    now_ms: i64,
    caller: Caller,
    route: &Route,
    params: &Params<'_>,
    proof: Proof<'_>,
    context: &Context<'_>,
    weight: u32,
) -> Result<Option<Identity>, ApiError> {
    if let RequestVerdict::Refuse(error) = floor.faults.at_request(now_ms, context) {
        return Err(error);
    }
    floor.limits.charge(now_ms, caller.address, weight)?;
    match route.access {
        Access::Public => Ok(None),
        Access::Signed => {
            let client_ms = floor.client_time(now_ms, context);
            identify(floor, client_ms, params, proof).map(Some)
        }
    }
}

/// Carries out what was admitted; `None` when no answer is to be given.
fn carry_out(
    floor: &mut Floor,
    now_ms: i64,
    route: &Route,
    params: &Params<'_>,
    identity: Option<&Identity>,
    context: &Context<'_>,
) -> Option<Result<String, ApiError>> {
    let verdict = match route.effect {
        Effect::Places | Effect::Changes => {
            floor.faults.at_order(now_ms, context, route.effect == Effect::Places)
        }
        Effect::None | Effect::Asks => OrderVerdict::Proceed,
    };
    match &verdict {
        OrderVerdict::Refuse(error) => return Some(Err(error.clone())),
        OrderVerdict::LoseRequest => return None,
        _ => {}
    }
    let orders_hidden = route.effect == Effect::Asks && floor.faults.at_order_query(now_ms, context);
    let client_ms = floor.client_time(now_ms, context);
    let mut call = Call { floor, now_ms, client_ms, params, identity, orders_hidden };
    let outcome = (route.run)(&mut call);
    match verdict {
        OrderVerdict::LoseResponse => None,
        OrderVerdict::PlaceThenError(error) => Some(Err(error)),
        _ => Some(outcome),
    }
}

fn claimed_key<'a>(params: &'a Params<'_>, proof: Proof<'a>) -> Option<&'a str> {
    match proof {
        Proof::Rest { api_key, .. } => api_key,
        Proof::Session { logged_on } => params
            .text("apiKey")
            .ok()
            .flatten()
            .or_else(|| logged_on.map(|identity| identity.api_key.as_str())),
    }
}

/// Verifies who signed a request, and that it is recent.
///
/// # Errors
/// -2014, -2015, -1102, -1022, -1021, -1131.
pub fn identify(
    floor: &Floor,
    client_ms: i64,
    params: &Params<'_>,
    proof: Proof<'_>,
) -> Result<Identity, ApiError> {
    if let Proof::Session { logged_on: Some(identity) } = proof
        && params.text("apiKey")?.is_none()
    {
        let timestamp = params.integer("timestamp")?.ok_or_else(|| ApiError::mandatory("timestamp"))?;
        check_window(client_ms, timestamp, params.integer("recvWindow")?)?;
        return Ok(identity.clone());
    }
    let api_key = match proof {
        Proof::Rest { api_key, .. } => api_key.ok_or_else(ApiError::bad_api_key_format)?,
        Proof::Session { .. } => params.required("apiKey")?,
    };
    let key = floor.keys.find(api_key)?;
    let timestamp = params.integer("timestamp")?.ok_or_else(|| ApiError::mandatory("timestamp"))?;
    let signature = params.required("signature")?;
    let signed = match proof {
        Proof::Rest { query, body, .. } => {
            key.material.verifies(&[&without_signature(query), &without_signature(body)], signature)
        }
        Proof::Session { .. } => key.material.verifies(&[&params.sorted_payload()], signature),
    };
    if !signed {
        return Err(ApiError::bad_signature());
    }
    check_window(client_ms, timestamp, params.integer("recvWindow")?)?;
    let account = floor.account_id(&key.account).ok_or_else(ApiError::unknown_api_key)?;
    Ok(Identity { api_key: api_key.to_owned(), account, name: key.account.clone() })
}
