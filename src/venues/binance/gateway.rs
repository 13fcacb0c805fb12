//! The venue's operations, over whichever transport is fit: builds, paces, signs, sends, judges, decodes.
//!
//! The outcome policy lives here, once: what comes out of [`Gateway::place`] and [`Gateway::cancel`] is
//! confirmed, definitely refused, denied here, or UNKNOWN.

use super::config::OrderPath;
use super::errors::{Verdict, judge};
use super::last_hop::Hop;
use super::messages::api::ServerTime;
use super::messages::{DecodeError, info, order, words};
use super::pacing::Purpose;
use super::params::Params;
use super::rest::Rest;
use super::shared::Shared;
use super::ws_api::Command;
use super::ws_calls::{Answer, Call, CallFailure, CallResult};
use crate::domain::connection::State;
use crate::domain::ids::{ClientOrderId, Symbol, TradeId};
use crate::domain::order_types::{Balance, CancelOrder, Fill, NewOrder, OrderReport, OrderType, TimeInForce};
use crate::domain::outcome::{Denial, Outcome, ReadError, RejectClass, Rejection, UnknownWhy};
use crate::venues::{ExchangeInfo, Lookup};
use reqwest::Method;
use std::rc::Rc;
use tokio::sync::{mpsc, oneshot};

/// Fills per page, the venue's largest.
const PAGE: usize = 1_000;
/// Most pages of one recovery; a longer gap must be closed from the journal's side.
const MAX_PAGES: usize = 50;
/// Instruments up to which open orders are cheaper one by one (6 each) than all at once (80).
const OPEN_ORDERS_ONE_BY_ONE: usize = 13;

/// One operation on either transport.
struct Op {
    ws: &'static str,
    http: Method,
    path: &'static str,
    weight: u32,
    purpose: Purpose,
    signed: bool,
    params: Params,
    timeout_ms: u64,
    places: Option<ClientOrderId>,
}

/// Sends operations for one venue.
pub(super) struct Gateway {
    shared: Rc<Shared>,
    rest: Rc<Rest>,
    session: mpsc::Sender<Command>,
}

/// How an operation ended, before its result is decoded.
enum Ended {
    Done(String),
    Refused(Rejection),
    Absent(Rejection),
    NotSent(Denial),
    Unknown(UnknownWhy),
}

impl Gateway {
    pub(super) fn new(shared: Rc<Shared>, rest: Rc<Rest>, session: mpsc::Sender<Command>) -> Self {
        Self { shared, rest, session }
    }

    // ---- orders

    pub(super) async fn place(&self, new: NewOrder) -> Outcome<OrderReport> {
        if let Err(denial) = self.may_place(&new) {
            return Outcome::DeniedHere(denial);
        }
        let op = Op {
            ws: "order.place",
            http: Method::POST,
            path: "/api/v3/order",
            weight: 0,
            purpose: Purpose::Order,
            signed: true,
            params: place_params(&new),
            timeout_ms: self.shared.config.order_timeout_ms,
            places: Some(new.client_order_id.clone()),
        };
        let over_rest = self.shared.config.order_path == OrderPath::Rest;
        self.outcome(self.execute(op, over_rest).await)
    }

    pub(super) async fn cancel(&self, cancel: CancelOrder) -> Outcome<OrderReport> {
        let params = Params::new()
            .text("symbol", cancel.symbol.to_string())
            .text("origClientOrderId", cancel.client_order_id.to_string());
        let op = Op {
            ws: "order.cancel",
            http: Method::DELETE,
            path: "/api/v3/order",
            weight: 0,
            purpose: Purpose::Protect,
            signed: true,
            params,
            timeout_ms: self.shared.config.order_timeout_ms,
            places: None,
        };
        let over_rest = self.shared.config.order_path == OrderPath::Rest;
        self.outcome(self.execute(op, over_rest).await)
    }

