//! The whole state as data, and back.
//!
//! Owns what survives a restart. Orders are stored once; books, stop indexes and desks are derived from
//! them again, and the result is audited, so that a damaged file is refused rather than traded on.
//! A snapshot followed by the commands that came after it gives the state at the last command.

use super::accounts::Bank;
use super::audit::AuditFailure;
use super::core::{Core, Counters, Fill, Limits};
use super::exchange::Exchange;
use super::market::{Market, MarketState};
use super::order::Order;
use super::outcome::OrderList;
use super::pit::Pit;
use serde::{Deserialize, Serialize};

/// The state of an exchange between two commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    limits: Limits,
    bank: Bank,
    counters: Counters,
    markets: Vec<MarketState>,
    lists: Vec<OrderList>,
    orders: Vec<Order>,
    fills: Vec<Fill>,
}

/// Why a snapshot is not a state of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// An order or fill names a symbol that is not in the snapshot, is out of place in its arena, or
    /// executed more than its quantity.
    #[error("{what} {number} does not belong to this snapshot")]
    Stray {
        /// `order` or `fill`.
        what: &'static str,
        /// Its number.
        number: u64,
    },
    /// The parts contradict each other.
    #[error("the snapshot is inconsistent: {0}")]
    Inconsistent(#[from] AuditFailure),
}

impl Exchange {
    /// The state as data.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            limits: self.core.limits,
            bank: self.core.bank.clone(),
            counters: self.core.counters,
            markets: self.markets.values().map(Market::state).collect(),
            lists: self.core.lists.clone(),
            orders: self.core.orders.clone(),
            fills: self.core.fills.clone(),
        }
    }

    /// The exchange a snapshot was taken of: it answers every command as the original would have.
    ///
    /// # Errors
    /// [`SnapshotError`] when the parts do not fit together.
    pub fn restore(snapshot: Snapshot) -> Result<Self, SnapshotError> {
        let Snapshot { limits, bank, counters, markets, lists, orders, fills } = snapshot;
        let markets = markets.into_iter().map(Market::from_state);
        let mut exchange = Self {
            core: Core { limits, bank, counters, orders, fills, lists, ..Core::default() },
            markets: markets.map(|market| (market.spec.symbol, market)).collect(),
        };
        for (expected, order) in (1u64..).zip(&exchange.core.orders) {
            let stray = SnapshotError::Stray { what: "order", number: order.order_id.0 };
            // Checked before anything is derived from the quantities: a damaged file must not overflow.
            let spoken_for = order.executed.amount() + order.prevented.amount();
            if order.order_id.0 != expected || spoken_for > order.quantity.amount() {
                return Err(stray);
            }
            let market = exchange.markets.get_mut(&order.symbol).ok_or(stray)?;
            index(market, order);
        }
        for (position, fill) in exchange.core.fills.iter().enumerate() {
            let stray = SnapshotError::Stray { what: "fill", number: fill.trade_id.0 };
            let market = exchange.markets.get_mut(&fill.symbol).ok_or_else(|| stray.clone())?;
            market.desks.get_mut(&fill.account).ok_or(stray)?.fills.push(position);
        }
        exchange.audit()?;
        Ok(exchange)
    }
}

/// Enters one order into its market's indexes.
fn index(market: &mut Market, order: &Order) {
    let desk = market.desks.entry(order.account).or_default();
    desk.orders.push(order.order_id);
    desk.by_client_id.insert(order.client_order_id, order.order_id);
    if !order.status.is_open() {
        return;
    }
    desk.open.insert(order.order_id);
    desk.open_algo += u32::from(order.kind.is_algo());
    if let (Some(place), Some(limit)) = (order.place, order.price) {
        let side = market.side_mut(order.side);
        let rank = side.rank(limit);
        side.rest(rank, place.sequence, order.order_id, order.remaining());
    } else if let Some(stop) = order.stop_price {
        if Pit::triggers_rising(order.side, order.kind) {
            market.rising.insert((stop, order.order_id));
        } else {
            market.falling.insert((stop, order.order_id));
        }
    }
}
