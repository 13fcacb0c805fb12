//! Cancels, cancel-all and cancel/replace.
//!
//! A cancel creates no exposure: it overtakes the disk and works while trading is halted, while the run ends
//! and while the journal cannot write. It is repeated while the order stays open. A replacement goes out only
//! once the original is final, with what the original left of the quantity.

use super::core::Oms;
use super::effect::{Answer, Effect, RefusalKind};
use super::event::{Actor, ReplyTo};
use super::fact::{CancelRequested, Fact, Moved};
use super::out::{Out, refusal};
use super::watch::{Cancelling, Replacement, Stage, Watch};
use crate::domain::ids::{ClientOrderId, VenueId};
use crate::domain::money::Quantity;
use crate::domain::order::lifecycle::{Input, Verdict, follow};
use crate::domain::order::{CancelScope, Order, OrderKind, OrderNumber, OrderRequest, ReplaceRequest};
use crate::domain::order_types::{CancelOrder, OrderReport};
use crate::domain::outcome::{Outcome, RejectClass};
use crate::domain::risk::{Message, Proposal};

impl Oms {
    pub(super) fn on_cancel(&mut self, out: &mut Out, id: &ClientOrderId, by: Actor, reply: Option<ReplyTo>) {
        let Some(number) = self.books.by_client(id).map(|order| order.number) else {
            let detail = format!("client_order_id={id}");
            return out.refuse(reply, refusal("NO_SUCH_ORDER", RefusalKind::NotFound, detail));
        };
        self.request_cancel(out, number, &by);
        if let Some(answer) = self.accepted(number) {
            out.reply(reply, answer);
        }
    }

    pub(super) fn on_cancel_all(
        &mut self,
        out: &mut Out,
        scope: &CancelScope,
        by: &Actor,
        reply: Option<ReplyTo>,
    ) {
        let within = |order: &&Order| {
            scope.venue.as_ref().is_none_or(|venue| *venue == order.venue)
                && scope.symbol.as_ref().is_none_or(|symbol| *symbol == order.symbol)
                && scope.strategy.as_ref().is_none_or(|strategy| *strategy == order.strategy)
                && !(scope.entries && order.reduce_only)
        };
        let numbers: Vec<OrderNumber> = self.books.open().filter(within).map(|order| order.number).collect();
        for number in &numbers {
            self.request_cancel(out, *number, by);
        }
        // It does not wait for the disk, unlike the line of the audit.
        let answer = Answer::CancelAllTaken(numbers.len());
        if let Some(note) = out.note.take() {
            out.evidence.notes.push((note, answer.clone()));
        }
        out.reply(reply, answer);
    }

    /// Begins to cancel an order, wherever it stands. For one that is final already nothing happens.
    pub(super) fn request_cancel(&mut self, out: &mut Out, number: OrderNumber, by: &Actor) {
        let Some(order) = self.books.orders.get(&number).filter(|order| !order.state.is_final()) else {
            return;
        };
        match self.watch.get_mut(&number) {
            Some(watch) if watch.stage == Stage::Writing => {
                // Its row may still be refused; a row about it must not come to stand alone.
                watch.withdrawn.get_or_insert_with(|| by.clone());
                return;
            }
            Some(watch) if watch.stage == Stage::Waiting => {
                let why = format!("CANCELLED_BEFORE_SENT: by={}, reason={}", by.name, by.reason);
                return self.close_unsent(out, number, Input::Cancelled, why);
            }
            _ => {}
        }
        if !order.cancel_requested {
            let state = match follow(order.state, Input::CancelSent) {
                Verdict::Next(state) => state,
                _ => order.state,
            };
            let asked = CancelRequested { order: number, state, by: by.clone() };
            if !self.record(out, Fact::CancelRequested(asked)) {
                return;
            }
        }
        // A second wish is a wish to try now.
        if let Some(watch) = self.watch.get_mut(&number) {
            watch.cancel = None;
        }
        self.after_change(out, number);
    }

    /// Sends a cancel for an order that the venue has, and sets the time of the next attempt.
    pub(super) fn send_cancel(&mut self, out: &mut Out, number: OrderNumber) {
        let knobs = &self.settings.knobs;
        let Some(order) = self.books.orders.get(&number) else { return };
        if order.state.is_final() || !order.cancel_requested {
            return;
        }
        let now = out.now.mono;
        let live = self.venues.get(&order.venue).is_some_and(|run| run.live);
        let watch = self.watch.entry(number).or_insert_with(|| Watch::new(Stage::Settled, now));
        let cancel = watch.cancel.get_or_insert(Cancelling { tries: 0, next: now });
        let pause =
            if cancel.tries < knobs.cancel_retries { knobs.cancel_retry_ms } else { knobs.query_max_ms };
        cancel.next = now.plus(pause.max(1));
        if live {
            cancel.tries = cancel.tries.saturating_add(1);
            let cancel = CancelOrder {
                symbol: order.symbol.clone(),
                client_order_id: order.venue_client_order_id.clone(),
            };
            self.risk.sent(now, &order.strategy, Message::Cancel);
            out.push(Effect::Cancel(order.venue.clone(), cancel));
        }
        if let Verdict::Next(state) = follow(order.state, Input::CancelSent) {
            let moved = Moved {
                order: number,
                state,
                executed: order.executed,
                venue_order_id: None,
                reason: order.reason.clone(),
                sent: true,
            };
            self.record(out, Fact::Moved(moved));
        }
        self.arm(number);
    }

