//! What one strategy holds of one instrument: average cost, and profit and loss that adds up exactly.
//!
//! Three exact sums are kept: quantity, cash (what the fills paid out and took in) and the cost of what is
//! still held. Realised profit is `cash + cost`, unrealised is `quantity * mark - cost`; their total is
//! `cash + quantity * mark`, in which the cost cancels. So only the split between the two depends on the
//! order of the fills and on rounding (a cost is divided when a position is reduced), never the total.

use super::exact;
use super::types::Position;
use crate::domain::ids::{Asset, StrategyId, Symbol, VenueId};
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::order_types::{Fill, Side};
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Decimals of a cost that was divided, and of an average price.
pub(in crate::domain) const COST_PLACES: u32 = 12;

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::domain) struct Holding {
    pub(in crate::domain) quantity: Amount,
    pub(in crate::domain) cash: Amount,
    pub(in crate::domain) cost: Amount,
    pub(in crate::domain) fees: BTreeMap<Asset, Amount>,
    pub(in crate::domain) turnover: Amount,
    pub(in crate::domain) updated_at: WallMs,
}

/// How a trade moves the account, fee apart.
pub(in crate::domain) struct Flow {
    pub(in crate::domain) base: Amount,
    pub(in crate::domain) quote: Amount,
}

impl Holding {
    /// Books a fill; `None`, and nothing changed, when a figure does not fit.
    pub(in crate::domain) fn book(&mut self, fill: &Fill, fee_asset: &Asset, at: WallMs) -> Option<Flow> {
        let mut next = self.clone();
        let flow = next.trade(fill.side, fill.quantity, fill.price, fee_asset, fill.fee, at)?;
        next.turnover = exact::add(next.turnover, exact::magnitude(flow.base)?)?;
        *self = next;
        Some(flow)
    }

    /// Takes a fill back. Where it had built up what is still held, its own cost leaves; else it counts as a
    /// trade the other way, which leaves the total right and only the split between realised and unrealised
    /// different from a history without it.
    pub(in crate::domain) fn bust(&mut self, fill: &Fill, fee_asset: &Asset, at: WallMs) -> Option<Flow> {
        let mut next = self.clone();
        let opposite = match fill.side {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        };
        let fee = exact::negated(fill.fee)?;
        let flow = next.trade(opposite, fill.quantity, fill.price, fee_asset, fee, at)?;
        let own_cost = exact::times(flow.base, fill.price)?;
        let without = exact::add(self.cost, own_cost)?;
        if positive(self.quantity, next.quantity) && positive(without, next.quantity) {
            next.cost = without;
        }
        next.turnover = exact::sub(next.turnover, exact::magnitude(flow.base)?)?;
        *self = next;
        Some(flow)
    }

    fn trade(
        &mut self,
        side: Side,
        quantity: Quantity,
        price: Price,
        fee_asset: &Asset,
        fee: Amount,
        at: WallMs,
    ) -> Option<Flow> {
        let base = exact::signed(side, quantity)?;
        let quote = exact::negated(exact::times(base, price)?)?;
        let held = exact::add(self.quantity, base)?;
        self.cost = if positive(self.quantity, base) || self.quantity.is_zero() {
            exact::sub(self.cost, quote)?
        } else if held.is_zero() {
            Amount::ZERO
        } else if positive(self.quantity, held) {
            // Reduced: what leaves takes its share of the cost along.
            exact::add(self.cost, exact::share(self.cost, base, self.quantity, COST_PLACES)?)?
        } else {
            // Through zero: what is held now was all bought (or sold) at this price.
            exact::times(held, price)?
        };
        self.quantity = held;
        self.cash = exact::add(self.cash, quote)?;
        exact::add_to(&mut self.fees, fee_asset, fee)?;
        self.updated_at = self.updated_at.max(at);
        Some(Flow { base, quote })
    }

    /// Profit and loss of what was closed, without fees.
    pub(in crate::domain) fn realised(&self) -> Option<Amount> {
        exact::add(self.cash, self.cost)
    }

    /// Profit and loss of what is held, at a price.
    pub(in crate::domain) fn unrealised(&self, mark: Price) -> Option<Amount> {
        exact::sub(exact::times(self.quantity, mark)?, self.cost)
    }

    /// In the words of everybody else.
    pub(in crate::domain) fn position(
        &self,
        venue: &VenueId,
        symbol: &Symbol,
        strategy: &StrategyId,
    ) -> Option<Position> {
        Some(Position {
            venue: venue.clone(),
            symbol: symbol.clone(),
            strategy: strategy.clone(),
            quantity: self.quantity,
            average_price: average(self.cost, self.quantity),
            realised_pnl: self.realised()?,
            fees: self.fees.clone(),
            turnover: self.turnover,
            updated_at: self.updated_at,
        })
    }
}

/// Average price of a quantity of that cost; `None` when flat.
pub(in crate::domain) fn average(cost: Amount, quantity: Amount) -> Option<Price> {
    exact::ratio(cost, quantity, COST_PLACES)
}

/// Are both above zero, or both below?
fn positive(a: Amount, b: Amount) -> bool {
    (a > Amount::ZERO && b > Amount::ZERO) || (a < Amount::ZERO && b < Amount::ZERO)
}
