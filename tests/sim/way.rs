//! The way to the venue and back: late, lossy, and in sessions that end.

use crate::checks::Moment;
use crate::wire::{Link, Request, Wire, denied, unknown};
use crate::world::{Item, World};
use plimsoll::domain::account_sync::AccountSnapshot;
use plimsoll::domain::money::Price;
use plimsoll::domain::oms::{Event, Mark};
use plimsoll::domain::order_types::{ExecutionType, OrderStatus};
use plimsoll::domain::outcome::{Denial, Lookup, Outcome, RejectClass, Rejection, UnknownWhy};
use rust_decimal::Decimal;
use std::hash::Hash;

impl World {
    pub(crate) fn send(&mut self, request: Request) {
        let placing = matches!(request, Request::Place(_));
        (self.now, format!("{request:?}")).hash(&mut self.hasher);
        let refuse = self.chance(self.options.deny);
        let denial = match self.wire.link {
            Link::Down => Some(Denial::NotConnected { state: "backoff" }),
            Link::Comparing if placing => Some(Denial::StreamReconciling { state: "syncing" }),
            _ if refuse => {
                let retry_at = self.clock().mono.plus(self.rng.u64(10..800));
                Some(match self.rng.u32(..3) {
                    0 => Denial::BackOff { until: retry_at },
                    1 => Denial::QueueFull { limit: 1 },
                    _ => Denial::Paced { limit: "orders", used: 9, cap: 9, retry_at },
                })
            }
            _ => None,
        };
        if let Some(denial) = denial {
            self.check(&Moment::Denied(&request));
            let event = denied(&self.venue, &request, denial);
            return self.core(0, event);
        }
        let (life, id) = (self.life, self.next);
        self.wire.under_way.insert(id, request.clone());
        let there = if self.chance(self.options.slow) {
            self.rng.u64(0..=self.options.recv_window_ms + 200)
        } else {
            self.rng.u64(0..=self.options.latency_ms)
        };
        let (lost, mut answered) =
            (self.chance(self.options.lose_request), !self.chance(self.options.lose_response));
        let timeout = self.options.timeout_ms;
        self.at(timeout, Item::Expire { life, id });
        if !lost && self.chance(self.options.server_error) {
            // An error for an answer; in half of the cases the venue did it all the same.
            let event = unknown(&self.venue, &request, UnknownWhy::ServerError { status: 502 });
            self.at(there + 1, Item::Answer { life, id, event });
            if self.rng.bool() {
                return;
            }
            answered = false;
        }
        if !lost {
            let sent = self.now;
            self.at(there, Item::Arrive { life, id, request, sent, answered });
        }
    }

    pub(crate) fn arrive(&mut self, life: u64, id: u64, request: Request, sent: u64, answered: bool) {
        let event = self.do_at_venue(&request, sent);
        self.publish();
        if answered {
            let back = self.rng.u64(0..=self.options.latency_ms);
            self.at(back, Item::Answer { life, id, event });
        }
    }

    pub(crate) fn hide(&mut self) -> u64 {
        if self.options.hide_ms == 0 { 0 } else { self.rng.u64(0..=self.options.hide_ms) }
    }

    pub(crate) fn do_at_venue(&mut self, request: &Request, sent: u64) -> Event {
        let (venue, now) = (self.venue.clone(), self.now);
        let outcome = |answer: Result<_, Rejection>| match answer {
            Ok(report) => Outcome::Confirmed(report),
            Err(rejection) => Outcome::Rejected(rejection),
        };
        let refusal = |class| Rejection { code: -1, reason: "no".to_owned(), class };
        match request {
            Request::Place(order) => {
                let id = order.client_order_id.clone();
                let answer = if now - sent > self.options.recv_window_ms {
                    Err(refusal(RejectClass::ClockSkew))
                } else if self.chance(self.options.reject) {
                    Err(refusal(RejectClass::InsufficientBalance))
                } else {
                    let hide_ms = self.hide();
                    let take = Decimal::new([0, 0, 0, 3, 5, 10][self.rng.usize(..6)], 1);
                    self.exchange.place(now, order.clone(), hide_ms, take)
                };
                Event::Placed { venue, order: id, outcome: outcome(answer) }
            }
            Request::Cancel(cancel) => {
                let order = cancel.client_order_id.clone();
                let answer = self.exchange.cancel(now, &order);
                self.marks.hit_if("cancel_came_too_late", answer.is_err());
                Event::CancelAnswered { venue, order, outcome: outcome(answer) }
            }
            Request::Query(order) => {
                let found = self.exchange.find(order).filter(|found| found.shown_at <= now);
                let answer = found
                    .map_or(Lookup::Absent, |found| Lookup::Found(Box::new(found.report(None, vec![], now))));
                Event::Looked { venue, order: order.clone(), answer: Ok(answer) }
            }
            Request::OpenOrders => Event::OpenOrders { venue, answer: Ok(self.exchange.shown_orders(now)) },
            Request::Fills(symbol, after) => {
                let after = after.as_ref().and_then(|id| id.number());
                let answer = Ok(self.exchange.shown_fills(symbol, after, now));
                Event::Fills { venue, symbol: symbol.clone(), answer }
            }
            Request::Balances => Event::Balances { venue, answer: Ok(self.exchange.balances()) },
        }
    }

