//! One-cancels-the-other pairs.
//!
//! Owns the common reservation of a pair and the moment at which it is decided: the first trade of a
//! leg, its trigger, or its end. From then on the chosen leg carries its own lock and the sibling has
//! expired, so that at no time both can trade.

use super::command::{NewOco, Terms};
use super::core::Core;
use super::filters;
use super::ids::OrderId;
use super::money::Amount;
use super::order::Side;
use super::outcome::{OcoPlaced, OrderList};
use super::pit::{self, Pit};
use super::place::Draft;
use super::refusal::Refusal;

impl Pit<'_> {
    /// Places a pair.
    pub(super) fn place_oco(&mut self, new: &NewOco) -> Result<OcoPlaced, Refusal> {
        let (stop_terms, limit_terms) = legs(new);
        let lock = self.check_oco(new, &stop_terms, &limit_terms).inspect_err(|refusal| {
            if *refusal == Refusal::DuplicateOrder {
                self.core.counters.duplicates_refused += 1;
            }
        })?;
        let asset = self.pays(new.side);
        let account = self.core.bank.accounts.get_mut(&new.account).ok_or(Refusal::UnknownAccount)?;
        if !account.lock(asset, lock) {
            return Err(Refusal::InsufficientBalance);
        }
        self.core.touched.push((new.account, asset));
        let list_id = self.core.next_list_id();
        let generated = Core::generated_id('l', list_id.0, 0);
        let list_client_order_id = new.list_client_order_id.or(generated).ok_or(Refusal::UnknownOrder)?;
        let draft = Draft {
            account: new.account,
            side: new.side,
            terms: stop_terms,
            client_order_id: new.stop_client_order_id,
            stp: new.stp.unwrap_or(self.market.spec.default_stp),
            quantity: new.quantity,
            lock: Amount::ZERO,
            list_id: Some(list_id),
        };
        let limit_draft = Draft { terms: limit_terms, client_order_id: new.limit_client_order_id, ..draft };
        let list = OrderList {
            list_id,
            account: new.account,
            symbol: new.symbol,
            list_client_order_id,
            legs: Vec::with_capacity(2),
            locked: lock,
            undecided: true,
            done: false,
            accepted_ms: self.now_ms,
        };
        self.core.lists.push(list);
        self.core.lists_changed.push(list_id);
        let stop = self.accept(&draft);
        let limit = self.accept(&limit_draft);
        let list = self.core.list_mut(list_id).ok_or(Refusal::UnknownOrder)?;
        list.legs.extend([stop, limit]);
        self.work(limit);
        let list = self.core.list(list_id).ok_or(Refusal::UnknownOrder)?.clone();
        let orders = [stop, limit].iter().filter_map(|id| self.core.order(*id).cloned()).collect();
        Ok(OcoPlaced { list, orders })
    }

    /// Every check of a pair; the answer is what both legs together lock.
    fn check_oco(&self, new: &NewOco, stop: &Terms, limit: &Terms) -> Result<Amount, Refusal> {
        self.may_trade(new.account)?;
        let desk = self.market.desks.get(&new.account);
        for terms in [limit, stop] {
            filters::check(self.market, desk, new.side, terms, self.now_ms)?;
        }
        filters::counts(self.market, desk, true, 2)?;
        self.core.room_for(2)?;
        for id in [new.limit_client_order_id, new.stop_client_order_id] {
            self.free_client_id(new.account, id)?;
        }
        if new.limit_client_order_id.is_some() && new.limit_client_order_id == new.stop_client_order_id {
            return Err(Refusal::DuplicateOrder);
        }
        let last = self.market.last_price;
        let (low, high) = match new.side {
            Side::Sell => (new.stop_price, new.price),
            Side::Buy => (new.price, new.stop_price),
        };
        if low >= high || last.is_some_and(|last| last <= low || last >= high) {
            return Err(Refusal::ListPrices);
        }
        if self.market.would_take(new.side, new.price) {
            return Err(Refusal::WouldTake);
        }
        let worst = match new.side {
            Side::Sell => new.quantity.amount(),
            Side::Buy => {
                let stop = new.stop_limit.map_or(new.stop_price, |(price, _)| price);
                new.price.max(stop).reserve(new.quantity)
            }
        };
        let account = self.core.bank.accounts.get(&new.account).ok_or(Refusal::UnknownAccount)?;
        if account.free(self.pays(new.side)) < worst {
            return Err(Refusal::InsufficientBalance);
        }
        Ok(worst)
    }

    /// Chooses a leg that is about to trade or to wake: it takes over the lock, its sibling expires.
    pub(super) fn decide_list(&mut self, leg: OrderId) {
        let Some(order) = self.core.order(leg) else { return };
        let (account, side, keep) = (order.account, order.side, pit::need(order));
        let Some(list_id) = order.list_id else { return };
        let Some(list) = self.core.list_mut(list_id).filter(|list| list.undecided) else { return };
        list.undecided = false;
        let held = std::mem::take(&mut list.locked);
        let siblings: Vec<_> = list.legs.iter().copied().filter(|id| *id != leg).collect();
        if let Some(order) = self.core.order_mut(leg) {
            order.locked = keep;
        }
        self.unlock(account, side, held - keep);
        for sibling in siblings {
            self.expire(sibling);
        }
        self.core.lists_changed.push(list_id);
    }

    /// A leg ended: an undecided pair ends with it, and a pair without open legs is done.
    pub(super) fn leg_ended(&mut self, leg: OrderId) {
        let Some(order) = self.core.order(leg) else { return };
        let (account, side) = (order.account, order.side);
        let Some(list_id) = order.list_id else { return };
        let Some(list) = self.core.list_mut(list_id) else { return };
        let legs = list.legs.clone();
        let held = std::mem::take(&mut list.locked);
        let was_undecided = std::mem::replace(&mut list.undecided, false);
        self.unlock(account, side, held);
        if was_undecided {
            for sibling in legs.iter().filter(|id| **id != leg) {
                self.expire(*sibling);
            }
        }
        let is_open = |id: &OrderId| self.core.order(*id).is_some_and(|order| order.status.is_open());
        let done = !legs.iter().any(is_open);
        if let Some(list) = self.core.list_mut(list_id) {
            list.done = done;
        }
        self.core.lists_changed.push(list_id);
    }
}

/// The stop leg and the limit leg of a pair.
fn legs(new: &NewOco) -> (Terms, Terms) {
    let NewOco { quantity, price, stop_price, .. } = *new;
    let stop = match new.stop_limit {
        Some((price, time_in_force)) => Terms::StopLossLimit { price, quantity, stop_price, time_in_force },
        None => Terms::StopLoss { quantity, stop_price },
    };
    (stop, Terms::LimitMaker { price, quantity })
}
