//! Orders of which nobody knows what became: asking the venue, proving absence, and what follows from it.
//!
//! A doubt ends by the venue's word or by an operator's, never by time. Absent answers count only after the
//! visibility window, apart from each other, and beside a look at the fills. An order is sent again only
//! when the decision to do so is on disk, under the same id, within its age and the price guard.

use super::core::Oms;
use super::effect::{Answer, Effect, NoticeLevel, RefusalKind};
use super::event::{Actor, ReplyTo, Resolution};
use super::fact::{Fact, Moved, Resend};
use super::out::{Out, refusal};
use super::timers::Alarm;
use super::watch::{Inquiry, Stage, Watch};
use crate::domain::ids::{ClientOrderId, TradeId, VenueId};
use crate::domain::money::Quantity;
use crate::domain::order::lifecycle::Input;
use crate::domain::order::{Order, OrderNumber, OrderState, Patience};
use crate::domain::outcome::{Lookup, ReadError};

/// Absent answers that prove absence.
const ABSENTS: u32 = 2;
/// The same, while a fill lies on the shelf that the order could own: the venue's word about the name then
/// stands against a trade whose owner it did not name.
const ABSENTS_UNDER_SUSPICION: u32 = 5;

impl Oms {
    /// What became of an order is not known any more.
    pub(super) fn doubt(&mut self, out: &mut Out, number: OrderNumber, why: &str, at_once: bool) {
        let Some(order) = self.books.orders.get(&number) else { return };
        if order.state.is_final() {
            return;
        }
        // What the venue confirmed is asked about, but stands: only a sending can be in doubt by silence.
        if matches!(order.state, OrderState::PendingSubmit | OrderState::Submitted) {
            let moved = Moved {
                order: number,
                state: OrderState::Unknown,
                executed: order.executed,
                venue_order_id: None,
                reason: Some(why.to_owned()),
                sent: true,
            };
            self.record(out, Fact::Moved(moved));
        }
        let first = if at_once { 0 } else { self.settings.knobs.query_first_ms };
        let now = out.now.mono;
        let watch = self.watch.entry(number).or_insert_with(|| Watch::new(Stage::Settled, now));
        watch.stage = Stage::Settled;
        watch.retry_at = None;
        let inquiry = watch.inquiry.get_or_insert_with(|| Inquiry::new(now.plus(first)));
        inquiry.next = inquiry.next.min(now.plus(first));
        self.arm(number);
        self.after_change(out, number);
    }

    /// Asks the venue about an order without doubting it.
    pub(super) fn inquire(&mut self, out: &mut Out, number: OrderNumber) {
        let now = out.now.mono;
        let watch = self.watch.entry(number).or_insert_with(|| Watch::new(Stage::Settled, now));
        if watch.inquiry.is_none() {
            watch.inquiry = Some(Inquiry::new(now));
            self.arm(number);
        }
    }

    /// An inquiry is due: the question goes out as soon as the venue's pace allows.
    pub(super) fn ask(&mut self, out: &mut Out, number: OrderNumber) {
        let knobs = &self.settings.knobs;
        let (Some(order), Some(watch)) = (self.books.orders.get(&number), self.watch.get_mut(&number)) else {
            return;
        };
        let Some(inquiry) = watch.inquiry.as_mut() else { return };
        let doublings = inquiry.asks.min(16);
        let pause = knobs.query_base_ms.saturating_mul(1_u64 << doublings).min(knobs.query_max_ms);
        let pause = if inquiry.held { knobs.query_max_ms } else { pause };
        inquiry.asks = inquiry.asks.saturating_add(1);
        inquiry.next = out.now.mono.plus(pause.max(1));
        let alert = inquiry.asks > knobs.inflight_check_retries && !inquiry.alerted;
        inquiry.alerted |= alert;
        let (venue, id) = (order.venue.clone(), order.client_order_id.clone());
        let in_doubt = order.state == OrderState::Unknown;
        if alert && in_doubt {
            let reason =
                format!("what became of {id} at {venue} is not known after {} questions", inquiry.asks);
            self.raise(out, "order_outcome_unknown", format!("{venue}/{id}"), reason);
        }
        if let Some(run) = self.venues.get_mut(&venue)
            && run.queued.insert(number)
        {
            run.queries.push_back(number);
        }
        self.pump_queries(out, &venue);
    }

    /// Lets waiting questions out, a few at once and then one by one.
    pub(super) fn pump_queries(&mut self, out: &mut Out, venue: &VenueId) {
        let knobs = &self.settings.knobs;
        let now = out.now.mono;
        let delay = knobs.single_order_query_delay_ms.max(1);
        let Some(run) = self.venues.get_mut(venue) else { return };
        let earned = u32::try_from(now.since(run.refilled) / delay).unwrap_or(u32::MAX);
        if earned > 0 {
            run.tokens =
                run.tokens.saturating_add(earned).min(knobs.max_single_order_queries_per_cycle.max(1));
            run.refilled = now;
        }
        while run.tokens > 0 {
            let Some(number) = run.queries.pop_front() else { break };
            run.queued.remove(&number);
            let Some(order) = self.books.orders.get(&number) else { continue };
            if self.watch.get(&number).is_none_or(|watch| watch.inquiry.is_none()) {
                continue;
            }
            run.tokens = run.tokens.saturating_sub(1);
            let (symbol, id) = (order.symbol.clone(), order.venue_client_order_id.clone());
            out.push(Effect::Query(venue.clone(), symbol, id));
        }
        let next = (!run.queries.is_empty()).then(|| now.plus(delay));
        self.timers.set(Alarm::Queries(venue.clone()), next);
    }

