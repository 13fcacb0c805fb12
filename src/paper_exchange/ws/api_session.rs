//! WebSocket API sessions: the gate's requests, and what belongs to the session itself.
//!
//! Owns the session's identity (`session.*`) and its user-data subscriptions (`userDataStream.*`).
//! Every message gets exactly one answer, unless a fault loses it; a message that is no request is
//! answered with an error and the session lives on. The answer goes out before the events it causes.

use super::market_session::legal_id;
use super::outbox::Outbox;
use crate::paper_exchange::api::gate::{Caller, Identity, Proof, Served, identify, serve};
use crate::paper_exchange::api::routes::by_method;
use crate::paper_exchange::errors::ApiError;
use crate::paper_exchange::faults::{Context, RequestVerdict, SessionKind};
use crate::paper_exchange::floor::{Floor, SharedFloor};
use crate::paper_exchange::limits::OrderCounts;
use crate::paper_exchange::params::Params;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

/// Answers that a fault may delay at once; further ones are not delayed.
const MAX_DELAYED: usize = 4_096;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: &'a str,
    #[serde(borrow, default)]
    params: Params<'a>,
}

/// See the module.
pub(super) struct ApiSession {
    caller: Caller,
    outbox: Rc<Outbox>,
    rate_limits: bool,
    identity: Option<(Identity, i64)>,
    connected_ms: i64,
    delayed: Rc<Cell<usize>>,
}

impl ApiSession {
    pub(super) fn new(id: u64, address: IpAddr, outbox: Rc<Outbox>, rate_limits: bool) -> Self {
        let caller = Caller { address, door: SessionKind::WsApi, session: id };
        let connected_ms = crate::clock::wall_millis();
        Self { caller, outbox, rate_limits, identity: None, connected_ms, delayed: Rc::default() }
    }

