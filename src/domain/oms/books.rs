//! What is durable of the order management: orders, ledger, halt, switches; and how facts change it.
//!
//! [`Books::apply`] is the only writer, live and in replay alike, so that reading the journal back gives the
//! same books. It promises that a fact is applied as a whole or, with an error, not at all. Memory follows
//! open orders: closed ones are forgotten by number and age. It decides nothing.

use super::event::Actor;
use super::fact::{CancelRequested, ColdStart, Fact, FillBooked, Moved, Resend};
use super::index::Index;
use crate::domain::ids::{ClientOrderId, StrategyId, Symbol, TradeId, VenueId, VenueOrderId};
use crate::domain::ledger::{BookedFill, Ledger, LedgerError, Position};
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::order::lifecycle::{Input, Verdict, follow};
use crate::domain::order::{Order, OrderNumber};
use crate::domain::risk::{LimitsId, RiskMarks};
use crate::domain::run_state::Level;
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Fills taken back that are remembered, so that a repeated message takes nothing back twice.
const BUSTS_REMEMBERED: usize = 1_024;

/// Fills without an order that are remembered, for the case that their order is found later.
const UNMATCHED_REMEMBERED: usize = 1_024;

/// A fill that was booked before its order was known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unmatched {
    venue: VenueId,
    symbol: Symbol,
    venue_order_id: VenueOrderId,
    quantity: Quantity,
    quote: Amount,
}

/// A standing halt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// Who and why.
    pub by: Actor,
    /// Since when (wall clock).
    pub at: WallMs,
}

/// How much trading operators allow, and who said so; nobody yet means everything that risk allows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Stand {
    pub(super) level: Level,
    pub(super) by: Option<Actor>,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Books {
    pub(super) tag: String,
    pub(super) next: u64,
    pub(super) orders: BTreeMap<OrderNumber, Order>,
    /// Final and fully booked orders, oldest first.
    pub(super) closed: VecDeque<OrderNumber>,
    pub(super) ledger: Ledger,
    /// Venues whose books have a beginning.
    pub(super) begun: BTreeSet<VenueId>,
    pub(super) halted: Option<Halt>,
    pub(super) stand: Stand,
    pub(super) state_version: u64,
    /// Peaks, day beginnings and latches, as last written.
    pub(super) risk_marks: Option<RiskMarks>,
    /// The limits that the journal knows.
    pub(super) limits: Option<LimitsId>,
    pub(super) switches: BTreeMap<StrategyId, bool>,
    pub(super) busted: VecDeque<(VenueId, Symbol, TradeId)>,
    pub(super) unmatched: VecDeque<Unmatched>,
    pub(super) index: Index,
    pub(super) keep: Keep,
}

/// How many closed orders are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keep {
    pub(super) count: usize,
    pub(super) for_ms: i64,
    pub(super) max: usize,
}

/// What a fact changed, for the projections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Touched {
    pub(super) order: Option<OrderNumber>,
    pub(super) fill: Option<BookedFill>,
    pub(super) positions: Vec<Position>,
}

/// A fact that does not fit the books.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// It names an order that is not there.
    #[error("order {} is not in the books", .0.0)]
    NoSuchOrder(OrderNumber),
    /// The ledger cannot take it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A figure does not fit.
    #[error("a quantity of order {} does not fit", .0.0)]
    Overflow(OrderNumber),
}

impl Books {
    pub(super) fn new(tag: String, keep: Keep) -> Self {
        Self {
            tag,
            next: 1,
            orders: BTreeMap::new(),
            closed: VecDeque::new(),
            ledger: Ledger::default(),
            begun: BTreeSet::new(),
            halted: None,
            stand: Stand::default(),
            state_version: 0,
            risk_marks: None,
            limits: None,
            switches: BTreeMap::new(),
            busted: VecDeque::new(),
            unmatched: VecDeque::new(),
            index: Index::default(),
            keep,
        }
    }

