//! What venues say about orders: reports, answers, and what they change.
//!
//! Every report may be late, repeated or out of order. Fills in it are booked first, then the executed
//! quantity rises (never falls), then the table decides the state. What the venue executed beyond what was
//! booked is chased until the fills are here.

use super::core::{Oms, own_actor};
use super::effect::NoticeLevel;
use super::fact::{Fact, Moved};
use super::out::Out;
use super::settings::External;
use super::watch::{Chase, Stage, Watch};
use crate::domain::ids::{ClientOrderId, VenueId};
use crate::domain::money::{Amount, Quantity};
use crate::domain::order::lifecycle::{Input, Verdict, follow};
use crate::domain::order::{Order, OrderKind, OrderNumber, OrderState, Origin};
use crate::domain::order_types::{OrderReport, OrderStatus, OrderType, TimeInForce};
use crate::domain::outcome::{Outcome, RejectClass, bounded};

/// The reason of an order that was closed on the venue's silence.
pub(super) const ABSENT: &str = "absent_at_venue";

impl Oms {
    /// The outcome of a placement.
    pub(super) fn on_placed(
        &mut self,
        out: &mut Out,
        venue: &VenueId,
        id: &ClientOrderId,
        outcome: Outcome<OrderReport>,
    ) {
        let number = self.books.by_venue(venue, id).map(|order| order.number);
        match (outcome, number) {
            (Outcome::Confirmed(report), _) => self.on_report(out, venue, &report, false),
            (_, None) => {}
            (Outcome::DeniedHere(denial), Some(number)) => self.denied_here(out, number, &denial),
            (Outcome::Unknown(why), Some(number)) => self.doubt(out, number, &why.to_string(), false),
            (Outcome::Rejected(rejection), Some(number)) => {
                let why = format!("{} {}", rejection.code, bounded(&rejection.reason));
                if rejection.class == RejectClass::DuplicateClientOrderId {
                    // The venue holds an order of this name: ours, from a sending whose answer was lost.
                    return self.doubt(out, number, &format!("duplicate client order id: {why}"), true);
                }
                self.learn(out, number, Input::Rejected, Quantity::ZERO, None, Some(why));
            }
        }
    }

    /// A report, from the stream or as an answer.
    pub(super) fn on_report(&mut self, out: &mut Out, venue: &VenueId, report: &OrderReport, stream: bool) {
        let Some(number) = self.find(out, venue, report) else {
            return self.foreign(out, venue, report, stream);
        };
        for fill in &report.fills {
            self.on_fill(out, venue, fill, Some(number));
        }
        let Some(order) = self.books.orders.get(&number) else { return };
        if report.executed > report.quantity || order.booked > order.quantity.max(report.quantity) {
            self.overfilled(out, number, report);
        }
        let Some(order) = self.books.orders.get(&number) else { return };
        let input = input_of(order, report);
        let reason = report.reject_reason.as_ref().map(|word| word.as_str().to_owned());
        let reason = reason.or_else(|| match &report.status {
            OrderStatus::ExpiredInMatch => Some("expired_in_match".to_owned()),
            OrderStatus::Other(word) => Some(format!("venue status {}", word.as_str())),
            _ => None,
        });
        self.learn(out, number, input, report.executed, Some(report), reason);
    }

    /// The order that a report is about: by the venue's id, else by ours.
    fn find(&mut self, out: &mut Out, venue: &VenueId, report: &OrderReport) -> Option<OrderNumber> {
        let key = (venue.clone(), report.symbol.clone(), report.venue_order_id.clone());
        if let Some(number) = self.books.index.by_venue_order.get(&key) {
            return Some(*number);
        }
        let order = self.books.by_venue(venue, &report.client_order_id)?;
        let (number, ours) = (order.number, order.origin == Origin::Intent);
        match &order.venue_order_id {
            None => Some(number),
            Some(_) if !ours => None,
            Some(known) => {
                // One name of ours, two orders there: what must never be (I2). Nothing more goes out.
                let why = format!(
                    "the venue {venue} holds two orders named {}: {known} and {}",
                    report.client_order_id, report.venue_order_id
                );
                self.raise(out, "unmatched_fill", format!("{venue}/{}", report.client_order_id), why.clone());
                self.halt(out, own_actor(&why));
                None
            }
        }
    }

