//! What a strategy, a venue or all of them came to up to a moment: sums that only the moment's prices change.
//!
//! It promises that totals add up over strategies and venues, and that the difference of two moments is what happened
//! between them. Money is exact; a value that needs a price which is not known is absent, never zero.

use super::trips::TripSums;
use crate::domain::ids::Asset;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Codes of refusals that are told apart; the rest is `OTHER`.
const CODES_MAX: usize = 32;

/// Sums in one quote asset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Money {
    /// Realised profit and loss, before fees.
    pub realised: Decimal,
    /// Profit and loss of what is held, at the price at which it could be closed; `None` without a price.
    pub unrealised: Option<Decimal>,
    /// Fees (rebates below zero), those in other assets at the moment's price; `None` without one.
    pub fees: Option<Decimal>,
    /// Value of what is held, both directions added; `None` without a price.
    pub exposure: Option<Decimal>,
    /// Value held times days, as far as it was observed.
    pub exposure_days: Decimal,
    /// Price times quantity of all fills.
    pub turnover: Decimal,
    /// The part of it that rested in the book.
    pub maker: Decimal,
    /// What fills cost against the middle of the market when their orders were decided on; below zero is a gain.
    pub slippage: Decimal,
    /// That middle times quantity, of the fills for which it is known.
    pub slippage_of: Decimal,
    /// Round trips.
    pub trips: TripSums,
}

/// Counts of orders and fills.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OrderCounts {
    /// Refused here.
    pub denied: u64,
    /// Taken: their intents are on disk.
    pub taken: u64,
    /// Refused by the venue.
    pub rejected: u64,
    /// Ended by a cancel.
    pub cancelled: u64,
    /// Ended by their rules.
    pub expired: u64,
    /// Executed in full.
    pub filled: u64,
    /// Executed at least in part.
    pub touched: u64,
    /// Whose outcome was unknown for a time.
    pub doubted: u64,
    /// Fills.
    pub fills: u64,
    /// Refusals here by code.
    #[serde(default)]
    pub codes: BTreeMap<String, u64>,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// By quote asset.
    pub money: BTreeMap<Asset, Money>,
    /// Orders and fills.
    pub orders: OrderCounts,
    /// Time with a position, milliseconds.
    pub exposed_ms: i64,
}

fn sum(a: Option<Decimal>, b: Option<Decimal>) -> Option<Option<Decimal>> {
    let (Some(a), Some(b)) = (a, b) else { return Some(None) };
    a.checked_add(b).map(Some)
}

impl Money {
    /// Nothing traded, nothing held.
    #[must_use]
    pub fn nothing() -> Self {
        let zero = Some(Decimal::ZERO);
        Self { unrealised: zero, fees: zero, exposure: zero, ..Self::default() }
    }

    /// Realised and unrealised, less fees; `None` where a price is missing.
    #[must_use]
    pub fn pnl(&self) -> Option<Decimal> {
        self.realised.checked_add(self.unrealised?)?.checked_sub(self.fees?)
    }

    /// Both together; `None` when a sum does not fit.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            realised: self.realised.checked_add(other.realised)?,
            unrealised: sum(self.unrealised, other.unrealised)?,
            fees: sum(self.fees, other.fees)?,
            exposure: sum(self.exposure, other.exposure)?,
            exposure_days: self.exposure_days.checked_add(other.exposure_days)?,
            turnover: self.turnover.checked_add(other.turnover)?,
            maker: self.maker.checked_add(other.maker)?,
            slippage: self.slippage.checked_add(other.slippage)?,
            slippage_of: self.slippage_of.checked_add(other.slippage_of)?,
            trips: self.trips.plus(&other.trips)?,
        })
    }
}

impl OrderCounts {
    /// One more refusal here, `CODE: why`, standing for `times`.
    pub(super) fn deny(&mut self, reason: &str, times: u64) {
        self.denied = self.denied.saturating_add(times);
        let code = reason.split(':').next().unwrap_or_default().trim();
        let plain = !code.is_empty()
            && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit());
        let room = self.codes.len() < CODES_MAX || self.codes.contains_key(code);
        let name = if plain && room { code } else { "OTHER" };
        let count = self.codes.entry(name.to_owned()).or_default();
        *count = count.saturating_add(times);
    }

    fn each(&self, other: &Self, with: fn(u64, u64) -> u64) -> Self {
        let names = self.codes.keys().chain(other.codes.keys());
        let of = |codes: &BTreeMap<String, u64>, name: &String| codes.get(name).copied().unwrap_or_default();
        Self {
            denied: with(self.denied, other.denied),
            taken: with(self.taken, other.taken),
            rejected: with(self.rejected, other.rejected),
            cancelled: with(self.cancelled, other.cancelled),
            expired: with(self.expired, other.expired),
            filled: with(self.filled, other.filled),
            touched: with(self.touched, other.touched),
            doubted: with(self.doubted, other.doubted),
            fills: with(self.fills, other.fills),
            codes: names
                .map(|name| (name.clone(), with(of(&self.codes, name), of(&other.codes, name))))
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.each(other, u64::saturating_add)
    }

    /// What came after `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        self.each(earlier, u64::saturating_sub)
    }
}

impl Totals {
    /// Adds another's money and orders; time with a position overlaps and is not added. `None` when a sum does not fit.
    #[must_use]
    pub(super) fn plus(mut self, other: &Self) -> Option<Self> {
        for (quote, money) in &other.money {
            let have = self.money.get(quote).cloned().unwrap_or_else(Money::nothing);
            self.money.insert(quote.clone(), have.plus(money)?);
        }
        self.orders = self.orders.plus(&other.orders);
        Some(self)
    }
}