    /// Applies one fact.
    pub(super) fn apply(&mut self, fact: &Fact, at: WallMs) -> Result<Touched, ApplyError> {
        match fact {
            Fact::Denied(_)
            | Fact::WarmStart(_)
            | Fact::Shutdown(_)
            | Fact::Decision(_)
            | Fact::ReEnabled(_)
            | Fact::Restrained(_)
            | Fact::Released(_)
            | Fact::Granted(_) => Ok(Touched::default()),
            Fact::Limits(limits) => {
                self.limits = Some(limits.id.clone());
                Ok(Touched::default())
            }
            Fact::RiskMarks(marks) => {
                self.risk_marks = Some((**marks).clone());
                Ok(Touched::default())
            }
            Fact::Intent(order) | Fact::Adopted(order) => Ok(self.enter(order)),
            Fact::Moved(moved) => self.moved(moved, at),
            Fact::Resend(resend) => self.resend(resend, at),
            Fact::CancelRequested(asked) => self.cancel_requested(asked, at),
            Fact::Fill(fill) => self.fill(fill, at),
            Fact::Bust(fill) => self.bust(fill),
            Fact::Baseline(baseline) => {
                self.ledger.set_baseline(&baseline.venue, &baseline.balances)?;
                for (symbol, last) in &baseline.after {
                    if let Some(number) = last.number() {
                        self.ledger.open_after(&baseline.venue, symbol, number);
                    }
                }
                self.begun.insert(baseline.venue.clone());
                let at_venue: Vec<_> = self
                    .open()
                    .filter(|order| order.venue == baseline.venue)
                    .map(|order| order.number)
                    .collect();
                for number in at_venue {
                    self.carry_over(number);
                }
                Ok(Touched::default())
            }
            Fact::BalanceMoved(moved) => {
                self.ledger.moved(&moved.venue, &moved.asset, moved.delta)?;
                Ok(Touched::default())
            }
            Fact::Halted(by) => {
                self.halted.get_or_insert_with(|| Halt { by: by.clone(), at });
                Ok(Touched::default())
            }
            Fact::Unhalted(_) => {
                self.halted = None;
                Ok(Touched::default())
            }
            Fact::Steered(steered) => {
                self.stand = Stand { level: steered.level, by: Some(steered.by.clone()) };
                Ok(Touched::default())
            }
            Fact::State(changed) => {
                self.state_version = self.state_version.max(changed.version);
                Ok(Touched::default())
            }
            Fact::Switched(switched) => {
                self.switches.insert(switched.strategy.clone(), switched.enabled);
                Ok(Touched::default())
            }
            Fact::ColdStart(start) => Ok(self.begin_anew(start, at)),
        }
    }

    /// Takes an order in.
    fn enter(&mut self, order: &Order) -> Touched {
        self.next = self.next.max(order.number.0.saturating_add(1));
        // A restored backup may find orders at the venue that it never made: their numbers are not made again.
        if let Some(number) = self.number_in(&order.venue_client_order_id) {
            self.next = self.next.max(number.saturating_add(1));
        }
        self.index.enter(order);
        self.orders.insert(order.number, order.clone());
        self.absorb(order.number);
        self.retire(order.number, order.created_at);
        Touched { order: Some(order.number), ..Touched::default() }
    }

    /// The order number in a venue client order id of this journal's making.
    pub(super) fn number_in(&self, id: &ClientOrderId) -> Option<u64> {
        let digits = id.as_str().strip_prefix(&self.tag)?.strip_prefix('-')?;
        u64::from_str_radix(digits, 36).ok()
    }

    /// Forgets an intent that never became durable. Nothing of it was sent or written.
    pub(super) fn forget(&mut self, number: OrderNumber) -> Option<Order> {
        let order = self.orders.remove(&number)?;
        self.index.leave(&order);
        Some(order)
    }

    fn change(
        &mut self,
        number: OrderNumber,
        at: WallMs,
        change: impl FnOnce(&mut Order) -> Option<()>,
    ) -> Result<Touched, ApplyError> {
        let Some(order) = self.orders.get_mut(&number) else { return Err(ApplyError::NoSuchOrder(number)) };
        let mut next = order.clone();
        change(&mut next).ok_or(ApplyError::Overflow(number))?;
        next.updated_at = at;
        self.index.replace(order, &next);
        let (was_final, is_final) = (order.state.is_final(), next.state.is_final());
        let identified = order.venue_order_id.is_none() && next.venue_order_id.is_some();
        *order = next;
        if identified {
            self.absorb(number);
        }
        if was_final && !is_final {
            self.closed.retain(|closed| *closed != number);
        }
        self.retire(number, at);
        Ok(Touched { order: Some(number), ..Touched::default() })
    }

