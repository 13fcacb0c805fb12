//! The named points at which the exchange asks whether something goes wrong.
//!
//! One method per point; each answers with a verdict that the shell carries out. Which kind acts at
//! which point is decided here and nowhere else. Without faults every method is one emptiness check.

use super::kind::FaultKind;
use super::table::{Context, FaultTable};
use crate::paper_exchange::errors::ApiError;

/// What happens to a request before it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestVerdict {
    /// Nothing unusual.
    Proceed,
    /// Answered with this refusal, not carried out.
    Refuse(ApiError),
}

/// What happens to a request that changes orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderVerdict {
    /// Carried out and answered.
    Proceed,
    /// Answered with this refusal, not carried out.
    Refuse(ApiError),
    /// Not carried out, never answered.
    LoseRequest,
    /// Carried out, never answered.
    LoseResponse,
    /// Carried out, answered with this error.
    PlaceThenError(ApiError),
}

/// What happens to one execution report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportVerdict {
    /// Sent once.
    Send,
    /// Sent twice.
    SendTwice,
    /// Lost.
    Drop,
    /// Kept back until the next one has gone out.
    HoldBack,
}

impl FaultTable {
    /// A new TCP connection: refuse it?
    pub fn at_connect(&mut self, now_ms: i64) -> bool {
        self.strike(now_ms, &Context::default(), |kind| matches!(kind, FaultKind::RefuseConnections))
            .is_some()
    }

    /// A WebSocket handshake: refuse it? (A fault narrowed to a kind of session can only act here.)
    pub fn at_handshake(&mut self, now_ms: i64, context: &Context<'_>) -> bool {
        self.strike(now_ms, context, |kind| matches!(kind, FaultKind::RefuseConnections)).is_some()
    }

    /// A session that is open (asked when it opens and when a fault is planted): cut it?
    pub fn at_session_cut(&mut self, now_ms: i64, context: &Context<'_>) -> bool {
        self.strike(now_ms, context, |kind| matches!(kind, FaultKind::Disconnect)).is_some()
    }

    /// A session that is open (asked when it opens and when a fault is planted): let it go silent?
    pub fn at_session_silence(&mut self, now_ms: i64, context: &Context<'_>) -> bool {
        self.strike(now_ms, context, |kind| matches!(kind, FaultKind::HalfOpen)).is_some()
    }

    /// A session that went silent: is the fault that silenced it still in force?
    pub fn silence_holds(&mut self, now_ms: i64, context: &Context<'_>) -> bool {
        self.holds(now_ms, context, |kind| matches!(kind, FaultKind::HalfOpen)).is_some()
    }

    /// Any request, before anything else is checked.
    pub fn at_request(&mut self, now_ms: i64, context: &Context<'_>) -> RequestVerdict {
        let wanted = |kind: &FaultKind| matches!(kind, FaultKind::RateLimit { .. } | FaultKind::Ban);
        match self.strike(now_ms, context, wanted) {
            Some(FaultKind::RateLimit { retry_after }) => {
                RequestVerdict::Refuse(ApiError::too_much_weight(0, retry_after))
            }
            Some(_) => RequestVerdict::Refuse(ApiError::banned(now_ms.saturating_add(120_000), 120)),
            None => RequestVerdict::Proceed,
        }
    }

    /// Milliseconds by which the answer to a request is late; zero when it is not.
    pub fn at_answer(&mut self, now_ms: i64, context: &Context<'_>) -> u64 {
        match self.strike(now_ms, context, |kind| matches!(kind, FaultKind::Delay { .. })) {
            Some(FaultKind::Delay { ms }) => ms,
            _ => 0,
        }
    }

    /// A request that changes orders. `places` says that it creates one (only those are rejected).
    pub fn at_order(&mut self, now_ms: i64, context: &Context<'_>, places: bool) -> OrderVerdict {
        let wanted = |kind: &FaultKind| match kind {
            FaultKind::LoseResponse | FaultKind::LoseRequest | FaultKind::ServerError { .. } => true,
            FaultKind::RejectOrders { .. } => places,
            _ => false,
        };
        match self.strike(now_ms, context, wanted) {
            Some(FaultKind::LoseResponse) => OrderVerdict::LoseResponse,
            Some(FaultKind::LoseRequest) => OrderVerdict::LoseRequest,
            Some(FaultKind::ServerError { placed: true }) => {
                OrderVerdict::PlaceThenError(ApiError::backend_timeout())
            }
            Some(FaultKind::ServerError { placed: false }) => {
                OrderVerdict::Refuse(ApiError::backend_timeout())
            }
            Some(FaultKind::RejectOrders { code }) => OrderVerdict::Refuse(rejection(code)),
            _ => OrderVerdict::Proceed,
        }
    }

    /// A query for orders: pretend that there are none?
    pub fn at_order_query(&mut self, now_ms: i64, context: &Context<'_>) -> bool {
        self.holds(now_ms, context, |kind| matches!(kind, FaultKind::HideOrders { .. })).is_some()
    }

    /// Milliseconds by which the exchange's clock is off for this client.
    pub fn at_clock(&mut self, now_ms: i64, context: &Context<'_>) -> i64 {
        match self.holds(now_ms, context, |kind| matches!(kind, FaultKind::ClockSkew { .. })) {
            Some(FaultKind::ClockSkew { ms }) => ms,
            _ => 0,
        }
    }