    pub(super) fn on_cancel_answered(
        &mut self,
        out: &mut Out,
        venue: &VenueId,
        id: &ClientOrderId,
        outcome: Outcome<OrderReport>,
    ) {
        let Some(number) = self.books.by_venue(venue, id).map(|order| order.number) else { return };
        match outcome {
            Outcome::Confirmed(report) => self.on_report(out, venue, &report, false),
            Outcome::Rejected(rejection) if rejection.class == RejectClass::UnknownOrder => {
                // Nothing open of that name: it may have filled, and only the venue can say.
                self.learn(out, number, Input::CancelRefused, Quantity::ZERO, None, None);
            }
            Outcome::Unknown(_) => self.inquire(out, number),
            // It is tried again at its time.
            Outcome::Rejected(_) | Outcome::DeniedHere(_) => {}
        }
    }

    // ---- cancel and replace

    pub(super) fn on_replace(
        &mut self,
        out: &mut Out,
        request: ReplaceRequest,
        by: Actor,
        reply: Option<ReplyTo>,
    ) {
        let no = |code, kind, detail| refusal(code, kind, detail);
        let id = &request.original;
        if let Some(known) = request.client_order_id.as_ref().and_then(|id| self.books.by_client(id)) {
            let same = known.replaces.as_ref() == Some(id);
            let (detail, answer) = (format!("client_order_id={}", known.client_order_id), known.clone());
            return match same {
                true => out.reply(reply, Answer::Accepted(Box::new(answer))),
                false => out.refuse(reply, no("ID_IN_USE", RefusalKind::Conflict, detail)),
            };
        }
        let Some(order) = self.books.by_client(id) else {
            let detail = format!("client_order_id={id}");
            return out.refuse(reply, no("NO_SUCH_ORDER", RefusalKind::NotFound, detail));
        };
        if order.state.is_final() {
            let detail = format!("client_order_id={id}, state={}", order.state.word());
            return out.refuse(reply, no("ORDER_ENDED", RefusalKind::Conflict, detail));
        }
        if order.kind == OrderKind::Market {
            let detail = format!("client_order_id={id}, type=market");
            return out.refuse(reply, no("NOT_REPLACEABLE", RefusalKind::Invalid, detail));
        }
        // What can be refused now is refused now, while the original still works.
        let wish = wish(order, &request, order.remaining());
        let number = order.number;
        let first = self.check_replacement(&wish, number);
        let proposal = Proposal { replaces: Some(number), ..Proposal::of_request(&wish) };
        if let Err(refused) = first.and_then(|()| self.would_decide(out, &proposal)) {
            return self.deny_at_the_door(out, &wish, refused, reply);
        }
        let waiting = Replacement {
            client_order_id: request.client_order_id,
            price: request.price,
            quantity: request.quantity,
            reply,
        };
        if let Some(earlier) = self.replacing.insert(number, waiting) {
            let detail = format!("client_order_id={}", request.original);
            out.refuse(earlier.reply, no("SUPERSEDED", RefusalKind::Conflict, detail));
        }
        self.request_cancel(out, number, &by);
    }

    /// The original of a replacement is final: the rest is placed, if there is one.
    pub(super) fn replace_ended(&mut self, out: &mut Out, number: OrderNumber) {
        let Some(waiting) = self.replacing.remove(&number) else { return };
        let Some(order) = self.books.orders.get(&number) else { return };
        let rest = waiting.quantity.checked_sub(order.executed.max(order.booked)).unwrap_or(Quantity::ZERO);
        if rest.is_zero() {
            let detail = format!("client_order_id={}, executed={}", order.client_order_id, order.executed);
            return out.refuse(waiting.reply, refusal("NOTHING_REMAINS", RefusalKind::Conflict, detail));
        }
        let request = ReplaceRequest {
            original: order.client_order_id.clone(),
            client_order_id: waiting.client_order_id,
            price: waiting.price,
            quantity: waiting.quantity,
        };
        let (mut wish, original) = (wish(order, &request, rest), order.client_order_id.clone());
        match self.check(out, &wish).and_then(|()| self.decide(out, &mut wish, Some(number))) {
            Ok(touch) => self.take(out, wish, touch, Some(original), waiting.reply),
            Err(refused) => self.deny_at_the_door(out, &wish, refused, waiting.reply),
        }
    }
}

fn wish(order: &Order, request: &ReplaceRequest, quantity: Quantity) -> OrderRequest {
    OrderRequest {
        client_order_id: request.client_order_id.clone(),
        venue: order.venue.clone(),
        symbol: order.symbol.clone(),
        side: order.side,
        kind: order.kind,
        quantity,
        price: Some(request.price),
        time_in_force: order.time_in_force.clone(),
        stop_loss: order.stop_loss,
        reduce_only: order.reduce_only,
        strategy: order.strategy.clone(),
        correlation: Some(order.correlation.clone()),
    }
}
