//! What the ledger hands out: fills as booked, positions per strategy, and an instrument's net.
//!
//! Plain figures for the journal, the API and the metrics; the exact sums behind them stay in the ledger.

use crate::domain::ids::{Asset, ClientOrderId, Correlation, StrategyId, Symbol, VenueId};
use crate::domain::money::{Amount, Price};
use crate::domain::order_types::Fill;
use crate::domain::time::WallMs;
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
    /// Average price of what is held, cut to 12 decimals; `None` when flat.
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

impl Position {
    /// Profit and loss of what is held, at a price, in quote units without fees. It stands on the average
    /// price and is as exact as that; `Ledger::unrealised` is exact. `None` on overflow.
    #[must_use]
    pub fn unrealised(&self, mark: Price) -> Option<Amount> {
        let Some(average) = self.average_price else { return Some(Amount::ZERO) };
        let per_unit = mark.get().checked_sub(average.get())?;
        per_unit.checked_mul(self.quantity.get()).and_then(|value| Amount::new(value.normalize()).ok())
    }
}

/// What all strategies together hold of one instrument at one venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Net {
    /// Signed base quantity.
    pub quantity: Amount,
    /// Average price; `None` when flat, and when strategies on opposite sides leave none that makes sense.
    pub average_price: Option<Price>,
    /// Realised profit and loss in quote units, without fees.
    pub realised_pnl: Amount,
    /// What the fills paid out (below zero) and took in, in quote units, without fees.
    pub cash: Amount,
    /// Fees paid per asset.
    pub fees: BTreeMap<Asset, Amount>,
    /// Base quantity bought and sold in total.
    pub turnover: Amount,
}
