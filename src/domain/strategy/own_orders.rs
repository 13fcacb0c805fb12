//! A strategy's own orders as it knows them, and the position at its worst.
//!
//! Promises: every request counts from the moment it is wanted until it is refused or its order is final and
//! fully booked, so the worst case never understates what the venue may do. The position is counted from the
//! orders' own booked quantities; the ledger's word comes apart from them and may be ahead or behind, so the
//! worse of the two counts. Memory is bounded by the orders that are open plus [`ENDED_MAX`].

use super::brief::{Brief, Intent};
use crate::domain::ids::{ClientOrderId, Correlation};
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::order::{Order, OrderKind, OrderRequest, OrderState};
use crate::domain::order_types::{Side, TimeInForce};
use crate::domain::time::Mono;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, VecDeque};

/// Ended orders whose booked quantity is remembered, for fills that come after the end.
const ENDED_MAX: usize = 256;
/// Pause before a cancel without effect is asked for again, milliseconds.
const CANCEL_AGAIN_MS: u64 = 1_000;
/// Pause after a refusal; doubles with each in a row.
const REFUSED_PAUSE_MS: u64 = 250;
const REFUSED_PAUSE_MS_MAX: u64 = 16_000;

/// A request without an order yet.
#[derive(Debug, Clone)]
struct Asked {
    side: Side,
    price: Price,
    quantity: Quantity,
}

#[derive(Debug, Clone)]
struct Known {
    order: Order,
    cancel_asked: Option<Mono>,
}

/// A new order in the strategy's own terms.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) side: Side,
    pub(super) kind: OrderKind,
    pub(super) price: Price,
    pub(super) quantity: Quantity,
    pub(super) time_in_force: Option<TimeInForce>,
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct OwnOrders {
    brief: Brief,
    sent: u64,
    asked: BTreeMap<Correlation, Asked>,
    known: BTreeMap<ClientOrderId, Known>,
    ended: VecDeque<(ClientOrderId, Quantity)>,
    counted: Decimal,
    told: Decimal,
    refusals: u32,
    quiet_until: Mono,
}

impl OwnOrders {
    pub(super) fn new(brief: &Brief) -> Self {
        let known = |order: &Order| {
            (order.client_order_id.clone(), Known { order: order.clone(), cancel_asked: None })
        };
        Self {
            sent: 0,
            asked: BTreeMap::new(),
            known: brief.orders.iter().map(known).collect(),
            ended: VecDeque::new(),
            counted: brief.position.get(),
            told: brief.position.get(),
            refusals: 0,
            quiet_until: Mono(0),
            brief: Brief { orders: Vec::new(), ..brief.clone() },
        }
    }

    pub(super) const fn brief(&self) -> &Brief {
        &self.brief
    }

    /// Takes an order's latest state over; older states of an ended order change nothing but what is booked.
    pub(super) fn note_order(&mut self, now: Mono, order: &Order) {
        self.asked.remove(&order.correlation);
        let id = &order.client_order_id;
        let before = match self.known.get(id) {
            Some(known) => known.order.booked,
            None => self.ended.iter().find(|(ended, _)| ended == id).map_or(Quantity::ZERO, |(_, b)| *b),
        };
        let booked = order.booked.get().saturating_sub(before.get());
        self.counted = match order.side {
            Side::Buy => self.counted.saturating_add(booked),
            Side::Sell => self.counted.saturating_sub(booked),
        };
        match order.state {
            // The end of one that was known before is no second refusal.
            OrderState::Rejected | OrderState::Denied if !self.ended.iter().any(|(ended, _)| ended == id) => {
                self.note_refusal(now);
            }
            OrderState::Working | OrderState::PartiallyFilled | OrderState::Filled => self.refusals = 0,
            _ => {}
        }
        let over = order.state.is_final() && order.is_booked();
        if over {
            self.known.remove(id);
            match self.ended.iter_mut().find(|(ended, _)| ended == id) {
                Some((_, remembered)) => *remembered = order.booked,
                None => self.ended.push_back((id.clone(), order.booked)),
            }
            if self.ended.len() > ENDED_MAX {
                self.ended.pop_front();
            }
        } else {
            let cancel_asked = self.known.get(id).and_then(|known| known.cancel_asked);
            self.known.insert(id.clone(), Known { order: order.clone(), cancel_asked });
        }
    }

    /// Pauses before the next request, longer with each refusal in a row.
    fn note_refusal(&mut self, now: Mono) {
        let doublings = self.refusals.min(10);
        let pause = REFUSED_PAUSE_MS.saturating_mul(1_u64 << doublings).min(REFUSED_PAUSE_MS_MAX);
        self.refusals = self.refusals.saturating_add(1);
        self.quiet_until = now.plus(pause);
    }

    /// A request came to nothing.
    pub(super) fn note_refused_request(&mut self, now: Mono, correlation: &Correlation) {
        if self.asked.remove(correlation).is_some() {
            self.note_refusal(now);
        }
    }

