//! Round trips of one position: from flat to flat, after fees.
//!
//! It promises that the sums of all closed trips and of the open one are the cash that the fills moved, and that a fee
//! which cannot be priced leaves its trip out of wins and losses instead of making it better than it was. It knows no
//! marks.

use super::figure::Undefined;
use crate::domain::time::WallMs;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Decimals of a fee that is divided where a fill closes one trip and opens the next.
const FEE_PLACES: u32 = 12;

/// A trip under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    since: WallMs,
    cash: Decimal,
    fees: Decimal,
    priced: bool,
}

/// Closed trips, as sums. Sums only grow, so the difference of two is what lies between them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TripSums {
    /// Trips that brought something.
    pub wins: u64,
    /// Trips that cost something.
    pub losses: u64,
    /// Trips that came out at nothing.
    pub flat: u64,
    /// Trips with a fee that could not be priced; in none of the others.
    pub unpriced: u64,
    /// What the wins brought, in the quote asset after fees.
    pub won: Decimal,
    /// What the losses cost, below zero.
    pub lost: Decimal,
    /// Time from the first to the last fill of all of them, milliseconds.
    pub held_ms: i64,
}

/// One fill, as a trip sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct TripFill {
    /// Signed base quantity held before.
    pub(super) held: Decimal,
    /// Signed base quantity of the fill.
    pub(super) base: Decimal,
    /// Price.
    pub(super) price: Decimal,
    /// Fee in the quote asset; `None` when it was paid in an asset without a price.
    pub(super) fee: Option<Decimal>,
    /// When (wall clock).
    pub(super) at: WallMs,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Trips {
    open: Option<Open>,
    pub(super) sums: TripSums,
}

impl Trips {
    /// Takes a fill; `None`, with sums as they were, when a figure does not fit.
    pub(super) fn take(&mut self, fill: TripFill) -> Option<()> {
        let after = fill.held.checked_add(fill.base)?;
        let turned = !fill.held.is_zero()
            && !after.is_zero()
            && (fill.held < Decimal::ZERO) != (after < Decimal::ZERO);
        if !turned {
            return self.part(fill, after.is_zero());
        }
        // Through zero: what closes and what opens share the fee by quantity.
        let closes = fill.held.checked_mul(Decimal::NEGATIVE_ONE)?;
        let share = closes.checked_div(fill.base)?;
        let (first, second) = match fill.fee {
            Some(fee) => {
                let first = fee.checked_mul(share)?.round_dp(FEE_PLACES);
                (Some(first), Some(fee.checked_sub(first)?))
            }
            None => (None, None),
        };
        self.part(TripFill { base: closes, fee: first, ..fill }, true)?;
        self.part(TripFill { held: Decimal::ZERO, base: after, fee: second, ..fill }, false)
    }

    fn part(&mut self, fill: TripFill, closes: bool) -> Option<()> {
        let quote = fill.base.checked_mul(fill.price)?;
        let mut open = self.open.take().unwrap_or(Open {
            since: fill.at,
            cash: Decimal::ZERO,
            fees: Decimal::ZERO,
            priced: true,
        });
        open.cash = open.cash.checked_sub(quote)?;
        open.fees = open.fees.checked_add(fill.fee.unwrap_or_default())?;
        open.priced = open.priced && fill.fee.is_some();
        if closes {
            self.sums.close(&open, fill.at)
        } else {
            self.open = Some(open);
            Some(())
        }
    }

    /// The position was taken out of the books: what was open is no trip any more.
    pub(super) fn cut_off(&mut self) {
        self.open = None;
    }
}

impl TripSums {
    fn close(&mut self, trip: &Open, at: WallMs) -> Option<()> {
        self.held_ms = self.held_ms.saturating_add(at.0.saturating_sub(trip.since.0).max(0));
        if !trip.priced {
            self.unpriced = self.unpriced.saturating_add(1);
            return Some(());
        }
        let net = trip.cash.checked_sub(trip.fees)?;
        let (count, sum) = match net.cmp(&Decimal::ZERO) {
            std::cmp::Ordering::Greater => (&mut self.wins, Some(&mut self.won)),
            std::cmp::Ordering::Less => (&mut self.losses, Some(&mut self.lost)),
            std::cmp::Ordering::Equal => (&mut self.flat, None),
        };
        *count = count.saturating_add(1);
        if let Some(sum) = sum {
            *sum = sum.checked_add(net)?;
        }
        Some(())
    }

