//! A taking order against the visible book.
//!
//! Owns who trades with whom and in which order. Prices come best first. At one price, our orders trade
//! in time order, each after the market quantity that was ahead of it; the market quantity behind the
//! last of them comes at the end. What a taker took from the market's visible quantity is gone until
//! the market refreshes that level, so nothing is taken twice.
//! `plan` walks the same path without trading: it prices market orders and decides fill-or-kill.

use super::ids::{AccountId, OrderId};
use super::money::{Amount, Price, Qty};
use super::order::{Order, Side, StpMode};
use super::pit::Pit;
use super::side::Rank;

/// How much a planned order may take.
#[derive(Debug, Clone, Copy)]
pub(super) enum Appetite {
    /// So much base.
    Base(Qty),
    /// As much base, in steps of `step`, as so much quote pays for.
    Quote {
        /// What may be spent or is to be raised.
        budget: Amount,
        /// Lot step.
        step: Qty,
    },
}

/// What taking would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Plan {
    /// Base quantity that would trade.
    pub(super) quantity: Qty,
    /// Quote amount that covers it (rounded up per trade).
    pub(super) cost: Amount,
    /// Base quantity that self-trade prevention would remove from the taker.
    pub(super) prevented: Qty,
    /// Base quantity that a quote appetite would still have taken at the last price it met, had the book
    /// not ended.
    pub(super) missing: Qty,
}

/// The parts of an order that decide what it meets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taker {
    pub(super) account: AccountId,
    pub(super) side: Side,
    pub(super) limit: Option<Price>,
    pub(super) stp: StpMode,
}

impl Taker {
    /// The taker an order is.
    pub(super) const fn of(order: &Order) -> Self {
        Self { account: order.account, side: order.side, limit: order.price, stp: order.stp }
    }

    fn prevents(self, maker: &Order) -> bool {
        maker.account == self.account && self.stp != StpMode::None
    }
}

impl Plan {
    /// What it would still take at a price; never more than a quantity can hold in all.
    fn wanted(&self, appetite: Appetite, price: Price) -> Qty {
        match appetite {
            Appetite::Base(quantity) => quantity - self.quantity - self.prevented,
            Appetite::Quote { budget, step } => {
                let room = Qty::MAX - self.quantity - self.prevented;
                (budget - self.cost).buys_at(price).min(room).floor_to(step)
            }
        }
    }

    /// Takes up to `available` at a price; false when the appetite ended.
    fn take(&mut self, appetite: Appetite, price: Price, available: Qty) -> bool {
        let taken = available.min(self.wanted(appetite, price));
        self.quantity += taken;
        self.cost += price.reserve(taken);
        taken == available
    }
}