    fn moved(&mut self, moved: &Moved, at: WallMs) -> Result<Touched, ApplyError> {
        self.change(moved.order, at, |order| {
            order.state = moved.state;
            order.executed = order.executed.max(moved.executed);
            if moved.venue_order_id.is_some() {
                order.venue_order_id.clone_from(&moved.venue_order_id);
            }
            order.reason.clone_from(&moved.reason);
            if moved.sent {
                order.attempts = order.attempts.max(1);
            }
            Some(())
        })
    }

    fn resend(&mut self, resend: &Resend, at: WallMs) -> Result<Touched, ApplyError> {
        self.change(resend.order, at, |order| {
            if let Verdict::Next(next) = follow(order.state, Input::Resend) {
                order.state = next;
            }
            order.attempts = resend.attempt;
            order.reason = None;
            Some(())
        })
    }

    fn cancel_requested(&mut self, asked: &CancelRequested, at: WallMs) -> Result<Touched, ApplyError> {
        self.change(asked.order, at, |order| {
            order.state = asked.state;
            order.cancel_requested = true;
            Some(())
        })
    }

    fn fill(&mut self, fill: &FillBooked, at: WallMs) -> Result<Touched, ApplyError> {
        // The order's arithmetic is tried first: the ledger must not hold a fill that its order refuses.
        if let Some(number) = fill.order {
            let order = self.orders.get(&number).ok_or(ApplyError::NoSuchOrder(number))?;
            add_fill(&mut order.clone(), fill).ok_or(ApplyError::Overflow(number))?;
        }
        let booked = self.ledger.book(&fill.booked, &fill.base, &fill.quote)?;
        match fill.order {
            Some(number) => {
                self.change(number, at, |order| add_fill(order, fill))?;
            }
            None => self.note_unmatched(&fill.booked),
        }
        Ok(Touched { order: fill.order, fill: Some(fill.booked.clone()), positions: vec![booked.position] })
    }

    /// The position gives the fill back. The order keeps it: what the venue executed never falls, and the
    /// fill's own row says that it was taken back.
    fn bust(&mut self, fill: &FillBooked) -> Result<Touched, ApplyError> {
        let booked = self.ledger.bust(&fill.booked, &fill.base, &fill.quote)?;
        let what = &fill.booked;
        self.busted.push_back((what.venue.clone(), what.fill.symbol.clone(), what.fill.trade_id.clone()));
        if self.busted.len() > BUSTS_REMEMBERED {
            self.busted.pop_front();
        }
        let taken_back = BookedFill { busted: true, ..fill.booked.clone() };
        Ok(Touched { order: None, fill: Some(taken_back), positions: vec![booked.position] })
    }

    fn note_unmatched(&mut self, booked: &BookedFill) {
        let fill = &booked.fill;
        self.unmatched.push_back(Unmatched {
            venue: booked.venue.clone(),
            symbol: fill.symbol.clone(),
            venue_order_id: fill.venue_order_id.clone(),
            quantity: fill.quantity,
            quote: fill.price.notional(fill.quantity).unwrap_or(Amount::ZERO),
        });
        if self.unmatched.len() > UNMATCHED_REMEMBERED {
            self.unmatched.pop_front();
        }
    }

    /// Fills that came before their order was known are its own: else they would be looked for for ever. The
    /// position stays with `external`, to which they were booked.
    fn absorb(&mut self, number: OrderNumber) {
        let Some(order) = self.orders.get(&number) else { return };
        let Some(venue_order_id) = &order.venue_order_id else { return };
        let own = |fill: &&Unmatched| {
            fill.venue == order.venue && fill.symbol == order.symbol && fill.venue_order_id == *venue_order_id
        };
        let mut next = order.clone();
        for fill in self.unmatched.iter().filter(own) {
            let quantity = next.booked.checked_add(fill.quantity);
            let quote = next.booked_quote.checked_add(fill.quote);
            let (Some(quantity), Some(quote)) = (quantity, quote) else { return };
            (next.booked, next.booked_quote) = (quantity, quote);
            next.executed = next.executed.max(quantity);
        }
        if next.booked == order.booked {
            return;
        }
        let (venue, symbol) = (order.venue.clone(), order.symbol.clone());
        let venue_order_id = venue_order_id.clone();
        self.unmatched.retain(|fill| {
            fill.venue != venue || fill.symbol != symbol || fill.venue_order_id != venue_order_id
        });
        self.index.replace(order, &next);
        self.orders.insert(number, next);
    }