    /// The ledger's word on the position.
    pub(super) fn note_position(&mut self, position: Amount) {
        self.told = position.get();
        // With nothing under way the ledger's word is the whole truth: busts and corrections are in it.
        if self.has_nothing_open() {
            self.counted = self.told;
        }
    }

    /// May a new order be asked for now?
    pub(super) fn may_ask(&self, now: Mono) -> bool {
        now >= self.quiet_until
    }

    /// Has every request and order of its own ended, with all fills booked?
    pub(super) fn has_nothing_open(&self) -> bool {
        self.asked.is_empty() && self.known.is_empty()
    }

    /// The position, by the ledger.
    pub(super) const fn position(&self) -> Decimal {
        self.told
    }

    /// The position if everything that may still execute on one side does, and nothing on the other.
    pub(super) fn worst(&self, side: Side) -> Decimal {
        let known = self.known.values().filter(|known| known.order.side == side).map(|known| {
            let order = &known.order;
            let most = if order.state.is_final() { order.executed } else { order.quantity };
            most.get().saturating_sub(order.booked.get()).max(Decimal::ZERO)
        });
        let asked = self.asked.values().filter(|asked| asked.side == side).map(|asked| asked.quantity.get());
        let open = known.chain(asked).fold(Decimal::ZERO, Decimal::saturating_add);
        match side {
            Side::Buy => self.counted.max(self.told).saturating_add(open),
            Side::Sell => self.counted.min(self.told).saturating_sub(open),
        }
    }

    /// Prices of everything of its own that may rest or come to rest on one side.
    pub(super) fn prices(&self, side: Side) -> impl Iterator<Item = Price> {
        let asked = self.asked.values().filter(move |asked| asked.side == side).map(|asked| asked.price);
        self.live(side).filter_map(|order| order.price).chain(asked)
    }

    /// How many there are.
    pub(super) fn count(&self, side: Side) -> usize {
        self.live(side).count().saturating_add(self.asked.values().filter(|asked| asked.side == side).count())
    }

    fn live(&self, side: Side) -> impl Iterator<Item = &Order> {
        self.known.values().map(|known| &known.order).filter(move |o| o.side == side && !o.state.is_final())
    }

    /// Orders of one side that rest without a wish to be taken back, with their prices.
    pub(super) fn resting(&self, side: Side) -> Vec<(ClientOrderId, Price)> {
        let rests = |known: &&Known| {
            let order = &known.order;
            order.side == side
                && !order.state.is_final()
                && !order.cancel_requested
                && known.cancel_asked.is_none()
        };
        let named = |known: &Known| known.order.price.map(|p| (known.order.client_order_id.clone(), p));
        self.known.values().filter(rests).filter_map(named).collect()
    }

    /// Wants an order.
    pub(super) fn submit(&mut self, wanted: Wanted) -> Option<Intent> {
        self.sent = self.sent.saturating_add(1);
        let correlation = Correlation::new(&format!("{}-{}", self.brief.prefix, self.sent)).ok()?;
        let Wanted { side, kind, price, quantity, time_in_force } = wanted;
        self.asked.insert(correlation.clone(), Asked { side, price, quantity });
        Some(Intent::Submit(Box::new(OrderRequest {
            client_order_id: None,
            venue: self.brief.venue.clone(),
            symbol: self.brief.symbol.clone(),
            side,
            kind,
            quantity,
            price: Some(price),
            time_in_force,
            stop_loss: None,
            reduce_only: false,
            strategy: self.brief.strategy.clone(),
            correlation: Some(correlation),
        })))
    }

    /// Wants an order back; `None` while an earlier wish is still fresh.
    pub(super) fn cancel(&mut self, now: Mono, id: &ClientOrderId) -> Option<Intent> {
        let known = self.known.get_mut(id)?;
        let fresh = known.cancel_asked.is_some_and(|at| now.since(at) < CANCEL_AGAIN_MS);
        if fresh || known.order.state.is_final() {
            return None;
        }
        known.cancel_asked = Some(now);
        Some(Intent::Cancel(id.clone()))
    }

    /// Wants back everything that is live, and asks again for what was asked long ago.
    pub(super) fn cancel_all(&mut self, now: Mono) -> Vec<Intent> {
        let ids: Vec<ClientOrderId> = self.known.keys().cloned().collect();
        ids.iter().filter_map(|id| self.cancel(now, id)).collect()
    }

    /// Asks again for cancels that had no effect.
    pub(super) fn cancel_again(&mut self, now: Mono) -> Vec<Intent> {
        let asked = |known: &&Known| known.cancel_asked.is_some();
        let ids: Vec<ClientOrderId> =
            self.known.values().filter(asked).map(|known| known.order.client_order_id.clone()).collect();
        ids.iter().filter_map(|id| self.cancel(now, id)).collect()
    }
}