    fn may_place(&self, new: &NewOrder) -> Result<(), Denial> {
        let state = self.shared.order_state.get();
        match state {
            State::Live => {}
            State::Authenticating | State::Syncing | State::Stale => {
                return Err(Denial::StreamReconciling { state: state.name() });
            }
            State::Disconnected | State::Connecting | State::Backoff => {
                return Err(Denial::NotConnected { state: state.name() });
            }
        }
        if matches!(new.order_type, OrderType::Other(_))
            || matches!(new.time_in_force, Some(TimeInForce::Other(_)))
        {
            return Err(Denial::Unsupported { feature: "order type or time in force" });
        }
        let offset_ms = self.shared.offset.borrow().sample().map_or(0, |sample| sample.offset_ms);
        match self.shared.config.max_clock_offset_ms {
            Some(limit_ms) if offset_ms.saturating_abs() > limit_ms => {
                Err(Denial::ClockOffset { offset_ms, limit_ms })
            }
            _ => Ok(()),
        }
    }

    fn outcome(&self, ended: Ended) -> Outcome<OrderReport> {
        match ended {
            Ended::Done(text) => match order::decode_order(&text) {
                Ok(report) => {
                    self.shared.view.borrow_mut().note_report(&report);
                    Outcome::Confirmed(report)
                }
                // Done, but how? Only a query can tell.
                Err(error) => Outcome::Unknown(undecodable(&error)),
            },
            Ended::Refused(rejection) | Ended::Absent(rejection) => Outcome::Rejected(rejection),
            Ended::NotSent(denial) => Outcome::DeniedHere(denial),
            Ended::Unknown(why) => Outcome::Unknown(why),
        }
    }

    // ---- reads

    pub(super) async fn query(&self, symbol: &Symbol, id: &ClientOrderId) -> Result<Lookup, ReadError> {
        let params =
            Params::new().text("symbol", symbol.to_string()).text("origClientOrderId", id.to_string());
        let op = self.read("order.status", "/api/v3/order", 4, Purpose::Protect, params);
        match self.execute(op, false).await {
            Ended::Absent(_) => Ok(Lookup::Absent),
            ended => decoded(ended, order::decode_order).map(|report| Lookup::Found(Box::new(report))),
        }
    }

    pub(super) async fn open_orders(&self, symbol: Option<&Symbol>) -> Result<Vec<OrderReport>, ReadError> {
        let configured = &self.shared.config.symbols;
        let each: Vec<&Symbol> = match symbol {
            Some(one) => vec![one],
            None if configured.len() <= OPEN_ORDERS_ONE_BY_ONE => configured.iter().collect(),
            None => {
                let op =
                    self.read("openOrders.status", "/api/v3/openOrders", 80, Purpose::Protect, Params::new());
                return decoded(self.execute(op, false).await, order::decode_orders);
            }
        };
        let mut all = Vec::new();
        for symbol in each {
            let params = Params::new().text("symbol", symbol.to_string());
            let op = self.read("openOrders.status", "/api/v3/openOrders", 6, Purpose::Protect, params);
            all.extend(decoded(self.execute(op, false).await, order::decode_orders)?);
        }
        Ok(all)
    }

    pub(super) async fn fills_since(
        &self,
        symbol: &Symbol,
        after: Option<&TradeId>,
    ) -> Result<Vec<Fill>, ReadError> {
        let mut all: Vec<Fill> = Vec::new();
        let mut from = after.and_then(TradeId::number).map(|last| last.saturating_add(1));
        for _ in 0..MAX_PAGES {
            let mut params = Params::new().text("symbol", symbol.to_string());
            if let Some(from) = from.and_then(|from| i64::try_from(from).ok()) {
                params = params.number("fromId", from);
            }
            params = params.number("limit", i64::try_from(PAGE).unwrap_or(500));
            let op = self.read("myTrades", "/api/v3/myTrades", 20, Purpose::Protect, params);
            let page = decoded(self.execute(op, false).await, order::decode_trades)?;
            let full = page.len() >= PAGE;
            let last = page.iter().filter_map(|fill| fill.trade_id.number()).max();
            all.extend(page);
            // Without a starting point the venue gives the latest page, and there is nothing after it.
            if !full || from.is_none() {
                return Ok(all);
            }
            from = last.map(|last| last.saturating_add(1));
        }
        let detail = format!("more than {} fills since the last known one", MAX_PAGES * PAGE);
        Err(ReadError::NoAnswer(UnknownWhy::Undecodable { detail }))
    }

