//! The order management's mail: requests, venue answers, the journal's word; each translated into one event.

use super::cell::{OmsCell, Waiter};
use super::handle::{Ask, DrainNow, Request};
use crate::actors::connector::{FromVenue, Heard};
use crate::actors::journal::JournalAnswer;
use crate::actors::kill_switch::KillNews;
use crate::actors::strategy::StrategyRequest;
use crate::domain::connection::State;
use crate::domain::ids::{StrategyId, VenueId};
use crate::domain::oms::{Actor as By, Event, ReplyTo};
use crate::domain::risk::Override;
use crate::supervision::Ctx;
use crate::venues::OrderEvent;
use actix::Handler;

/// The event that a request asks for; `None` where the latch does not allow it.
fn event_of(cell: &OmsCell, ask: Ask, reply: Option<ReplyTo>) -> Option<Event> {
    Some(match ask {
        Ask::Submit(request) => Event::Submit { request, reply },
        Ask::Cancel { order, by } => Event::Cancel { order, by, reply },
        Ask::CancelAll { scope, by } => Event::CancelAll { scope, by, reply },
        Ask::Replace { request, by } => Event::Replace { request, by, reply },
        Ask::Resolve { order, resolution, by } => Event::Resolve { order, resolution, by, reply },
        Ask::SwitchStrategy { strategy, enabled, by } => {
            Event::SwitchStrategy { strategy, enabled, by, reply }
        }
        Ask::Steer(steering) => Event::Steer { steering, reply },
        // It may have been engaged again since.
        Ask::LatchCleared if cell.wires.kill.view().engaged => return None,
        Ask::LatchCleared => Event::LatchCleared { reply },
        Ask::Explain(proposal) => Event::Explain { proposal, reply },
        Ask::ReEnable { strategy, by } => Event::ReEnable { strategy, by, reply },
        Ask::Grant { over, for_ms } => {
            let expires = cell.now().mono.plus(for_ms);
            Event::Grant { over: Override { expires, ..*over }, reply }
        }
        Ask::Noted(note, ask) => Event::Noted { note, event: Box::new(event_of(cell, *ask, reply)?) },
    })
}

impl Handler<Request> for OmsCell {
    type Result = ();

    fn handle(&mut self, request: Request, ctx: &mut Ctx<Self>) {
        self.look_at_lease(ctx);
        let reply = self.await_with(Waiter::Caller(request.answer));
        match event_of(self, request.ask, Some(reply)) {
            Some(event) => self.step(event, ctx),
            None => self.latch_cleared(Some(reply), ctx),
        }
    }
}

impl Handler<KillNews> for OmsCell {
    type Result = ();

    fn handle(&mut self, news: KillNews, ctx: &mut Ctx<Self>) {
        // Without its books it can take note of nothing; it is told again.
        if self.core.is_none() {
            return;
        }
        let generation = news.record().generation;
        match news {
            KillNews::Engaged(record) => {
                self.step(Event::Killed { by: super::latch::engaged_by(&record) }, ctx)
            }
            KillNews::Reset(_) => self.latch_cleared(None, ctx),
        }
        self.wires.kill.acknowledge(generation);
    }
}

impl Handler<StrategyRequest> for OmsCell {
    type Result = ();

    fn handle(&mut self, request: StrategyRequest, ctx: &mut Ctx<Self>) {
        let by = |strategy: &StrategyId| By {
            name: strategy.to_string(),
            reason: "the strategy asks for it".to_owned(),
        };
        let event = match request {
            StrategyRequest::Greet { strategy, greeting } => return self.greet(&strategy, greeting),
            StrategyRequest::Submit(request) => {
                let reply = request.correlation.clone().map(|correlation| {
                    self.await_with(Waiter::Strategy(request.strategy.clone(), correlation))
                });
                Event::Submit { request: *request, reply }
            }
            StrategyRequest::Cancel { strategy, order } => {
                Event::Cancel { order, by: by(&strategy), reply: None }
            }
            StrategyRequest::Replace { strategy, request } => {
                Event::Replace { request: *request, by: by(&strategy), reply: None }
            }
        };
        self.step(event, ctx);
    }
}

impl Handler<DrainNow> for OmsCell {
    type Result = ();

    fn handle(&mut self, drain: DrainNow, ctx: &mut Ctx<Self>) {
        self.step(Event::Drain { how: drain.how, by: drain.by }, ctx);
    }
}

impl Handler<JournalAnswer> for OmsCell {
    type Result = ();

    fn handle(&mut self, answer: JournalAnswer, ctx: &mut Ctx<Self>) {
        match answer {
            JournalAnswer::Durable { session, ticket } if self.is_session(session) => {
                self.note_durable(ticket);
                self.step(Event::Durable { ticket }, ctx);
            }
            JournalAnswer::Refused { session, ticket, why } if self.is_session(session) => {
                self.step(Event::NotDurable { ticket, why }, ctx);
            }
            JournalAnswer::Writable { session, writable } if self.is_session(session) => {
                self.note_writable(writable);
                self.step(Event::Journal { writable }, ctx);
            }
            // Of an incarnation that is no more.
            JournalAnswer::Durable { .. }
            | JournalAnswer::Refused { .. }
            | JournalAnswer::Writable { .. } => {}
        }
    }
}

impl Handler<Heard> for OmsCell {
    type Result = ();

    fn handle(&mut self, heard: Heard, ctx: &mut Ctx<Self>) {
        let venue = heard.venue;
        let event = match heard.what {
            FromVenue::Started { epoch } => {
                self.ask_instruments(&venue);
                Event::VenueStarted { venue, epoch }
            }
            FromVenue::Event(event) => return self.session_event(venue, event, ctx),
            FromVenue::Placed(order, outcome) => Event::Placed { venue, order, outcome },
            FromVenue::Cancelled(order, outcome) => Event::CancelAnswered { venue, order, outcome },
            FromVenue::Looked(order, answer) => Event::Looked { venue, order, answer },
            FromVenue::Open(answer) => Event::OpenOrders { venue, answer },
            FromVenue::Fills(symbol, answer) => Event::Fills { venue, symbol, answer },
            FromVenue::BalancesAsked => Event::BalancesAsked { venue },
            FromVenue::Account(answer) => Event::Balances { venue, answer },
            FromVenue::Instruments(answer) => return self.instruments(venue, answer, ctx),
        };
        self.step(event, ctx);
    }
}

impl OmsCell {
    fn session_event(&mut self, venue: VenueId, event: OrderEvent, ctx: &mut Ctx<Self>) {
        let event = match event {
            OrderEvent::Report(report) => Event::Report { venue, report: *report },
            // A balance on the stream is a hint that comes before or after its fills; comparisons ask for
            // balances themselves.
            OrderEvent::Balances(_) => return,
            OrderEvent::BalanceMoved { asset, delta } => Event::BalanceMoved { venue, asset, delta },
            OrderEvent::Session { from, to, why } => {
                tracing::info!(
                    event = "venue_session", venue.name = %venue, from = from.name(), to = to.name(),
                    why = ?why, "the order session changed"
                );
                if (from == State::Live) == (to == State::Live) {
                    return;
                }
                Event::VenueLive { venue, live: to == State::Live }
            }
            OrderEvent::Reconciled(found) => Event::Reconciled {
                venue,
                snapshot: found.snapshot,
                missing: found.differences.missing_at_venue,
            },
            OrderEvent::Unrecognised { kind } => {
                tracing::warn!(venue.name = %venue, kind = kind.as_str(), "the venue said something unknown");
                return;
            }
        };
        self.step(event, ctx);
    }
}