impl Pit<'_> {
    /// What an order would trade now.
    pub(super) fn plan(&self, taker: Taker, appetite: Appetite) -> Plan {
        let mut plan = Plan::default();
        let book = self.market.side(taker.side.opposite());
        let limit = taker.limit.map(|limit| book.rank(limit));
        let mut own = book.own().peekable();
        let mut market = book.market_levels().peekable();
        let mut last_price = Price::ZERO;
        loop {
            let rank = match (own.peek(), market.peek()) {
                (Some((own, _)), Some((market, _))) => *own.min(market),
                (Some((rank, _)), None) | (None, Some((rank, _))) => *rank,
                (None, None) => break,
            };
            if limit.is_some_and(|limit| rank > limit) {
                break;
            }
            let price = book.price(rank);
            last_price = price;
            let visible = market.next_if(|(at, _)| *at == rank).map_or(Qty::ZERO, |(_, quantity)| quantity);
            let mut passed = Qty::ZERO;
            while let Some((_, id)) = own.next_if(|(at, _)| *at == rank) {
                let Some(maker) = self.core.order(id) else { continue };
                let ahead = maker.place.map_or(Qty::ZERO, |place| place.ahead);
                if ahead > passed {
                    if !plan.take(appetite, price, ahead - passed) {
                        return plan;
                    }
                    passed = ahead;
                }
                if taker.prevents(maker) {
                    match taker.stp {
                        StpMode::ExpireMaker => {}
                        StpMode::Decrement => {
                            let overlap = maker.remaining().min(plan.wanted(appetite, price));
                            plan.prevented += overlap;
                        }
                        _ => return plan,
                    }
                } else if !plan.take(appetite, price, maker.remaining()) {
                    return plan;
                }
            }
            if visible > passed && !plan.take(appetite, price, visible - passed) {
                return plan;
            }
        }
        plan.missing = plan.wanted(appetite, last_price);
        plan
    }

    /// Trades an accepted order against the book until it is done, its limit or the book ends, or
    /// self-trade prevention ends it.
    pub(super) fn walk(&mut self, id: OrderId) {
        let Some(taker) = self.core.order(id).map(Taker::of) else { return };
        let opposite = taker.side.opposite();
        let limit = taker.limit.map(|limit| self.market.side(opposite).rank(limit));
        while let Some(order) = self.core.order(id).filter(|order| order.status.is_open()) {
            let remaining = order.remaining();
            let book = self.market.side(opposite);
            let Some(rank) = book.best().filter(|best| limit.is_none_or(|limit| *best <= limit)) else {
                return;
            };
            let price = book.price(rank);
            let first = book.first_own_at(rank).and_then(|maker| self.core.order(maker));
            let Some(maker) = first else {
                let quantity = remaining.min(book.market_at(rank));
                self.take_market(id, taker.side, rank, price, quantity);
                continue;
            };
            let ahead = maker.place.map_or(Qty::ZERO, |place| place.ahead).min(book.market_at(rank));
            if ahead.is_positive() {
                self.take_market(id, taker.side, rank, price, remaining.min(ahead));
            } else if taker.prevents(maker) {
                let (maker_id, left) = (maker.order_id, maker.remaining());
                self.prevent_match(id, remaining, maker_id, left, price, taker.stp);
            } else {
                let (maker_id, quantity) = (maker.order_id, remaining.min(maker.remaining()));
                self.trade(maker_id, id, taker.side, price, quantity);
            }
        }
    }

    fn take_market(&mut self, id: OrderId, side: Side, rank: Rank, price: Price, quantity: Qty) {
        let opposite = side.opposite();
        let book = self.market.side_mut(opposite);
        book.set_market(rank, book.market_at(rank) - quantity);
        self.market.dirty.push((opposite, rank));
        self.pass(opposite, rank, quantity);
        self.trade_with_market(id, side, price, quantity, false);
    }

    /// Market quantity traded at a level: whatever stood ahead of our orders there shrinks by it.
    pub(super) fn pass(&mut self, side: Side, rank: Rank, quantity: Qty) {
        for id in self.market.side(side).own_at(rank) {
            if let Some(place) = self.core.order_mut(id).and_then(|order| order.place.as_mut()) {
                place.ahead -= place.ahead.min(quantity);
            }
        }
    }

    fn prevent_match(
        &mut self,
        taker: OrderId,
        taker_left: Qty,
        maker: OrderId,
        maker_left: Qty,
        price: Price,
        mode: StpMode,
    ) {
        self.core.counters.preventions += 1;
        let match_id = self.core.counters.preventions;
        let (from_maker, from_taker) = match mode {
            StpMode::None | StpMode::ExpireTaker => (Qty::ZERO, taker_left),
            StpMode::ExpireMaker => (maker_left, Qty::ZERO),
            StpMode::ExpireBoth => (maker_left, taker_left),
            StpMode::Decrement => (maker_left.min(taker_left), maker_left.min(taker_left)),
        };
        if from_maker.is_positive() {
            // A pair's leg that would trade decides the pair, also when the trade is prevented.
            self.decide_list(maker);
            self.prevent(maker, from_maker, price, taker, match_id);
        }
        if from_taker.is_positive() {
            self.prevent(taker, from_taker, price, maker, match_id);
        }
    }
}