    pub(super) async fn balances(&self) -> Result<Vec<Balance>, ReadError> {
        let op = self.read("account.status", "/api/v3/account", 20, Purpose::Protect, Params::new());
        decoded(self.execute(op, false).await, order::decode_account)
    }

    /// Asks once for the venue's limits, which replace the assumed ones.
    pub(super) async fn learn_limits(&self) -> Result<(), ReadError> {
        if !self.shared.limits_known.get() {
            let info = self.exchange_info(&self.shared.config.symbols).await?;
            self.shared.pacer.borrow_mut().set_limits(info.weight_per_minute, info.orders_per_10s);
            self.shared.limits_known.set(true);
        }
        Ok(())
    }

    pub(super) async fn exchange_info(&self, symbols: &[Symbol]) -> Result<ExchangeInfo, ReadError> {
        let names: Vec<String> = symbols.iter().map(|symbol| format!("\"{symbol}\"")).collect();
        let params = Params::new().text("symbols", format!("[{}]", names.join(",")));
        let op = Op {
            signed: false,
            http: Method::GET,
            ..self.read("exchangeInfo", "/api/v3/exchangeInfo", 20, Purpose::Limits, params)
        };
        // Over REST in any case: the answer is large, and must not stand in the way of orders.
        decoded(self.execute(op, true).await, info::decode_info)
    }

    fn read(
        &self,
        ws: &'static str,
        path: &'static str,
        weight: u32,
        purpose: Purpose,
        params: Params,
    ) -> Op {
        let timeout_ms = self.shared.config.read_timeout_ms;
        Op { ws, http: Method::GET, path, weight, purpose, signed: true, params, timeout_ms, places: None }
    }

    // ---- the way out

    async fn execute(&self, op: Op, over_rest: bool) -> Ended {
        for attempt in 0..2 {
            if let Err(denial) = self.shared.admit(op.purpose, op.weight) {
                return Ended::NotSent(denial);
            }
            let answer = match self.transmit(&op, over_rest).await {
                Ok(answer) => answer,
                Err(CallFailure::NotSent(denial)) => return Ended::NotSent(denial),
                Err(CallFailure::Unknown(why)) => return Ended::Unknown(why),
            };
            let Answer { status, body } = answer;
            let (code, text) = match body {
                Ok(result) if (200..300).contains(&status) => return Ended::Done(result),
                Ok(result) => (0, result),
                Err(error) => error,
            };
            match judge(status, code, &text) {
                Verdict::Refused(rejection) => {
                    if rejection.class == RejectClass::Authentication {
                        tracing::error!(venue.name = %self.shared.config.venue, code, op = op.ws,
                            runbook = "execution_disconnected", "the venue refuses our key or signature");
                    }
                    return Ended::Refused(rejection);
                }
                Verdict::Absent(rejection) => return Ended::Absent(rejection),
                Verdict::Unknown(why) => return Ended::Unknown(why),
                Verdict::BackOff(rejection) => {
                    let now = self.shared.clock.now();
                    if self.shared.pacer.borrow().hold_until(now).is_none() {
                        self.shared.hold(None);
                    }
                    return Ended::Refused(rejection);
                }
                // Refused for its timestamp only, so nothing was done: once more, with the same id.
                Verdict::ResyncClock(rejection) => {
                    if attempt > 0 || !self.measure_clock().await {
                        return Ended::Refused(rejection);
                    }
                }
            }
        }
        Ended::Unknown(UnknownWhy::Disconnected)
    }

