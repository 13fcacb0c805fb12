//! What must be true of the exchange between any two commands.
//!
//! Owns the list of invariants; tests run it after every command, a restore runs it once. It repairs
//! nothing. Its cost grows with everything the run recorded.

use super::exchange::Exchange;
use super::ids::{AccountId, Asset, ListId, OrderId, Symbol};
use super::money::{Amount, Qty};
use super::order::{Order, Side};
use super::pit;
use std::collections::BTreeMap;

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditFailure {
    /// Part of a balance is below zero.
    #[error("account {account} has a negative {asset} balance")]
    Negative {
        /// The account.
        account: AccountId,
        /// The asset.
        asset: Asset,
    },
    /// Balances, fees and strangers' money are not what was paid in.
    #[error("{asset} is off by {off}: money was created or destroyed")]
    Conservation {
        /// The asset.
        asset: Asset,
        /// What is there beyond what was paid in.
        off: Amount,
    },
    /// A balance's lock is not the sum of what open orders and pairs need.
    #[error("account {account} locks {locked} {asset}, its open orders need {needed}")]
    Locked {
        /// The account.
        account: AccountId,
        /// The asset.
        asset: Asset,
        /// What is locked.
        locked: Amount,
        /// What is needed.
        needed: Amount,
    },
    /// An order's quantities, status or place contradict each other.
    #[error("order {order}: {what}")]
    Order {
        /// The order.
        order: OrderId,
        /// What is wrong.
        what: &'static str,
    },
    /// A pair is neither undecided with both legs open, nor decided with at most one.
    #[error("order list {list} is in a state that cannot be")]
    List {
        /// The list.
        list: ListId,
    },
    /// The public book could trade with itself.
    #[error("{symbol}: our orders cross the book")]
    Crossed {
        /// The symbol.
        symbol: Symbol,
    },
}

impl Exchange {
    /// Checks every invariant.
    ///
    /// # Errors
    /// The first [`AuditFailure`] found.
    pub fn audit(&self) -> Result<(), AuditFailure> {
        self.audit_orders()?;
        self.audit_money()?;
        self.audit_lists()?;
        self.audit_books()
    }

    fn audit_orders(&self) -> Result<(), AuditFailure> {
        let mut executed: BTreeMap<OrderId, Amount> = BTreeMap::new();
        for fill in &self.core.fills {
            *executed.entry(fill.order_id).or_default() += fill.quantity.amount();
        }
        for order in &self.core.orders {
            let open = order.status.is_open();
            let in_list = order.list_id.and_then(|id| self.core.list(id)).is_some_and(|list| list.undecided);
            let needed = if open && !in_list { pit::need(order) } else { Amount::ZERO };
            let waits = open && order.kind.is_algo() && !order.is_working;
            let filled = executed.get(&order.order_id).copied().unwrap_or_default();
            let what = if order.executed + order.prevented > order.quantity {
                "executed more than its quantity"
            } else if order.executed.amount() != filled {
                "its fills do not add up to its executed quantity"
            } else if open && order.remaining().is_zero() {
                "open without anything left"
            } else if open == (order.place.is_none() && !waits) {
                "open without a place, or ended with one"
            } else if order.locked != needed {
                "locks more or less than it needs"
            } else if order.place.is_some_and(|place| place.ahead > self.visible(order)) {
                "more stands ahead of it than the market shows"
            } else {
                continue;
            };
            return Err(AuditFailure::Order { order: order.order_id, what });
        }
        Ok(())
    }

    fn visible(&self, order: &Order) -> Qty {
        let side = self.markets.get(&order.symbol).map(|market| market.side(order.side));
        side.zip(order.price).map_or(Qty::ZERO, |(side, limit)| side.market_at(side.rank(limit)))
    }

    fn audit_money(&self) -> Result<(), AuditFailure> {
        let mut needed: BTreeMap<(AccountId, Asset), Amount> = BTreeMap::new();
        let pays = |symbol: &Symbol, side: Side| {
            self.markets.get(symbol).map(|market| match side {
                Side::Buy => market.spec.quote,
                Side::Sell => market.spec.base,
            })
        };
        for order in self.core.orders.iter().filter(|order| order.locked.is_positive()) {
            if let Some(asset) = pays(&order.symbol, order.side) {
                *needed.entry((order.account, asset)).or_default() += order.locked;
            }
        }
        for list in self.core.lists.iter().filter(|list| list.locked.is_positive()) {
            let side = list.legs.first().and_then(|leg| self.core.order(*leg)).map(|order| order.side);
            if let Some(asset) = side.and_then(|side| pays(&list.symbol, side)) {
                *needed.entry((list.account, asset)).or_default() += list.locked;
            }
        }
        let ledger = &self.core.bank.ledger;
        let mut total: BTreeMap<Asset, Amount> = BTreeMap::new();
        for (account, state) in &self.core.bank.accounts {
            for (asset, funds) in &state.funds {
                if funds.free < Amount::ZERO || funds.locked < Amount::ZERO {
                    return Err(AuditFailure::Negative { account: *account, asset: *asset });
                }
                let needed = needed.remove(&(*account, *asset)).unwrap_or_default();
                if funds.locked != needed {
                    let locked = funds.locked;
                    return Err(AuditFailure::Locked { account: *account, asset: *asset, locked, needed });
                }
                *total.entry(*asset).or_default() += funds.free + funds.locked;
            }
        }
        if let Some(((account, asset), needed)) = needed.pop_first() {
            return Err(AuditFailure::Locked { account, asset, locked: Amount::ZERO, needed });
        }
        for (asset, amount) in ledger.fees.iter().chain(&ledger.strangers) {
            *total.entry(*asset).or_default() += *amount;
        }
        for (asset, amount) in &ledger.paid_in {
            *total.entry(*asset).or_default() -= *amount;
        }
        match total.into_iter().find(|(_, off)| !off.is_zero()) {
            Some((asset, off)) => Err(AuditFailure::Conservation { asset, off }),
            None => Ok(()),
        }
    }

    fn audit_lists(&self) -> Result<(), AuditFailure> {
        for list in &self.core.lists {
            let orders = list.legs.iter().filter_map(|leg| self.core.order(*leg));
            let open = orders.filter(|order| order.status.is_open()).count();
            let sound = match (list.undecided, list.done) {
                (true, done) => open == list.legs.len() && !done,
                (false, done) => open <= 1 && done == (open == 0) && list.locked.is_zero(),
            };
            if !sound {
                return Err(AuditFailure::List { list: list.list_id });
            }
        }
        Ok(())
    }

    fn audit_books(&self) -> Result<(), AuditFailure> {
        for (symbol, market) in &self.markets {
            for (side, other) in [(&market.bids, &market.asks), (&market.asks, &market.bids)] {
                let Some((rank, _)) = side.best_own() else { continue };
                let reach = other.rank(side.price(rank));
                if other.best().is_some_and(|best| best <= reach) {
                    return Err(AuditFailure::Crossed { symbol: *symbol });
                }
            }
        }
        Ok(())
    }
}