    /// Takes a piece of evidence in: quantity, state, ids, and what follows from them.
    pub(super) fn learn(
        &mut self,
        out: &mut Out,
        number: OrderNumber,
        input: Input,
        executed: Quantity,
        report: Option<&OrderReport>,
        reason: Option<String>,
    ) {
        let Some(order) = self.books.orders.get(&number) else { return };
        let verdict = follow(order.state, input);
        let state = match verdict {
            Verdict::Next(state) => state,
            Verdict::Stay | Verdict::Query | Verdict::Wrong => order.state,
        };
        let venue_order_id = match (&order.venue_order_id, report) {
            (None, Some(report)) => Some(report.venue_order_id.clone()),
            _ => None,
        };
        let executed = order.executed.max(executed);
        let changed = state != order.state || executed > order.executed || venue_order_id.is_some();
        let lives = report.is_some_and(|report| report.status.is_live());
        let venue = order.venue.clone();
        let told_sent = matches!(order.state, OrderState::PendingSubmit | OrderState::Submitted);
        if changed {
            let reason = if state == order.state { order.reason.clone().or(reason) } else { reason };
            let moved = Moved {
                order: number,
                state,
                executed,
                venue_order_id,
                reason,
                sent: report.is_some() || told_sent,
            };
            self.record(out, Fact::Moved(moved));
            self.active(&venue);
        }
        if verdict == Verdict::Wrong {
            let fields = vec![("order.number", number.0.to_string()), ("input", format!("{input:?}"))];
            out.notice(NoticeLevel::Error, "impossible_transition", fields);
        }
        if report.is_some() || matches!(verdict, Verdict::Next(_)) {
            self.confirmed(out, number, lives);
        }
        if verdict == Verdict::Query {
            self.inquire(out, number);
        }
        self.after_change(out, number);
    }

    /// The venue spoke about an order: doubts about it end.
    fn confirmed(&mut self, out: &mut Out, number: OrderNumber, lives: bool) {
        let Some(order) = self.books.orders.get(&number) else { return };
        if order.state == OrderState::Unknown {
            return;
        }
        let (venue, id) = (order.venue.clone(), order.client_order_id.clone());
        if let Some(run) = self.venues.get_mut(&venue) {
            run.unconfirmed.remove(&number);
        }
        let now = out.now.mono;
        if lives || self.watch.contains_key(&number) {
            let watch = self.watch.entry(number).or_insert_with(|| Watch::new(Stage::Settled, now));
            watch.stage = Stage::Settled;
            watch.confirmed = Some(now);
            watch.retry_at = None;
            watch.inquiry = None;
        }
        self.clear(out, "order_outcome_unknown", format!("{venue}/{id}"));
    }

    /// What every change of an order may set off: cancels, chases, replacements, and being forgotten.
    pub(super) fn after_change(&mut self, out: &mut Out, number: OrderNumber) {
        let Some(order) = self.books.orders.get(&number) else { return };
        let (venue, id) = (order.venue.clone(), order.client_order_id.clone());
        let venue_name = order.venue_client_order_id.clone();
        let (is_final, booked) = (order.state.is_final(), order.is_booked());
        // An order in doubt is cancelled too: what it may still do should stop now, not when it can be asked
        // about (passivbot#980). A cancel that finds nothing harms nothing, and is repeated.
        let wants_cancel = order.cancel_requested
            && matches!(
                order.state,
                OrderState::Working
                    | OrderState::PartiallyFilled
                    | OrderState::PendingCancel
                    | OrderState::Unknown
            );
        let known = order.venue_order_id.is_some();
        let now = out.now.mono;
        if !booked {
            let first = now.plus(self.settings.knobs.fill_grace_ms);
            let watch = self.watch.entry(number).or_insert_with(|| Watch::new(Stage::Settled, now));
            watch.chase.get_or_insert(Chase { tries: 0, next: first });
        }
        if let Some(watch) = self.watch.get_mut(&number) {
            if booked {
                watch.chase = None;
            }
            if is_final {
                watch.stage = Stage::Settled;
                (watch.inquiry, watch.cancel, watch.retry_at) = (None, None, None);
            }
        }
        if wants_cancel && self.watch.get(&number).is_none_or(|watch| watch.cancel.is_none()) {
            self.send_cancel(out, number);
        }
        // What is identified may own a fill on the shelf; what ended cannot own one any more.
        if (known || is_final) && !self.shelf.parked.is_empty() {
            self.unpark(out);
        }
        if is_final {
            if let Some(run) = self.venues.get_mut(&venue) {
                run.unconfirmed.remove(&number);
            }
            self.clear(out, "order_outcome_unknown", format!("{venue}/{id}"));
            self.clear(out, "order_outcome_unknown", format!("{venue}/{venue_name}"));
            if booked {
                self.watch.remove(&number);
            }
            self.replace_ended(out, number);
        }
        self.arm(number);
    }

    /// The venue executed more than was ordered: nobody knows what we hold now.
    fn overfilled(&mut self, out: &mut Out, number: OrderNumber, report: &OrderReport) {
        let Some(order) = self.books.orders.get(&number) else { return };
        let why = format!(
            "order {} of {} executed {} of {}",
            order.client_order_id,
            order.symbol,
            report.executed.max(order.booked),
            order.quantity
        );
        let scope = format!("{}/{}", order.venue, order.symbol);
        self.raise(out, "position_divergence", scope, why.clone());
        self.halt(out, own_actor(&format!("overfill: {why}")));
    }

