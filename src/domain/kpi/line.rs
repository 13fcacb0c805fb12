//! What one strategy did in one instrument at one venue: its position, as the ledger books it, and what came of it.
//!
//! It promises the ledger's own figures, because the ledger's own arithmetic makes them; on top it keeps turnover,
//! slippage and round trips. It owns no clock and asks for no price.

use super::totals::Money;
use super::tracker::MarkOf;
use super::trips::{TripFill, Trips};
use crate::domain::ids::{Asset, Symbol, VenueId};
use crate::domain::ledger::holding::Holding;
use crate::domain::money::{Amount, Price};
use crate::domain::oms::Mark;
use crate::domain::order_types::{Fill, Liquidity, Side};
use crate::domain::time::WallMs;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) base: Asset,
    pub(super) quote: Asset,
    holding: Holding,
    /// Profit and fees of books that were closed.
    carried: Decimal,
    carried_fees: BTreeMap<Asset, Decimal>,
    last_price: Price,
    turnover: Decimal,
    maker: Decimal,
    slippage: Decimal,
    slippage_of: Decimal,
    trips: Trips,
}

/// Prices of a moment.
pub(super) struct Prices<'a> {
    /// Where.
    pub(super) venue: &'a VenueId,
    /// The line's own instrument.
    pub(super) symbol: &'a Symbol,
    /// What instruments are worth.
    pub(super) mark: MarkOf<'a>,
}

impl Prices<'_> {
    /// An asset's price in a quote asset: the middle of the instrument that is spelt as both together.
    fn of(&self, asset: &Asset, quote: &Asset) -> Option<Price> {
        let symbol = Symbol::new(&format!("{asset}{quote}")).ok()?;
        let mark = (self.mark)(self.venue, &symbol)?;
        mark.bid.midpoint(mark.ask)
    }
}

impl Line {
    pub(super) fn new(base: &Asset, quote: &Asset, price: Price) -> Self {
        Self {
            base: base.clone(),
            quote: quote.clone(),
            holding: Holding::default(),
            carried: Decimal::ZERO,
            carried_fees: BTreeMap::new(),
            last_price: price,
            turnover: Decimal::ZERO,
            maker: Decimal::ZERO,
            slippage: Decimal::ZERO,
            slippage_of: Decimal::ZERO,
            trips: Trips::default(),
        }
    }

    /// Is something held?
    pub(super) fn is_open(&self) -> bool {
        !self.holding.quantity.is_zero()
    }

    /// Takes a fill, or takes it back. `None` when a figure does not fit.
    pub(super) fn take(
        &mut self,
        fill: &Fill,
        at: WallMs,
        decided_at: Option<Decimal>,
        back: bool,
    ) -> Option<()> {
        let asset = fill.fee_asset.clone().unwrap_or_else(|| self.quote.clone());
        let held = self.holding.quantity.get();
        let sign = if back { Decimal::NEGATIVE_ONE } else { Decimal::ONE };
        let flow = match back {
            false => self.holding.book(fill, &asset, at)?,
            true => self.holding.bust(fill, &asset, at)?,
        };
        let (base, price) = (flow.base.get(), fill.price.get());
        let fee = if asset == self.quote {
            Some(fill.fee.get())
        } else if asset == self.base {
            fill.fee.get().checked_mul(price)
        } else {
            None
        };
        let fee = fee.map(|fee| fee.checked_mul(sign)).map_or(Some(None), |fee| fee.map(Some))?;
        self.trips.take(TripFill { held, base, price, fee, at })?;
        self.last_price = fill.price;
        let value = fill.quantity.get().checked_mul(price)?.checked_mul(sign)?;
        self.turnover = self.turnover.checked_add(value)?;
        if fill.liquidity == Liquidity::Maker {
            self.maker = self.maker.checked_add(value)?;
        }
        if let Some(decided) = decided_at {
            let worse = match fill.side {
                Side::Buy => price.checked_sub(decided)?,
                Side::Sell => decided.checked_sub(price)?,
            };
            let quantity = fill.quantity.get().checked_mul(sign)?;
            self.slippage = self.slippage.checked_add(worse.checked_mul(quantity)?)?;
            self.slippage_of = self.slippage_of.checked_add(decided.checked_mul(quantity)?)?;
        }
        Some(())
    }

    /// The books were closed: what was held leaves them at the price of the last fill, what came of it stays.
    pub(super) fn close_books(&mut self) -> Option<()> {
        let holding = std::mem::take(&mut self.holding);
        let left = holding.realised()?.get().checked_add(holding.unrealised(self.last_price)?.get())?;
        self.carried = self.carried.checked_add(left)?;
        for (asset, fee) in holding.fees {
            let sum = self.carried_fees.entry(asset).or_default();
            *sum = sum.checked_add(fee.get())?;
        }
        self.trips.cut_off();
        Some(())
    }

    /// The price at which what is held could be closed; the middle when nothing is.
    fn mark(&self, own: Option<Mark>) -> Option<Price> {
        let own = own?;
        match self.holding.quantity.cmp(&Amount::ZERO) {
            std::cmp::Ordering::Greater => Some(own.bid),
            std::cmp::Ordering::Less => Some(own.ask),
            std::cmp::Ordering::Equal => own.bid.midpoint(own.ask),
        }
    }

    /// The sums at a moment's prices. Outer `None`: a figure does not fit.
    pub(super) fn money(&self, prices: &Prices<'_>) -> Option<Money> {
        let mark = self.mark((prices.mark)(prices.venue, prices.symbol));
        let held = self.holding.quantity.get();
        let (unrealised, exposure) = match mark {
            _ if held.is_zero() => (Some(Decimal::ZERO), Some(Decimal::ZERO)),
            Some(mark) => {
                (Some(self.holding.unrealised(mark)?.get()), Some(held.abs().checked_mul(mark.get())?))
            }
            None => (None, None),
        };
        let paid = self.holding.fees.iter().map(|(asset, fee)| (asset, fee.get()));
        let paid = paid.chain(self.carried_fees.iter().map(|(asset, fee)| (asset, *fee)));
        let mut fees = Some(Decimal::ZERO);
        for (asset, fee) in paid.filter(|(_, fee)| !fee.is_zero()) {
            let price = if *asset == self.quote {
                Some(Decimal::ONE)
            } else if *asset == self.base {
                mark.map(Price::get)
            } else {
                prices.of(asset, &self.quote).map(Price::get)
            };
            fees = match (fees, price) {
                (Some(sum), Some(price)) => Some(sum.checked_add(fee.checked_mul(price)?)?),
                _ => None,
            };
        }
        Some(Money {
            realised: self.holding.realised()?.get().checked_add(self.carried)?,
            unrealised,
            fees,
            exposure,
            exposure_days: Decimal::ZERO,
            turnover: self.turnover,
            maker: self.maker,
            slippage: self.slippage,
            slippage_of: self.slippage_of,
            trips: self.trips.sums.clone(),
        })
    }
}
