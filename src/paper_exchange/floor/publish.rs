//! Announcements: from the engine's events to the frames of the sessions that asked for them.
//!
//! An event is rendered once, however many listen, and not at all when nobody does. Faults decide per
//! session whether a frame is sent, doubled, held back or lost.

use super::registry::Session;
use super::state::Floor;
use super::streams::{Stream, StreamKind};
use crate::paper_exchange::engine::{
    AccountId, ExchangeEvent, ExecutionReport, OrderStatus, PublicTrade, Side, Symbol,
};
use crate::paper_exchange::faults::{Context, FaultTable, ReportVerdict, ScopeSide, SessionKind};
use crate::paper_exchange::render;
use crate::paper_exchange::ws::code;

/// A report that a fault holds back is sent after so long when no other report overtakes it.
const HELD_REPORT_MS: i64 = 1_000;

/// A fault scope's word for a side.
#[must_use]
pub(crate) const fn scope_side(side: Side) -> ScopeSide {
    match side {
        Side::Buy => ScopeSide::Buy,
        Side::Sell => ScopeSide::Sell,
    }
}

impl Floor {
    /// Announces everything that the commands since the last call brought about.
    pub fn publish(&mut self, now_ms: i64) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            match event {
                ExchangeEvent::Execution(report) => self.publish_report(now_ms, &report),
                ExchangeEvent::List(report) if self.registry.owned(report.account) => {
                    let payload = render::reports::list(&report, now_ms);
                    self.tell_owner(now_ms, report.account, Some(report.symbol), None, &payload);
                }
                ExchangeEvent::Position(position) if self.registry.owned(position.account) => {
                    let payload = render::reports::position(&position, now_ms);
                    self.tell_owner(now_ms, position.account, None, None, &payload);
                }
                ExchangeEvent::Balance(update) if self.registry.owned(update.account) => {
                    let payload = render::reports::balance(&update, now_ms);
                    self.tell_owner(now_ms, update.account, None, None, &payload);
                }
                ExchangeEvent::Trade(trade) => self.publish_trade(now_ms, &trade),
                ExchangeEvent::Book(change) => self.gather(now_ms, &change),
                ExchangeEvent::List(_) | ExchangeEvent::Position(_) | ExchangeEvent::Balance(_) => {}
            }
        }
        // The buffer is kept for the next command.
        self.events = events;
    }

    fn publish_report(&mut self, now_ms: i64, report: &ExecutionReport) {
        if report.status == OrderStatus::Filled {
            let name = self.account_name(report.account).to_owned();
            self.limits.uncount_order(now_ms, &name);
        }
        if self.registry.owned(report.account) {
            let payload = render::reports::execution(report, now_ms);
            self.tell_owner(now_ms, report.account, Some(report.symbol), Some(report.side), &payload);
        }
    }

    fn publish_trade(&mut self, now_ms: i64, trade: &PublicTrade) {
        if let Some(board) = self.boards.get_mut(&trade.symbol) {
            board.candles.add(trade);
            board.klines_changed = true;
        }
        let stream = Stream { symbol: trade.symbol, kind: StreamKind::Trade };
        if self.registry.heard(stream) {
            self.tell_listeners(now_ms, stream, &render::market::trade_event(trade, now_ms));
        }
        let stream = Stream { symbol: trade.symbol, kind: StreamKind::AggTrade };
        if self.registry.heard(stream) {
            self.tell_listeners(now_ms, stream, &render::market::agg_trade_event(trade, now_ms));
        }
    }

    /// Sends a market payload to everyone who listens to `stream`.
    pub(super) fn tell_listeners(&mut self, now_ms: i64, stream: Stream, payload: &str) {
        let Self { registry, faults, .. } = self;
        let mut name = String::new();
        for session in registry.listeners(stream) {
            if !faults.is_empty() && withheld(faults, now_ms, session, stream) {
                continue;
            }
            if session.combined {
                if name.is_empty() {
                    name = stream.to_string();
                }
                session.outbox.text(&[r#"{"stream":""#, &name, r#"","data":"#, payload, "}"]);
            } else {
                session.outbox.text(&[payload]);
            }
        }
    }

    /// Sends a user-data event to every subscription of an account. `side` marks an execution report.
    fn tell_owner(
        &mut self,
        now_ms: i64,
        account: AccountId,
        symbol: Option<Symbol>,
        side: Option<Side>,
        payload: &str,
    ) {
        for id in self.registry.owners(account) {
            let Self { registry, faults, names, .. } = self;
            let Some(session) = registry.get_mut(id) else { continue };
            let (outbox, door) = (session.outbox.clone(), session.door);
            for user in session.user.iter_mut().filter(|user| user.account == account) {
                let index = usize::try_from(account.0).unwrap_or(0).wrapping_sub(1);
                let context = Context {
                    symbol: symbol.as_ref().map(Symbol::as_str),
                    account: names.get(index).map(String::as_str),
                    api_key: Some(&user.api_key),
                    side: side.map(scope_side),
                    session: Some(id),
                    door: Some(door),
                };
                if faults.at_user_event(now_ms, &context) {
                    continue;
                }
                let send = |payload: &str| send_user_event(&outbox, user.number, payload);
                let verdict = match side {
                    Some(_) => faults.at_report(now_ms, &context),
                    None => ReportVerdict::Send,
                };
                match verdict {
                    ReportVerdict::Drop => {}
                    ReportVerdict::SendTwice => {
                        send(payload);
                        send(payload);
                    }
                    ReportVerdict::HoldBack if user.held.is_none() => {
                        user.held = Some((payload.to_owned(), now_ms))
                    }
                    ReportVerdict::HoldBack | ReportVerdict::Send => {
                        send(payload);
                        if let Some((held, _)) = user.held.take_if(|_| side.is_some()) {
                            send(&held);
                        }
                    }
                }
            }
        }
    }

    /// Sends reports that wait for a successor which does not come.
    pub(super) fn release_held_reports(&mut self, now_ms: i64) {
        let late = |held: &Option<(String, i64)>| {
            held.as_ref().is_some_and(|(_, since_ms)| now_ms.saturating_sub(*since_ms) >= HELD_REPORT_MS)
        };
        for session in self.registry.iter_mut() {
            for user in session.user.iter_mut().filter(|user| late(&user.held)) {
                if let Some((held, _)) = user.held.take() {
                    send_user_event(&session.outbox, user.number, &held);
                }
            }
        }
    }

    /// Ends user-data subscriptions of a session and tells it so (`eventStreamTerminated`).
    pub fn terminate_user_data(&mut self, now_ms: i64, session: u64, number: Option<u64>) -> usize {
        let ended = self.registry.disown(session, number);
        if let Some(session) = self.registry.get(session) {
            for user in &ended {
                send_user_event(&session.outbox, user.number, &render::reports::terminated(now_ms));
            }
        }
        ended.len()
    }

    /// Tells every session that the exchange stops, and closes it.
    pub fn say_goodbye(&mut self, now_ms: i64) {
        let event = render::reports::shutdown(now_ms);
        for session in self.registry.iter() {
            match session.door {
                SessionKind::WsApi => session.outbox.text(&[r#"{"event":"#, &event, "}"]),
                SessionKind::MarketData | SessionKind::Rest => session.outbox.text(&[&event]),
            }
            session.outbox.close(code::GOING_AWAY, "the exchange stops");
        }
    }

    /// Lets faults that concern whole sessions strike the sessions that are open now.
    pub fn strike_sessions(&mut self, now_ms: i64) {
        let Self { registry, faults, .. } = self;
        for session in registry.iter() {
            strike_session(faults, now_ms, session);
        }
    }
}

/// Cuts or silences one session if a fault says so.
pub(crate) fn strike_session(faults: &mut FaultTable, now_ms: i64, session: &Session) {
    if faults.is_empty() {
        return;
    }
    let key = session.user.first().map(|user| user.api_key.as_str());
    let context =
        Context { api_key: key, session: Some(session.id), door: Some(session.door), ..Context::default() };
    if session.outbox.ending().is_none() && faults.at_session_cut(now_ms, &context) {
        session.outbox.cut();
    } else if !session.outbox.is_silent() && faults.at_session_silence(now_ms, &context) {
        session.outbox.silence();
    }
}

fn send_user_event(outbox: &crate::paper_exchange::ws::Outbox, number: u64, payload: &str) {
    outbox.text(&[r#"{"subscriptionId":"#, &number.to_string(), r#","event":"#, payload, "}"]);
}

fn withheld(faults: &mut FaultTable, now_ms: i64, session: &Session, stream: Stream) -> bool {
    let context = Context {
        symbol: Some(stream.symbol.as_str()),
        session: Some(session.id),
        door: Some(session.door),
        ..Context::default()
    };
    faults.at_market_frame(now_ms, &context)
        || (matches!(stream.kind, StreamKind::Depth(_)) && faults.at_depth_frame(now_ms, &context))
}