    pub(super) fn on_text(&mut self, floor: &SharedFloor, now_ms: i64, text: &[u8]) {
        let mut floor = floor.borrow_mut();
        let floor = &mut *floor;
        let request: Request<'_> = match serde_json::from_slice(text) {
            Ok(request) => request,
            Err(error) => {
                let error = ApiError::invalid_json(&error.to_string());
                return self.answer(floor, now_ms, "null", Err(error), None, 0);
            }
        };
        let id = request.id.map_or("null", RawValue::get);
        if !legal_id(id) {
            let error = ApiError::new(-1100, "Illegal request id: a whole number, a short text or null.");
            return self.answer(floor, now_ms, "null", Err(error), None, 0);
        }
        if let Some(route) = by_method(request.method) {
            let proof = Proof::Session { logged_on: self.identity.as_ref().map(|(identity, _)| identity) };
            match serve(floor, now_ms, self.caller, route, &request.params, proof) {
                Served::Answer(answer) => {
                    self.answer(floor, now_ms, id, answer.outcome, answer.order_counts, answer.delay_ms);
                }
                Served::Silence => {}
            }
            floor.publish(now_ms);
        } else {
            let outcome = self.session_method(floor, now_ms, request.method, &request.params);
            self.answer(floor, now_ms, id, outcome, None, 0);
        }
    }

    fn answer(
        &self,
        floor: &Floor,
        now_ms: i64,
        id: &str,
        outcome: Result<String, ApiError>,
        counts: Option<OrderCounts>,
        delay_ms: u64,
    ) {
        let limits = if self.rate_limits { self.limits(floor, now_ms, counts) } else { String::new() };
        let parts: [&str; 6] = match &outcome {
            Ok(result) => [r#"{"id":"#, id, r#","status":200,"result":"#, result, &limits, "}"],
            Err(error) => {
                let status = error.status.to_string();
                let body = ws_error(error, now_ms);
                let head = format!(r#","status":{status},"error":{body}"#);
                return self.send(&[r#"{"id":"#, id, &head, &limits, "}"], delay_ms);
            }
        };
        self.send(&parts, delay_ms);
    }

    fn send(&self, parts: &[&str], delay_ms: u64) {
        if delay_ms == 0 || self.delayed.get() >= MAX_DELAYED {
            return self.outbox.text(parts);
        }
        let (frame, outbox, delayed) = (parts.concat(), Rc::clone(&self.outbox), Rc::clone(&self.delayed));
        delayed.set(delayed.get() + 1);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            outbox.text(&[&frame]);
            delayed.set(delayed.get().saturating_sub(1));
        });
    }

    fn limits(&self, floor: &Floor, now_ms: i64, counts: Option<OrderCounts>) -> String {
        let settings = floor.limits.settings();
        let used = floor.limits.used(now_ms, self.caller.address);
        let weight = format!(
            r#"{{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":{},"count":{used}}}"#,
            settings.weight_per_minute
        );
        let orders = counts.map_or_else(String::new, |counts| {
            format!(
                r#"{{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":{},"count":{}}},{{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":{},"count":{}}},"#,
                settings.orders_per_ten_seconds, counts.ten_seconds, settings.orders_per_day, counts.day
            )
        });
        format!(r#","rateLimits":[{orders}{weight}]"#)
    }

    fn session_method(
        &mut self,
        floor: &mut Floor,
        now_ms: i64,
        method: &str,
        params: &Params<'_>,
    ) -> Result<String, ApiError> {
        let context = Context {
            api_key: params.text("apiKey").ok().flatten(),
            session: Some(self.caller.session),
            door: Some(SessionKind::WsApi),
            ..Context::default()
        };
        if let RequestVerdict::Refuse(error) = floor.faults.at_request(now_ms, &context) {
            return Err(error);
        }
        floor.limits.charge(now_ms, self.caller.address, 2)?;
        let client_ms = floor.client_time(now_ms, &context);
        match method {
            "session.logon" => self.log_on(floor, client_ms, params),
            "session.status" => Ok(self.status(client_ms)),
            "session.logout" => {
                self.identity = None;
                floor.terminate_user_data(now_ms, self.caller.session, None);
                Ok(self.status(client_ms))
            }
            "session.subscriptions" => Ok(self.subscriptions(floor)),
            "userDataStream.subscribe" => {
                let (identity, _) = self.identity.as_ref().ok_or_else(ApiError::unauthorized)?;
                self.subscribe(floor, identity)
            }
            "userDataStream.subscribe.signature" => {
                let identity = identify(floor, client_ms, params, Proof::Session { logged_on: None })?;
                self.subscribe(floor, &identity)
            }
            "userDataStream.unsubscribe" => {
                let number = params.unsigned("subscriptionId")?;
                let ended = floor.terminate_user_data(now_ms, self.caller.session, number);
                if ended == 0 && number.is_some() {
                    Err(ApiError::invalid_data("subscriptionId"))
                } else {
                    Ok("{}".to_owned())
                }
            }
            other => Err(ApiError::new(-1020, format!("This operation is not supported: {other}"))),
        }
    }

    fn log_on(&mut self, floor: &Floor, client_ms: i64, params: &Params<'_>) -> Result<String, ApiError> {
        let identity = identify(floor, client_ms, params, Proof::Session { logged_on: None })?;
        if !floor.keys.find(&identity.api_key)?.material.may_log_on() {
            return Err(ApiError::new(-4056, "HMAC_SHA256 API key is not supported.").with_status(401));
        }
        self.identity = Some((identity, client_ms));
        Ok(self.status(client_ms))
    }

    fn status(&self, client_ms: i64) -> String {
        let (key, since) = match &self.identity {
            Some((identity, since)) => (Some(identity.api_key.as_str()), Some(*since)),
            None => (None, None),
        };
        json!({
            "apiKey": key, "authorizedSince": since, "connectedSince": self.connected_ms,
            "returnRateLimits": self.rate_limits, "serverTime": client_ms, "userDataStream": false,
        })
        .to_string()
    }

    fn subscriptions(&self, floor: &Floor) -> String {
        let session = floor.registry.get(self.caller.session);
        let user = session.map_or(&[][..], |session| session.user.as_slice());
        let rows: Vec<_> = user.iter().map(|user| json!({"subscriptionId": user.number})).collect();
        json!(rows).to_string()
    }

    fn subscribe(&self, floor: &mut Floor, identity: &Identity) -> Result<String, ApiError> {
        let number = floor.registry.own(self.caller.session, identity.account, &identity.api_key);
        match number {
            Some(number) => Ok(json!({"subscriptionId": number}).to_string()),
            None => {
                Err(ApiError::new(-1003, "Too many user data subscriptions on this connection.")
                    .with_status(429))
            }
        }
    }
}

/// The `error` member: limits add when to come back.
fn ws_error(error: &ApiError, now_ms: i64) -> String {
    match error.retry_after_seconds {
        Some(seconds) if error.data.is_none() => {
            let wait_ms = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000);
            json!({
                "code": error.code, "msg": error.msg,
                "data": {"serverTime": now_ms, "retryAfter": now_ms.saturating_add(wait_ms)},
            })
            .to_string()
        }
        _ => error.body(),
    }
}
