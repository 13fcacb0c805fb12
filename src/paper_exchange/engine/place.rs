//! From a request to a working order: checks, reservation, acceptance, first match.
//!
//! Owns the order of the checks, which decides the answer when several would fail: account and symbol,
//! filters, room in the record, duplicate id, LIMIT_MAKER and stop rules, balance. A refused order leaves
//! no trace but the count of refused duplicates.

use super::command::{NewOrder, Terms};
use super::core::Core;
use super::event::{ExchangeEvent, ExecutionReport, ExecutionType};
use super::filters;
use super::ids::{AccountId, ClientOrderId, ListId, OrderId};
use super::matching::{Appetite, Taker};
use super::money::{Amount, Qty};
use super::order::{Order, OrderStatus, OrderType, Side, StpMode, TimeInForce};
use super::outcome::Placed;
use super::pit::Pit;
use super::refusal::{Filter, Refusal};
use super::symbol::SymbolStatus;

/// An order that passed every check.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draft {
    pub(super) account: AccountId,
    pub(super) side: Side,
    pub(super) terms: Terms,
    pub(super) client_order_id: Option<ClientOrderId>,
    pub(super) stp: StpMode,
    pub(super) quantity: Qty,
    /// To be locked by the order itself.
    pub(super) lock: Amount,
    pub(super) list_id: Option<ListId>,
}