    /// A report of an order that is not in the books.
    fn foreign(&mut self, out: &mut Out, venue: &VenueId, report: &OrderReport, stream: bool) {
        let compared = self.venues.get(venue).is_some_and(|run| run.compared);
        if report.status.is_live() {
            // Before the comparison nobody can say what is foreign; the comparison lists what is open.
            if compared || !stream {
                self.adopt(out, venue, report);
            }
            return;
        }
        // Ended, and nobody here knows it: a foreign one, or ours from long ago. Its fills are judged by their ids.
        for fill in &report.fills {
            self.on_fill(out, venue, fill, None);
        }
    }

    /// Takes an order that was found at the venue under watch.
    pub(super) fn adopt(&mut self, out: &mut Out, venue: &VenueId, report: &OrderReport) {
        let number = OrderNumber(self.books.next);
        let Ok(id) = ClientOrderId::new(&format!("{}{}", super::intake::ADOPTED_PREFIX, number.0)) else {
            return;
        };
        let policy = self.settings.venues.iter().find(|known| known.id == *venue).map(|known| known.external);
        let policy = policy.unwrap_or_default();
        // Before the books begin, what was executed is part of the balances that they begin with.
        let begun = self.books.begun.contains(venue);
        let (booked, booked_quote) =
            if begun { (Quantity::ZERO, Amount::ZERO) } else { (report.executed, report.executed_quote) };
        let order = Order {
            number,
            client_order_id: id.clone(),
            venue_client_order_id: report.client_order_id.clone(),
            venue_order_id: Some(report.venue_order_id.clone()),
            venue: venue.clone(),
            symbol: report.symbol.clone(),
            side: report.side,
            kind: match report.order_type {
                OrderType::Market | OrderType::StopLoss | OrderType::TakeProfit => OrderKind::Market,
                OrderType::LimitMaker => OrderKind::LimitMaker,
                _ => OrderKind::Limit,
            },
            quantity: report.quantity,
            price: Some(report.price).filter(|price| !price.is_zero()),
            time_in_force: Some(report.time_in_force.clone())
                .filter(|tif| !matches!(tif, TimeInForce::Other(_))),
            stop_loss: None,
            reduce_only: false,
            strategy: self.external.clone(),
            correlation: self.own.clone(),
            origin: Origin::Adopted,
            state: if report.executed.is_zero() { OrderState::Working } else { OrderState::PartiallyFilled },
            executed: report.executed,
            booked,
            booked_quote,
            reason: Some("found_at_venue".to_owned()),
            attempts: 0,
            cancel_requested: false,
            replaces: None,
            decision_price: None,
            fills_after: None,
            created_at: out.now.wall,
            updated_at: out.now.wall,
        };
        let ours = self.books.number_in(&report.client_order_id).is_some();
        if !self.record(out, Fact::Adopted(Box::new(order))) {
            return;
        }
        let mut watch = Watch::new(Stage::Settled, out.now.mono);
        watch.confirmed = Some(out.now.mono);
        self.watch.insert(number, watch);
        self.active(venue);
        let what = if ours { "adopted_of_older_backup" } else { "adopted" };
        let level = if ours { NoticeLevel::Error } else { NoticeLevel::Warn };
        self.decision(out, level, venue, &report.client_order_id, what);
        match policy {
            External::Adopt => {}
            External::Cancel => {
                self.request_cancel(out, number, &own_actor("foreign orders are cancelled here"));
            }
            External::Hold => {
                let reason = format!("{} is open at {venue} and was not placed here", report.client_order_id);
                self.raise(
                    out,
                    "order_outcome_unknown",
                    format!("{venue}/{}", report.client_order_id),
                    reason,
                );
            }
        }
        for fill in &report.fills {
            self.on_fill(out, venue, fill, Some(number));
        }
        self.after_change(out, number);
    }
}

/// Which row of the table a report is for.
fn input_of(order: &Order, report: &OrderReport) -> Input {
    let executed = order.executed.max(report.executed);
    let all = executed >= order.quantity.max(report.quantity);
    let on_silence = order.reason.as_deref() == Some(ABSENT);
    match &report.status {
        _ if all => Input::FullyExecuted,
        OrderStatus::Filled => Input::FullyExecuted,
        OrderStatus::Canceled => Input::Cancelled,
        OrderStatus::Rejected => Input::Killed,
        OrderStatus::Expired | OrderStatus::ExpiredInMatch => Input::Expired,
        _ if on_silence => Input::Resurfaced,
        _ if !executed.is_zero() => Input::Executed,
        _ => Input::Live,
    }
}