    /// A user-data event of any kind: keep it from the client?
    pub fn at_user_event(&mut self, now_ms: i64, context: &Context<'_>) -> bool {
        let wanted = |kind: &FaultKind| matches!(kind, FaultKind::MuteUserData | FaultKind::StaleButPinging);
        self.strike(now_ms, context, wanted).is_some()
    }

    /// An execution report that is about to be sent.
    pub fn at_report(&mut self, now_ms: i64, context: &Context<'_>) -> ReportVerdict {
        let wanted = |kind: &FaultKind| {
            matches!(kind, FaultKind::DropReport | FaultKind::DuplicateReports | FaultKind::ReorderReports)
        };
        match self.strike(now_ms, context, wanted) {
            Some(FaultKind::DropReport) => ReportVerdict::Drop,
            Some(FaultKind::DuplicateReports) => ReportVerdict::SendTwice,
            Some(FaultKind::ReorderReports) => ReportVerdict::HoldBack,
            _ => ReportVerdict::Send,
        }
    }

    /// A market frame for one session: keep it back?
    pub fn at_market_frame(&mut self, now_ms: i64, context: &Context<'_>) -> bool {
        let wanted =
            |kind: &FaultKind| matches!(kind, FaultKind::MuteMarketData | FaultKind::StaleButPinging);
        self.strike(now_ms, context, wanted).is_some()
    }

    /// A depth update for one session: leave it out?
    pub fn at_depth_frame(&mut self, now_ms: i64, context: &Context<'_>) -> bool {
        self.strike(now_ms, context, |kind| matches!(kind, FaultKind::GapInDepth)).is_some()
    }

    /// A ping for one session: keep it back? A muted market session hears nothing at all; a mute that
    /// is narrowed to a symbol leaves pings alone, since they belong to none.
    pub fn at_ping(&mut self, now_ms: i64, context: &Context<'_>) -> bool {
        self.holds(now_ms, context, |kind| matches!(kind, FaultKind::MuteMarketData)).is_some()
    }
}

/// The text that belongs to a rejection code, as the venue words it.
fn rejection(code: i32) -> ApiError {
    match code {
        -2010 => ApiError::new(code, "Account has insufficient balance for requested action."),
        -1013 => ApiError::new(code, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        -1015 => ApiError::too_many_orders(0, "10 SECOND", 10),
        -1021 => ApiError::outside_recv_window(),
        -1022 => ApiError::bad_signature(),
        -2015 => ApiError::unknown_api_key(),
        -1007 => ApiError::backend_timeout(),
        -1003 => ApiError::too_much_weight(0, 60),
        -1008 => ApiError::new(
            code,
            "Server is currently overloaded with other requests. Please try again in a few minutes.",
        )
        .with_status(503),
        other => ApiError::new(other, "Rejected by an injected fault."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper_exchange::faults::FaultSpec;

    fn table(json: &str) -> FaultTable {
        let spec: FaultSpec = serde_json::from_str(json).unwrap();
        let mut table = FaultTable::default();
        table.plant(0, spec.kind().unwrap(), &spec).unwrap();
        table
    }

    #[test]
    fn order_faults_leave_other_requests_alone() {
        let any = Context::default();
        let mut lost = table(r#"{"kind":"lose_response","count":1}"#);
        assert_eq!(lost.at_request(0, &any), RequestVerdict::Proceed);
        assert_eq!(lost.at_answer(0, &any), 0);
        assert_eq!(lost.at_order(0, &any, true), OrderVerdict::LoseResponse);
        assert_eq!(lost.at_order(0, &any, true), OrderVerdict::Proceed);
    }

    #[test]
    fn rejections_hit_only_what_creates_orders() {
        let any = Context::default();
        let mut rejecting = table(r#"{"kind":"reject_orders","code":-2010}"#);
        assert_eq!(rejecting.at_order(0, &any, false), OrderVerdict::Proceed);
        let OrderVerdict::Refuse(error) = rejecting.at_order(0, &any, true) else { panic!("not refused") };
        assert_eq!(error.code, -2010);
    }

    #[test]
    fn a_mute_for_one_symbol_keeps_the_pings() {
        let session = Context { session: Some(1), ..Context::default() };
        assert!(!table(r#"{"kind":"mute_market_data","symbol":"BTCUSDT"}"#).at_ping(0, &session));
        assert!(table(r#"{"kind":"mute_market_data"}"#).at_ping(0, &session));
        assert!(!table(r#"{"kind":"stale_but_pinging"}"#).at_ping(0, &session));
        assert!(table(r#"{"kind":"stale_but_pinging"}"#).at_market_frame(0, &session));
    }

    #[test]
    fn server_errors_differ_only_in_what_happened() {
        let any = Context::default();
        let mut placed = table(r#"{"kind":"server_error","placed":true}"#);
        let mut lost = table(r#"{"kind":"server_error","placed":false}"#);
        let OrderVerdict::PlaceThenError(a) = placed.at_order(0, &any, true) else { panic!("not placed") };
        let OrderVerdict::Refuse(b) = lost.at_order(0, &any, true) else { panic!("placed") };
        assert_eq!(a, b);
        assert_eq!(a.status, 503);
    }
}