    /// Sends what the venue has to say down the stream, as badly as the options want.
    pub fn publish(&mut self) {
        for report in std::mem::take(&mut self.exchange.said) {
            if self.wire.link == Link::Down || self.chance(self.options.drop_report) {
                continue;
            }
            let event = Event::Report { venue: self.venue.clone(), report };
            self.stream(event.clone());
            if self.chance(self.options.duplicate_report) {
                self.marks.hit("duplicate_report");
                self.stream(event);
            }
        }
    }

    /// Sends an event down the stream, in order unless the options want otherwise.
    pub fn stream(&mut self, event: Event) {
        let most = if self.options.reorder { self.options.latency_ms * 10 } else { self.options.latency_ms };
        let mut due = self.now + self.rng.u64(0..=most);
        if !self.options.reorder {
            due = due.max(self.wire.last_arrival);
            self.wire.last_arrival = due;
        }
        let session = self.wire.session;
        self.at(due - self.now, Item::Stream(session, event));
    }

    pub fn disconnect(&mut self) {
        if self.wire.link == Link::Down {
            return;
        }
        self.wire.link = Link::Down;
        self.wire.session += 1;
        let venue = self.venue.clone();
        for (_, request) in std::mem::take(&mut self.wire.under_way) {
            let event = unknown(&venue, &request, UnknownWhy::Disconnected);
            self.core(0, event);
        }
        self.core(0, Event::VenueLive { venue, live: false });
        let (session, pause) = (self.wire.session, self.rng.u64(10..3_000));
        self.at(pause, Item::Connect(session));
    }

    /// The connector dies and is built anew: what it had under way has no answer.
    pub fn connector_dies(&mut self) {
        let epoch = self.wire.epoch + 1;
        self.wire = Wire { epoch, ..Wire::new(self.wire.session + 1) };
        let venue = self.venue.clone();
        self.core(5, Event::VenueStarted { venue, epoch });
        let (session, pause) = (self.wire.session, self.rng.u64(10..500));
        self.at(pause, Item::Connect(session));
    }

    pub(crate) fn connect(&mut self) {
        self.wire.link = Link::Comparing;
        self.wire.last_arrival = 0;
        let snapshot = AccountSnapshot {
            open_orders: self.exchange.shown_orders(self.now),
            fills: self
                .symbols
                .clone()
                .iter()
                .flat_map(|symbol| {
                    let after = self.wire.view.last_trade(symbol);
                    self.exchange.shown_fills(symbol, after, self.now)
                })
                .collect(),
            balances: self.exchange.balances(),
        };
        let (session, pause) = (self.wire.session, self.rng.u64(1..=self.options.latency_ms + 1));
        self.wire.last_arrival = self.now + pause;
        self.at(pause, Item::Compared { session, snapshot });
    }

    pub(crate) fn market(&mut self) {
        for symbol in self.symbols.clone() {
            let middle = self.exchange.middle.entry(symbol.clone()).or_insert(10_000);
            *middle = (*middle + self.rng.i64(-30..=30)).clamp(5_000, 20_000);
            let price = |cents: i64| Price::new(Decimal::new(cents, 2)).unwrap();
            let mark = Mark { bid: price(*middle - 1), ask: price(*middle + 1) };
            let venue = self.venue.clone();
            self.step(Event::Marked { venue, symbol, mark: Some(mark) });
        }
        let live: Vec<(usize, Decimal)> =
            self.exchange.live().map(|(index, order)| (index, order.left())).collect();
        for (index, left) in live {
            if self.healed || !self.chance(60) {
                continue;
            }
            let untouched = self.exchange.orders[index].executed.is_zero();
            if untouched && self.chance(self.options.late_reject) {
                self.marks.hit("late_reject");
                self.exchange.end(index, OrderStatus::Rejected, ExecutionType::Rejected, self.now);
            } else if self.chance(self.options.overfill) {
                self.marks.hit("overfill");
                self.exchange.overfill(index, self.now);
            } else {
                let part = (left * Decimal::new(self.rng.i64(1..=10), 1)).round_dp(3);
                let hide_ms = self.hide();
                let price = self.exchange.orders[index].asked.price.map_or(Decimal::from(100), Price::get);
                self.exchange.execute(
                    index,
                    if part.is_zero() { left } else { part },
                    price,
                    self.now,
                    hide_ms,
                );
            }
        }
        self.publish();
    }
}