impl Pit<'_> {
    /// Places one order and lets it take what it can.
    pub(super) fn place(&mut self, new: &NewOrder) -> Result<Placed, Refusal> {
        let draft = self.prepare(new).inspect_err(|refusal| {
            if *refusal == Refusal::DuplicateOrder {
                self.core.counters.duplicates_refused += 1;
            }
        })?;
        let asset = self.pays(draft.side);
        let account = self.core.bank.accounts.get_mut(&draft.account).ok_or(Refusal::UnknownAccount)?;
        if !account.lock(asset, draft.lock) {
            return Err(Refusal::InsufficientBalance);
        }
        if draft.lock.is_positive() {
            self.core.touched.push((draft.account, asset));
        }
        let announced = self.core.out.len();
        let id = self.accept(&draft);
        if !draft.terms.kind().is_algo() {
            self.work(id);
        }
        let own_fill = |event: &ExchangeEvent| match event {
            ExchangeEvent::Execution(report)
                if report.order_id == id && report.execution_type == ExecutionType::Trade =>
            {
                Some(ExecutionReport::clone(report))
            }
            _ => None,
        };
        let fills = self.core.out.iter().skip(announced).filter_map(own_fill).collect();
        let order = self.core.order(id).ok_or(Refusal::NoSuchOrder)?.clone();
        Ok(Placed { order, fills })
    }

    /// Every check of one order; changes nothing.
    pub(super) fn prepare(&self, new: &NewOrder) -> Result<Draft, Refusal> {
        self.may_trade(new.account)?;
        let desk = self.market.desks.get(&new.account);
        filters::check(self.market, desk, new.side, &new.terms, self.now_ms)?;
        self.core.room_for(1)?;
        self.free_client_id(new.account, new.client_order_id)?;
        if let Terms::LimitMaker { price, .. } = new.terms
            && self.market.would_take(new.side, price)
        {
            return Err(Refusal::WouldTake);
        }
        self.must_not_trigger(new.side, &new.terms)?;
        let stp = new.stp.unwrap_or(self.market.spec.default_stp);
        let taker = Taker { account: new.account, side: new.side, limit: None, stp };
        let (quantity, lock) = self.reservation(taker, &new.terms)?;
        let account = self.core.bank.accounts.get(&new.account).ok_or(Refusal::UnknownAccount)?;
        if account.free(self.pays(new.side)) < lock {
            return Err(Refusal::InsufficientBalance);
        }
        Ok(Draft {
            account: new.account,
            side: new.side,
            terms: new.terms,
            client_order_id: new.client_order_id,
            stp,
            quantity,
            lock,
            list_id: None,
        })
    }

    /// Whether the account exists, may trade, and the symbol is open.
    pub(super) fn may_trade(&self, account: AccountId) -> Result<(), Refusal> {
        let account = self.core.bank.accounts.get(&account).ok_or(Refusal::UnknownAccount)?;
        if !account.can_trade {
            return Err(Refusal::TradingDisabled);
        }
        if self.market.spec.status != SymbolStatus::Trading {
            return Err(Refusal::MarketClosed);
        }
        Ok(())
    }

    /// Whether no open order of the account has this id.
    pub(super) fn free_client_id(
        &self,
        account: AccountId,
        id: Option<ClientOrderId>,
    ) -> Result<(), Refusal> {
        match id {
            Some(id) if self.is_open_id(account, id) => Err(Refusal::DuplicateOrder),
            _ => Ok(()),
        }
    }

    fn is_open_id(&self, account: AccountId, id: ClientOrderId) -> bool {
        let latest = self.market.desks.get(&account).and_then(|desk| desk.by_client_id.get(&id));
        latest.and_then(|id| self.core.order(*id)).is_some_and(|order| order.status.is_open())
    }

    /// Refuses a stop order whose stop the last price has already reached.
    pub(super) fn must_not_trigger(&self, side: Side, terms: &Terms) -> Result<(), Refusal> {
        let (Some(stop), Some(last)) = (terms.stop_price(), self.market.last_price) else { return Ok(()) };
        let reached = if Self::triggers_rising(side, terms.kind()) { last >= stop } else { last <= stop };
        if reached { Err(Refusal::WouldTrigger) } else { Ok(()) }
    }

    /// Base quantity of the order, and what must be locked for it.
    ///
    /// A market buy locks what the visible book says it costs; a stop market buy locks its quantity at
    /// the stop price, and is priced again when it triggers.
    pub(super) fn reservation(&self, taker: Taker, terms: &Terms) -> Result<(Qty, Amount), Refusal> {
        match *terms {
            Terms::MarketQuote { quote_quantity } => {
                let step = self.market.spec.lot.step_size;
                let plan = self.plan(taker, Appetite::Quote { budget: quote_quantity, step });
                let quantity = plan.quantity + plan.prevented + plan.missing;
                let best = self.market.side(taker.side.opposite()).best();
                // Nothing is no order, also where the filter is off: it could neither trade nor end.
                let too_small = quantity < self.market.spec.lot.min_qty || !quantity.is_positive();
                if best.is_some() && too_small {
                    return Err(Refusal::Filter(Filter::LotSize));
                }
                let lock = match taker.side {
                    Side::Buy => quote_quantity,
                    Side::Sell => plan.quantity.amount(),
                };
                Ok((quantity, lock))
            }
            Terms::Market { quantity } if taker.side == Side::Buy => {
                Ok((quantity, self.plan(taker, Appetite::Base(quantity)).cost))
            }
            _ => {
                let quantity = terms.quantity().unwrap_or_default();
                let price = terms.price().or(terms.stop_price()).unwrap_or_default();
                let lock = match taker.side {
                    Side::Buy => price.reserve(quantity),
                    Side::Sell => quantity.amount(),
                };
                Ok((quantity, lock))
            }
        }
    }

    /// Enters a checked order, whose reservation is already locked, into the record.
    pub(super) fn accept(&mut self, draft: &Draft) -> OrderId {
        let id = self.core.next_order_id();
        let kind = draft.terms.kind();
        let client_order_id = draft.client_order_id.or_else(|| self.generate_id(draft.account, id));
        let Some(client_order_id) = client_order_id else { return id };
        let stop_price = draft.terms.stop_price();
        let waits = kind.is_algo();
        let quote_quantity = match draft.terms {
            Terms::MarketQuote { quote_quantity } => quote_quantity,
            _ => Amount::ZERO,
        };
        self.core.orders.push(Order {
            order_id: id,
            account: draft.account,
            symbol: self.market.spec.symbol,
            client_order_id,
            list_id: draft.list_id,
            side: draft.side,
            kind,
            time_in_force: draft.terms.time_in_force(),
            price: draft.terms.price(),
            stop_price,
            quantity: draft.quantity,
            quote_quantity,
            executed: Qty::ZERO,
            executed_quote: Amount::ZERO,
            prevented: Qty::ZERO,
            stp: draft.stp,
            status: OrderStatus::New,
            is_working: !waits,
            place: None,
            locked: draft.lock,
            accepted_ms: self.now_ms,
            working_ms: (!waits).then_some(self.now_ms),
            updated_ms: self.now_ms,
        });
        let desk = self.market.desks.entry(draft.account).or_default();
        desk.open.insert(id);
        desk.open_algo += u32::from(waits);
        desk.by_client_id.insert(client_order_id, id);
        desk.orders.push(id);
        if let Some(stop) = stop_price {
            if Self::triggers_rising(draft.side, kind) {
                self.market.rising.insert((stop, id));
            } else {
                self.market.falling.insert((stop, id));
            }
        }
        self.core.report(id, ExecutionType::New, self.now_ms, |_| {});
        id
    }

    /// An id no open order of the account has; the account could have guessed the first ones.
    fn generate_id(&self, account: AccountId, id: OrderId) -> Option<ClientOrderId> {
        (0..=u32::MAX)
            .filter_map(|attempt| Core::generated_id('o', id.0, attempt))
            .find(|name| !self.is_open_id(account, *name))
    }

    /// Lets a working order take what it can, then rests or ends it.
    pub(super) fn work(&mut self, id: OrderId) {
        let Some(order) = self.core.order(id) else { return };
        let (kind, time_in_force, remaining) = (order.kind, order.time_in_force, order.remaining());
        let is_limit = order.price.is_some();
        if time_in_force == TimeInForce::Fok
            && self.plan(Taker::of(order), Appetite::Base(remaining)).quantity < remaining
        {
            self.expire(id);
            return;
        }
        if kind != OrderType::LimitMaker {
            self.walk(id);
        }
        if self.core.order(id).is_some_and(|order| order.status.is_open()) {
            if is_limit && time_in_force == TimeInForce::Gtc {
                self.rest(id);
            } else {
                self.expire(id);
            }
        }
    }
}