    async fn transmit(&self, op: &Op, over_rest: bool) -> CallResult {
        let stamped = match op.signed {
            true => op.params.clone().stamped(self.shared.venue_now(), self.shared.config.recv_window_ms),
            false => op.params.clone(),
        };
        let on_session = matches!(self.shared.order_state.get(), State::Syncing | State::Live | State::Stale);
        if on_session && !over_rest {
            let params = match &self.shared.signer {
                Some(signer) if op.signed && !signer.can_log_on() => stamped.clone().signed_for_ws(signer),
                _ => stamped.clone(),
            };
            match self.call(op, params.json()).await {
                // The session went away before the request left; what is not a new order may go by REST.
                Err(CallFailure::NotSent(Denial::NotConnected { .. })) if op.places.is_none() => {}
                result => return result,
            }
        }
        let query = match (&self.shared.signer, op.signed) {
            (Some(signer), true) => stamped.signed_query(signer),
            (None, true) => {
                return Err(CallFailure::NotSent(Denial::Unsupported {
                    feature: "account requests without a key",
                }));
            }
            (_, false) => stamped.query(),
        };
        let hop =
            op.places.as_ref().map(|_| Hop::new(&self.shared.config.tripwire, &self.shared.config.lease));
        self.rest.send(&self.shared, op.http.clone(), op.path, query, op.timeout_ms, hop.as_ref()).await
    }

    async fn call(&self, op: &Op, params: String) -> CallResult {
        let (reply, answer) = oneshot::channel();
        let call = Call {
            method: op.ws,
            params,
            queued_at: self.shared.clock.now(),
            send_within_ms: self.shared.config.send_within_ms,
            timeout_ms: op.timeout_ms,
            places: op.places.clone(),
            reply,
        };
        match self.session.try_send(Command::Call(call)) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                let limit = self.shared.config.request_queue;
                return Err(CallFailure::NotSent(Denial::QueueFull { limit }));
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {
                return Err(CallFailure::NotSent(Denial::NotConnected { state: "stopped" }));
            }
        }
        // A session that ends without answering has dropped the call; it may have been sent.
        answer.await.unwrap_or(Err(CallFailure::Unknown(UnknownWhy::Disconnected)))
    }

    /// Measures the clock anew over REST; `false` when that was not possible.
    async fn measure_clock(&self) -> bool {
        if self.shared.admit(Purpose::Protect, 1).is_err() {
            return false;
        }
        let (sent, sent_wall) = (self.shared.clock.now(), crate::clock::wall_millis());
        let timeout = self.shared.config.read_timeout_ms;
        let answer =
            self.rest.send(&self.shared, Method::GET, "/api/v3/time", String::new(), timeout, None).await;
        let Ok(Answer { body: Ok(text), .. }) = answer else { return false };
        let Ok(time) = serde_json::from_str::<ServerTime>(&text) else { return false };
        self.shared.offset.borrow_mut().reset();
        self.shared.observe_clock(sent, sent_wall, time.server_time);
        true
    }
}

fn decoded<T>(ended: Ended, decode: fn(&str) -> Result<T, DecodeError>) -> Result<T, ReadError> {
    match ended {
        Ended::Done(text) => decode(&text).map_err(|error| ReadError::NoAnswer(undecodable(&error))),
        Ended::Refused(rejection) | Ended::Absent(rejection) => Err(ReadError::Refused(rejection)),
        Ended::NotSent(denial) => Err(ReadError::Denied(denial)),
        Ended::Unknown(why) => Err(ReadError::NoAnswer(why)),
    }
}

fn undecodable(error: &DecodeError) -> UnknownWhy {
    UnknownWhy::Undecodable { detail: error.to_string() }
}

fn place_params(new: &NewOrder) -> Params {
    let mut params = Params::new()
        .text("symbol", new.symbol.to_string())
        .text("side", words::write_side(new.side))
        .text("type", words::write_type(&new.order_type).to_owned());
    if let Some(tif) = &new.time_in_force {
        params = params.text("timeInForce", words::write_tif(tif).to_owned());
    }
    params = params.text("quantity", new.quantity.normalized().to_string());
    if let Some(price) = new.price {
        params = params.text("price", price.normalized().to_string());
    }
    if let Some(stop) = new.stop_price {
        params = params.text("stopPrice", stop.normalized().to_string());
    }
    params.text("newClientOrderId", new.client_order_id.to_string()).text("newOrderRespType", "FULL")
}