    /// The answer to a question.
    pub(super) fn on_looked(
        &mut self,
        out: &mut Out,
        venue: &VenueId,
        id: &ClientOrderId,
        answer: Result<Lookup, ReadError>,
    ) {
        match answer {
            Ok(Lookup::Found(report)) => {
                let was = self.books.by_venue(venue, id).map(|order| (order.number, order.state));
                self.on_report(out, venue, &report, false);
                if let Some((number, OrderState::Unknown)) = was {
                    self.found(out, number);
                }
            }
            Ok(Lookup::Absent) => {
                if let Some(number) = self.books.by_venue(venue, id).map(|order| order.number) {
                    self.absent(out, number);
                }
            }
            // The inquiry stands and asks again.
            Err(_) => {}
        }
        self.progress(out, venue);
    }

    fn found(&mut self, out: &mut Out, number: OrderNumber) {
        let Some(order) = self.books.orders.get(&number) else { return };
        let (venue, id, strategy) =
            (order.venue.clone(), order.client_order_id.clone(), order.strategy.clone());
        let live = !order.state.is_final();
        self.decision(out, NoticeLevel::Info, &venue, &id, "found");
        if live && self.patience(&strategy) == Patience::Cancel {
            self.request_cancel(out, number, &super::core::own_actor("found after its outcome was unknown"));
        }
    }

    /// The venue says that it does not know an order.
    fn absent(&mut self, out: &mut Out, number: OrderNumber) {
        let now = out.now.mono;
        let knobs = &self.settings.knobs;
        let (Some(order), Some(watch)) = (self.books.orders.get(&number), self.watch.get_mut(&number)) else {
            return;
        };
        let settings = self.settings.venues.iter().find(|known| known.id == order.venue);
        let window = settings.map_or(u64::MAX, |known| known.absence_proof_after_ms);
        let Some(inquiry) = watch.inquiry.as_mut() else { return };
        let since = watch.sent.max(watch.confirmed.unwrap_or_default());
        if now.since(since) < window {
            // It may be hidden still: ask again when the window is over, without dawdling.
            inquiry.next = inquiry.next.min(since.plus(window).max(now.plus(knobs.query_base_ms)));
            return self.arm(number);
        }
        if inquiry.last_absent.is_some_and(|last| now.since(last) < knobs.absent_spacing_ms) {
            return;
        }
        inquiry.absents = inquiry.absents.saturating_add(1);
        inquiry.last_absent = Some(now);
        let first = *inquiry.first_absent.get_or_insert(now);
        if !inquiry.held && !inquiry.proved {
            inquiry.next = inquiry.next.min(now.plus(knobs.absent_spacing_ms));
        }
        let absents = inquiry.absents;
        let (venue, symbol) = (order.venue.clone(), order.symbol.clone());
        let after = order.fills_after.as_ref().and_then(TradeId::number);
        if order.state != OrderState::Unknown {
            let moved = Moved {
                order: number,
                state: OrderState::Unknown,
                executed: order.executed,
                venue_order_id: None,
                reason: Some("the venue does not know it any more".to_owned()),
                sent: true,
            };
            self.record(out, Fact::Moved(moved));
        }
        let fetch = self.fetches.get(&(venue.clone(), symbol.clone()));
        let looked = fetch
            .and_then(|fetch| fetch.done)
            .is_some_and(|(asked, from)| asked >= first && covers(from, after));
        if !looked {
            self.fetch(out, &venue, &symbol, after);
            return self.arm(number);
        }
        let Some(order) = self.books.orders.get(&number) else { return };
        let needed = if self.suspected(order) { ABSENTS_UNDER_SUSPICION } else { ABSENTS };
        if absents >= needed {
            self.proved_absent(out, number);
        }
        self.arm(number);
    }

    /// The venue does not know the order, and that is proved.
    fn proved_absent(&mut self, out: &mut Out, number: OrderNumber) {
        let Some(order) = self.books.orders.get(&number).cloned() else { return };
        let Some(inquiry) = self.watch.get_mut(&number).and_then(|watch| watch.inquiry.as_mut()) else {
            return;
        };
        let first_time = !inquiry.proved;
        inquiry.proved = true;
        if !self.shelf.parked.is_empty() {
            self.unpark(out);
        }
        // What the venue once accepted is not sent again: it lived, and what became of it is not a resend's matter.
        let virgin = order.venue_order_id.is_none() && order.executed.is_zero();
        match self.patience(&order.strategy) {
            Patience::Adopt | Patience::Cancel => self.close_absent(out, &order, super::evidence::ABSENT),
            _ if order.cancel_requested => self.close_absent(out, &order, super::evidence::ABSENT),
            Patience::Requeue if virgin => match self.would_pass(out, &order) {
                Ok(()) => self.resend(out, &order),
                Err(refused) => self.hold(out, &order, &refused.to_string(), first_time),
            },
            Patience::Requeue => self.hold(out, &order, "it was accepted once", first_time),
            Patience::Hold => self.hold(out, &order, "the strategy holds", first_time),
        }
    }