    /// Trips closed, whatever came of them.
    #[must_use]
    pub const fn closed(&self) -> u64 {
        self.wins.saturating_add(self.losses).saturating_add(self.flat).saturating_add(self.unpriced)
    }

    /// Trips that came out at something, if every fee has a price.
    ///
    /// # Errors
    /// [`Undefined`]: there is none, or not all are priced.
    pub const fn decided(&self) -> Result<u64, Undefined> {
        match (self.closed(), self.unpriced, self.wins.saturating_add(self.losses)) {
            (0, ..) => Err(Undefined::NoRoundTrips),
            (_, 0, 0) => Err(Undefined::NoWinsOrLosses),
            (_, 0, decided) => Ok(decided),
            _ => Err(Undefined::NoFeeConversion),
        }
    }

    /// Both together; `None` when a sum does not fit.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            wins: self.wins.checked_add(other.wins)?,
            losses: self.losses.checked_add(other.losses)?,
            flat: self.flat.checked_add(other.flat)?,
            unpriced: self.unpriced.checked_add(other.unpriced)?,
            won: self.won.checked_add(other.won)?,
            lost: self.lost.checked_add(other.lost)?,
            held_ms: self.held_ms.checked_add(other.held_ms)?,
        })
    }

    /// What came after `earlier`; `None` when that is not an earlier state of this.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        Some(Self {
            wins: self.wins.checked_sub(earlier.wins)?,
            losses: self.losses.checked_sub(earlier.losses)?,
            flat: self.flat.checked_sub(earlier.flat)?,
            unpriced: self.unpriced.checked_sub(earlier.unpriced)?,
            won: self.won.checked_sub(earlier.won)?,
            lost: self.lost.checked_sub(earlier.lost)?,
            held_ms: self.held_ms.checked_sub(earlier.held_ms)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn run(fills: &[(&str, &str, Option<&str>)]) -> Trips {
        let (mut trips, mut held) = (Trips::default(), Decimal::ZERO);
        for (index, (base, price, fee)) in fills.iter().enumerate() {
            let at = WallMs(i64::try_from(index).unwrap() * 1_000);
            let fill = TripFill { held, base: d(base), price: d(price), fee: fee.map(d), at };
            trips.take(fill).unwrap();
            held += d(base);
        }
        trips
    }

    #[test]
    fn a_trip_ends_when_flat_and_pays_its_fees() {
        let trips = run(&[("1", "100", Some("1")), ("1", "102", Some("1")), ("-2", "104", Some("2"))]);
        assert_eq!((trips.sums.wins, trips.sums.won, trips.sums.held_ms), (1, d("2"), 2_000));
        assert!(trips.open.is_none());
        let flat = run(&[("3", "210", Some("0.441")), ("-3", "210", Some("0.441"))]);
        assert_eq!(
            (flat.sums.losses, flat.sums.lost),
            (1, d("-0.882")),
            "a flat trade is a loss after costs"
        );
    }

    #[test]
    fn through_zero_closes_one_trip_and_opens_another() {
        let trips = run(&[("1", "100", Some("0")), ("-3", "110", Some("3"))]);
        assert_eq!((trips.sums.wins, trips.sums.won), (1, d("9")), "a third of the fee");
        let open = trips.open.unwrap();
        assert_eq!((open.cash, open.fees), (d("220"), d("2")));
    }

    #[test]
    fn a_fee_without_a_price_leaves_its_trip_out() {
        let trips = run(&[("1", "100", None), ("-1", "110", Some("0"))]);
        assert_eq!((trips.sums.wins, trips.sums.unpriced), (0, 1));
        assert_eq!(trips.sums.decided(), Err(Undefined::NoFeeConversion));
        assert_eq!(TripSums::default().decided(), Err(Undefined::NoRoundTrips));
    }
}
