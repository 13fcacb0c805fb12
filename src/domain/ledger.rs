//! Positions, average prices, profit and loss, fees and expected balances: the fold of all booked fills.

use super::ids::{Asset, ClientOrderId, Correlation, StrategyId, Symbol, VenueId};
use super::money::{Amount, Price};
use super::order_types::Fill;
use super::time::WallMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A fill as booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedFill {
    /// Where.
    pub venue: VenueId,
    /// What the venue said.
    pub fill: Fill,
    /// The caller's id of the order that it belongs to; `None` when it matched no order.
    pub client_order_id: Option<ClientOrderId>,
    /// Whose it is; `external` when nobody's.
    pub strategy: StrategyId,
    /// Ties it to its cause.
    pub correlation: Correlation,
    /// When it was booked here (wall clock).
    pub booked_at: WallMs,
    /// The venue took it back later.
    pub busted: bool,
}

/// What one strategy holds of one instrument at one venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Where.
    pub venue: VenueId,
    /// Instrument.
    pub symbol: Symbol,
    /// Whose.
    pub strategy: StrategyId,
    /// Signed base quantity; below zero is short.
    pub quantity: Amount,
    /// Average price of what is held; `None` when flat.
    pub average_price: Option<Price>,
    /// Realised profit and loss in quote units, without fees.
    pub realised_pnl: Amount,
    /// Fees paid per asset (rebates negative).
    pub fees: BTreeMap<Asset, Amount>,
    /// Base quantity bought and sold in total.
    pub turnover: Amount,
    /// When a fill last changed it (wall clock).
    pub updated_at: WallMs,
}
