//! Stop and take-profit orders: when they wake, and what they become.
//!
//! Owns the order of triggering: as long as any stop lies within the range of prices traded during the
//! command, the lowest rising stop goes first, then the highest falling one, older orders first. A
//! triggered order may trade and widen the range. Each pass removes one waiting order, so it ends.

use super::event::{ExecutionType, RejectReason};
use super::ids::OrderId;
use super::matching::{Appetite, Taker};
use super::order::{OrderStatus, Side};
use super::pit::Pit;

impl Pit<'_> {
    /// Wakes every order whose stop the command's trades reached.
    pub(super) fn trigger_stops(&mut self) {
        while let Some(id) = self.next_triggered() {
            self.trigger(id);
        }
        self.market.swept = None;
    }

    fn next_triggered(&self) -> Option<OrderId> {
        let (low, high) = self.market.swept?;
        let rising = self.market.rising.first().filter(|(stop, _)| *stop <= high);
        if let Some((_, id)) = rising {
            return Some(*id);
        }
        let (stop, _) = self.market.falling.last().filter(|(stop, _)| *stop >= low)?;
        self.market.falling.range((*stop, OrderId(0))..).next().map(|(_, id)| *id)
    }

    fn trigger(&mut self, id: OrderId) {
        self.decide_list(id);
        let now_ms = self.now_ms;
        let Some(order) = self.core.order_mut(id) else { return };
        order.is_working = true;
        order.working_ms = Some(now_ms);
        order.updated_ms = now_ms;
        let (is_limit, is_buy, stop) = (order.price.is_some(), order.side == Side::Buy, order.stop_price);
        if let Some(stop) = stop {
            self.market.rising.remove(&(stop, id));
            self.market.falling.remove(&(stop, id));
        }
        self.core.report(id, ExecutionType::New, now_ms, |_| {});
        if !is_limit && is_buy && !self.reserve_again(id) {
            let reason = RejectReason::InsufficientBalances;
            self.close(id, OrderStatus::Rejected, ExecutionType::Rejected, reason, None);
            return;
        }
        self.work(id);
    }

    /// Replaces the estimate a stop market buy locked by what the book asks now; false without the money.
    fn reserve_again(&mut self, id: OrderId) -> bool {
        self.release(id);
        let Some(order) = self.core.order(id) else { return false };
        let (account_id, asset) = (order.account, self.pays(order.side));
        let cost = self.plan(Taker::of(order), Appetite::Base(order.remaining())).cost;
        let locked = self.core.bank.accounts.get_mut(&account_id).is_some_and(|a| a.lock(asset, cost));
        if locked && let Some(order) = self.core.order_mut(id) {
            order.locked = cost;
            self.core.touched.push((account_id, asset));
        }
        locked
    }
}