    /// What an order executed before the books began belongs to the balances that they began with.
    fn carry_over(&mut self, number: OrderNumber) {
        let Some(order) = self.orders.get_mut(&number) else { return };
        let missing = order.executed.checked_sub(order.booked).unwrap_or(Quantity::ZERO);
        let value = order.price.and_then(|price| price.notional(missing)).unwrap_or(Amount::ZERO);
        let mut next = order.clone();
        next.booked = order.booked.max(order.executed);
        next.booked_quote = order.booked_quote.checked_add(value).unwrap_or(order.booked_quote);
        self.index.replace(order, &next);
        *order = next;
    }

    fn begin_anew(&mut self, start: &ColdStart, at: WallMs) -> Touched {
        let kept: BTreeSet<OrderNumber> = start.kept.iter().copied().collect();
        let gone: Vec<OrderNumber> =
            self.orders.keys().filter(|number| !kept.contains(number)).copied().collect();
        for number in gone {
            self.forget(number);
        }
        for number in kept {
            self.carry_over(number);
        }
        self.closed.clear();
        self.unmatched.clear();
        self.begun.clear();
        self.halted = None;
        self.stand = Stand::default();
        self.risk_marks = self.risk_marks.take().and_then(RiskMarks::across_cold_start);
        Touched { positions: self.ledger.clear(at), ..Touched::default() }
    }

    /// Puts a finished order at the end of those to be forgotten, and forgets what is due.
    fn retire(&mut self, number: OrderNumber, at: WallMs) {
        let done = self.orders.get(&number).is_some_and(|order| order.state.is_final() && order.is_booked());
        if done && !self.index.retired.contains(&number) {
            self.index.retired.insert(number);
            self.closed.push_back(number);
        } else if !done && self.index.retired.remove(&number) {
            self.closed.retain(|closed| *closed != number);
        }
        while self.closed.len() > self.keep.count {
            let Some(oldest) = self.closed.front().copied() else { return };
            let age =
                self.orders.get(&oldest).map_or(i64::MAX, |order| at.0.saturating_sub(order.updated_at.0));
            if age < self.keep.for_ms && self.closed.len() <= self.keep.max {
                return;
            }
            self.closed.pop_front();
            self.index.retired.remove(&oldest);
            self.forget(oldest);
        }
    }

    /// Marks an order as sent, or not sent after all. In memory only: see the lifecycle's head.
    pub(super) fn mark(&mut self, number: OrderNumber, input: Input) -> bool {
        let Some(order) = self.orders.get_mut(&number) else { return false };
        let Verdict::Next(state) = follow(order.state, input) else { return false };
        self.index.count(Some(order.state), Some(state));
        order.state = state;
        // The journal counts from the second sending on; the first is counted by what comes of it.
        match input {
            Input::Sent => order.attempts = order.attempts.max(1),
            Input::Unsent if order.attempts == 1 => order.attempts = 0,
            _ => {}
        }
        true
    }
}

fn add_fill(order: &mut Order, fill: &FillBooked) -> Option<()> {
    let what = &fill.booked.fill;
    order.booked = order.booked.checked_add(what.quantity)?;
    order.booked_quote = order.booked_quote.checked_add(what.price.notional(what.quantity)?)?;
    order.executed = order.executed.max(order.booked);
    order.attempts = order.attempts.max(1);
    if order.venue_order_id.is_none() {
        order.venue_order_id = Some(what.venue_order_id.clone());
    }
    let input = if order.executed >= order.quantity { Input::FullyExecuted } else { Input::Executed };
    if let Verdict::Next(state) = follow(order.state, input) {
        order.state = state;
        order.reason = None;
    }
    Some(())
}

/// The market's price between bid and ask.
pub(super) fn midpoint(mark: super::event::Mark) -> Option<Price> {
    mark.bid.midpoint(mark.ask)
}
