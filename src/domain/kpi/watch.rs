//! Orders under way, as far as the figures need them: whose they are, how much was executed, what the market was when
//! they were decided on.
//!
//! It promises a bounded memory: a final order is remembered for late fills until newer ones push it out. It counts
//! nothing itself.

use crate::domain::ids::{Correlation, StrategyId, VenueId};
use crate::domain::order::{Order, OrderNumber};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Final orders that are remembered.
const FINAL_MAX: usize = 512;
/// Orders that are remembered in all; beyond, the oldest are forgotten.
const ORDERS_MAX: usize = 20_000;
/// Decisions that wait for their intent, which stands next to them.
const DECISIONS_MAX: usize = 256;

/// One order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watched {
    pub(super) strategy: StrategyId,
    pub(super) venue: VenueId,
    quantity: Decimal,
    executed: Decimal,
    /// Middle of the market when it was decided on.
    pub(super) decided_at: Option<Decimal>,
    is_final: bool,
}

/// What is read of a decision's row: the market that it saw. The rest of it is large, and says nothing about figures.
#[derive(Debug, Deserialize)]
pub(super) struct Decided {
    figures: Touch,
}

#[derive(Debug, Deserialize)]
struct Touch {
    #[serde(default)]
    bid: Option<Decimal>,
    #[serde(default)]
    ask: Option<Decimal>,
}

/// What a fill made of its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Executed {
    pub(super) decided_at: Option<Decimal>,
    pub(super) first: bool,
    pub(super) whole: bool,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Watch {
    orders: BTreeMap<OrderNumber, Watched>,
    finals: VecDeque<OrderNumber>,
    decisions: VecDeque<(Correlation, Option<Decimal>)>,
}

impl Watch {
    /// The chain decided; the intent follows if it approved.
    pub(super) fn decided(&mut self, correlation: &Correlation, decided: &Decided) {
        let middle = || {
            let sum = decided.figures.bid?.checked_add(decided.figures.ask?)?;
            sum.checked_div(Decimal::TWO)
        };
        if self.decisions.len() >= DECISIONS_MAX {
            self.decisions.pop_front();
        }
        self.decisions.push_back((correlation.clone(), middle()));
    }

    /// An order was taken or found.
    pub(super) fn begin(&mut self, correlation: &Correlation, order: &Order) {
        let at = self.decisions.iter().rposition(|(of, _)| of == correlation);
        let decided_at = at.and_then(|at| self.decisions.remove(at)).and_then(|(_, middle)| middle);
        let watched = Watched {
            strategy: order.strategy.clone(),
            venue: order.venue.clone(),
            quantity: order.quantity.get(),
            executed: order.booked.get(),
            decided_at,
            is_final: order.state.is_final(),
        };
        self.orders.insert(order.number, watched);
        if self.orders.len() > ORDERS_MAX {
            self.orders.pop_first();
        }
    }

    /// An order by its number, as far as it is remembered.
    pub(super) fn get(&self, number: OrderNumber) -> Option<&Watched> {
        self.orders.get(&number)
    }

    /// Some of it executed.
    pub(super) fn executed(&mut self, number: OrderNumber, quantity: Decimal) -> Executed {
        let Some(order) = self.orders.get_mut(&number) else { return Executed::default() };
        let before = order.executed;
        order.executed = before.saturating_add(quantity);
        let whole = before < order.quantity && order.executed >= order.quantity;
        let told = Executed { decided_at: order.decided_at, first: before.is_zero(), whole };
        if whole {
            self.ended(number);
        }
        told
    }

    /// It can execute no more; true when that is news.
    pub(super) fn ended(&mut self, number: OrderNumber) -> bool {
        let Some(order) = self.orders.get_mut(&number).filter(|order| !order.is_final) else { return false };
        order.is_final = true;
        self.finals.push_back(number);
        while self.finals.len() > FINAL_MAX {
            if let Some(oldest) = self.finals.pop_front() {
                self.orders.remove(&oldest);
            }
        }
        true
    }
}