    fn close_absent(&mut self, out: &mut Out, order: &Order, reason: &str) {
        self.decision(out, NoticeLevel::Warn, &order.venue, &order.client_order_id, "closed_as_absent");
        self.learn(out, order.number, Input::Absent, Quantity::ZERO, None, Some(reason.to_owned()));
    }

    fn resend(&mut self, out: &mut Out, order: &Order) {
        let attempt = order.attempts.saturating_add(1);
        self.decision(out, NoticeLevel::Warn, &order.venue, &order.client_order_id, "sent_again");
        if self.record(out, Fact::Resend(Resend { order: order.number, attempt })) {
            if let Some(watch) = self.watch.get_mut(&order.number) {
                watch.stage = Stage::Writing;
                (watch.inquiry, watch.retry_at) = (None, None);
            }
            if let Some(run) = self.venues.get_mut(&order.venue) {
                run.unconfirmed.remove(&order.number);
            }
            out.evidence.release.push(order.number);
            self.clear(out, "order_outcome_unknown", format!("{}/{}", order.venue, order.client_order_id));
        }
    }

    fn hold(&mut self, out: &mut Out, order: &Order, why: &str, say: bool) {
        let next = out.now.mono.plus(self.settings.knobs.query_max_ms);
        if let Some(inquiry) = self.watch.get_mut(&order.number).and_then(|watch| watch.inquiry.as_mut()) {
            (inquiry.held, inquiry.alerted, inquiry.next) = (true, true, next);
        }
        if let Some(run) = self.venues.get_mut(&order.venue) {
            run.unconfirmed.remove(&order.number);
        }
        if !say {
            return;
        }
        let reason = format!("held: absent at the venue, {why}");
        if order.reason.as_ref() != Some(&reason) {
            let moved = Moved {
                order: order.number,
                state: OrderState::Unknown,
                executed: order.executed,
                venue_order_id: None,
                reason: Some(reason.clone()),
                sent: true,
            };
            self.record(out, Fact::Moved(moved));
        }
        self.decision(out, NoticeLevel::Error, &order.venue, &order.client_order_id, "held");
        let scope = format!("{}/{}", order.venue, order.client_order_id);
        self.raise(out, "order_outcome_unknown", scope, reason);
    }

    /// An operator's word.
    pub(super) fn on_resolve(
        &mut self,
        out: &mut Out,
        id: &ClientOrderId,
        resolution: Resolution,
        by: &Actor,
        reply: Option<ReplyTo>,
    ) {
        let Some(order) = self.books.by_client(id).cloned() else {
            let detail = format!("client_order_id={id}");
            return out.refuse(reply, refusal("NO_SUCH_ORDER", RefusalKind::NotFound, detail));
        };
        if order.state != OrderState::Unknown {
            let detail = format!("client_order_id={id}, state={}", order.state.word());
            return out.refuse(reply, refusal("NOT_UNKNOWN", RefusalKind::Conflict, detail));
        }
        let proved = self.watch.get(&order.number).and_then(|watch| watch.inquiry.as_ref());
        let proved = proved.is_some_and(|inquiry| inquiry.proved);
        match resolution {
            Resolution::QueryAgain => {
                let now = out.now.mono;
                let watch = self.watch.entry(order.number).or_insert_with(|| Watch::new(Stage::Settled, now));
                watch.inquiry.get_or_insert_with(|| Inquiry::new(now)).next = now;
                self.arm(order.number);
            }
            Resolution::Absent => {
                self.close_absent(out, &order, super::evidence::ABSENT);
                let fields = vec![
                    ("order.id", id.to_string()),
                    ("actor", by.name.clone()),
                    ("reason", by.reason.clone()),
                ];
                out.notice(NoticeLevel::Warn, "order_resolved", fields);
            }
            Resolution::Resend if !proved || order.venue_order_id.is_some() => {
                let detail = format!("client_order_id={id}, why=absence is not proved");
                return out.refuse(reply, refusal("NOT_PROVED_ABSENT", RefusalKind::Conflict, detail));
            }
            Resolution::Resend => match self.would_pass(out, &order) {
                Ok(()) => self.resend(out, &order),
                Err(refused) => return out.refuse(reply, refused),
            },
        }
        out.evidence.replies.extend(reply.map(|to| (to, Answer::Done)));
    }
}

/// Does a look at the fills from one trade on cover those after another?
fn covers(from: Option<u64>, after: Option<u64>) -> bool {
    match (from, after) {
        // Without a trade to begin after, the latest page is all that can be asked for.
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(from), Some(after)) => from <= after,
    }
}
