//! Cancelling: one order, a pair, everything, or one order in exchange for another.
//!
//! Owns the rules of `DELETE /order`, `DELETE /openOrders` and `POST /order/cancelReplace`. A leg of an
//! undecided pair takes its sibling along. Filters of a replacement are tried before anything is
//! cancelled, as on the venue.

use super::command::{CancelOrder, CancelReplace, CancelReplaceMode, CancelRestriction, OrderRef};
use super::core::Core;
use super::event::{ExecutionType, RejectReason};
use super::filters;
use super::ids::{AccountId, ClientOrderId, OrderId};
use super::market::Market;
use super::order::{Order, OrderStatus};
use super::outcome::{CancelReplaced, Cancelled, CancelledList, Half};
use super::pit::Pit;
use super::refusal::Refusal;

/// The order a reference names among an account's orders on a symbol, open or not.
pub(super) fn resolve<'a>(
    core: &'a Core,
    market: &Market,
    account: AccountId,
    wanted: OrderRef,
) -> Option<&'a Order> {
    let (id, client_id) = match wanted {
        OrderRef::Id(id) => (id, None),
        OrderRef::Both(id, client_id) => (id, Some(client_id)),
        OrderRef::Client(client_id) => {
            let desk = market.desks.get(&account)?;
            (*desk.by_client_id.get(&client_id)?, Some(client_id))
        }
    };
    core.order(id).filter(|order| {
        order.account == account
            && order.symbol == market.spec.symbol
            && client_id.is_none_or(|client_id| client_id == order.client_order_id)
    })
}

impl Pit<'_> {
    /// Cancels one order, or the undecided pair it belongs to.
    pub(super) fn cancel(&mut self, request: &CancelOrder) -> Result<Cancelled, Refusal> {
        if !self.core.bank.accounts.contains_key(&request.account) {
            return Err(Refusal::UnknownAccount);
        }
        let order = resolve(self.core, self.market, request.account, request.order)
            .filter(|order| order.status.is_open())
            .ok_or(Refusal::UnknownOrder)?;
        match (request.restriction, order.status) {
            (None, _)
            | (Some(CancelRestriction::OnlyNew), OrderStatus::New)
            | (Some(CancelRestriction::OnlyPartiallyFilled), OrderStatus::PartiallyFilled) => {}
            _ => return Err(Refusal::CancelRestricted),
        }
        let id = order.order_id;
        self.cancel_open(id, request.cancel_client_order_id)
    }

    fn cancel_open(&mut self, id: OrderId, cancel_id: Option<ClientOrderId>) -> Result<Cancelled, Refusal> {
        let generated = Core::generated_id('c', self.core.counters.executions + 1, 0);
        let cancel_id = cancel_id.or(generated).ok_or(Refusal::UnknownOrder)?;
        let order = self.core.order(id).ok_or(Refusal::UnknownOrder)?;
        let (account, side, list_id) = (order.account, order.side, order.list_id);
        let list = list_id.and_then(|id| self.core.list_mut(id)).filter(|list| list.undecided);
        let legs = match list {
            Some(list) => {
                list.undecided = false;
                let held = std::mem::take(&mut list.locked);
                let legs = list.legs.clone();
                self.unlock(account, side, held);
                legs
            }
            None => Vec::new(),
        };
        let alone = [id];
        for leg in if legs.is_empty() { alone.as_slice() } else { legs.as_slice() } {
            let status = OrderStatus::Canceled;
            self.close(*leg, status, ExecutionType::Canceled, RejectReason::None, Some(cancel_id));
        }
        let find = |id: &OrderId| self.core.order(*id).cloned();
        let with_list = list_id.filter(|_| !legs.is_empty()).and_then(|id| self.core.list(id)).map(|list| {
            Box::new(CancelledList { list: list.clone(), orders: legs.iter().filter_map(find).collect() })
        });
        let order = find(&id).ok_or(Refusal::UnknownOrder)?;
        Ok(Cancelled { order, cancel_client_order_id: cancel_id, with_list })
    }

    /// Cancels every open order of an account; refused when there is none, as on the venue.
    pub(super) fn cancel_all(&mut self, account: AccountId) -> Result<Vec<Cancelled>, Refusal> {
        if !self.core.bank.accounts.contains_key(&account) {
            return Err(Refusal::UnknownAccount);
        }
        let open: Vec<_> = self
            .market
            .desks
            .get(&account)
            .map(|desk| desk.open.iter().copied().collect())
            .unwrap_or_default();
        let mut cancelled = Vec::with_capacity(open.len());
        for id in open {
            // An earlier leg may have taken this one along.
            if self.core.order(id).is_some_and(|order| order.status.is_open()) {
                cancelled.push(self.cancel_open(id, None)?);
            }
        }
        if cancelled.is_empty() { Err(Refusal::UnknownOrder) } else { Ok(cancelled) }
    }

    /// Cancels one order and places another.
    pub(super) fn cancel_replace(&mut self, request: &CancelReplace) -> Result<CancelReplaced, Refusal> {
        let new = &request.order;
        self.may_trade(new.account)?;
        let desk = self.market.desks.get(&new.account);
        filters::check(self.market, desk, new.side, &new.terms, self.now_ms)?;
        let cancelled = self.cancel(&CancelOrder {
            account: new.account,
            symbol: new.symbol,
            order: request.cancel,
            cancel_client_order_id: request.cancel_client_order_id,
            restriction: request.restriction,
        });
        let stop = request.mode == CancelReplaceMode::StopOnFailure && cancelled.is_err();
        let placed = if stop { Half::NotAttempted } else { self.place(new).into() };
        Ok(CancelReplaced { cancel: cancelled.into(), placed })
    }
}

impl<T> From<Result<T, Refusal>> for Half<T> {
    fn from(result: Result<T, Refusal>) -> Self {
        match result {
            Ok(done) => Self::Success(done),
            Err(refusal) => Self::Failure(refusal),
        }
    }
}
