//! A position and what may still execute: how far it can go either way.

use crate::domain::order_types::Side;
use rust_decimal::Decimal;

/// Base quantities, and the cash behind them in quote units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) struct Worst {
    /// Signed position as booked.
    pub(in super::super) held: Decimal,
    /// What buys may still add.
    pub(in super::super) buys: Decimal,
    /// What sells may still take.
    pub(in super::super) sells: Decimal,
    /// Realised profit less the cost of what is held: with `held * price` it is profit and loss.
    pub(in super::super) cash: Decimal,
    /// A sum did not fit once; nothing that rests on it is known any more.
    pub(in super::super) broken: bool,
}

impl Worst {
    /// Adds to one of the sums and takes what was there before.
    pub(super) fn pending(&mut self, side: Side, before: Decimal, after: Decimal) {
        let sum = match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        };
        self.broken |= !shift(sum, before, after);
    }

    pub(super) fn position(&mut self, before: (Decimal, Decimal), after: (Decimal, Decimal)) {
        let held = shift(&mut self.held, before.0, after.0);
        let cash = shift(&mut self.cash, before.1, after.1);
        self.broken |= !(held && cash);
    }

    /// Nothing held, nothing working.
    pub(in super::super) const fn is_flat(&self) -> bool {
        self.held.is_zero() && self.buys.is_zero() && self.sells.is_zero() && !self.broken
    }

    /// If all buys execute and no sell does; `None` when it is not known.
    pub(in super::super) fn long(&self) -> Option<Decimal> {
        if self.broken { None } else { self.held.checked_add(self.buys) }
    }

    /// If all sells execute and no buy does.
    pub(in super::super) fn short(&self) -> Option<Decimal> {
        if self.broken { None } else { self.held.checked_sub(self.sells) }
    }

    /// The larger of the two, without its sign.
    pub(in super::super) fn gross(&self) -> Option<Decimal> {
        Some(self.long()?.abs().max(self.short()?.abs()))
    }

    /// How far it can go in the direction of a side; below zero when it stays on the other.
    pub(in super::super) fn towards(&self, side: Side) -> Option<Decimal> {
        match side {
            Side::Buy => self.long(),
            Side::Sell => self.short().map(|short| -short),
        }
    }

    /// Does `quantity` more of a side make it smaller, even if all that works on that side executes?
    pub(in super::super) fn reduced_by(&self, side: Side, quantity: Decimal) -> bool {
        let (against, working) = match side {
            Side::Buy => (self.held < Decimal::ZERO, self.buys),
            Side::Sell => (self.held > Decimal::ZERO, self.sells),
        };
        let needed = quantity.checked_add(working);
        !self.broken && against && needed.is_some_and(|needed| needed <= self.held.abs())
    }
}

/// `sum - before + after`; false, and nothing changed, when it does not fit.
fn shift(sum: &mut Decimal, before: Decimal, after: Decimal) -> bool {
    let Some(next) = sum.checked_sub(before).and_then(|rest| rest.checked_add(after)) else { return false };
    *sum = next;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(n: i64) -> Decimal {
        Decimal::from(n)
    }

    fn worst(held: i64, buys: i64, sells: i64) -> Worst {
        Worst { held: d(held), buys: d(buys), sells: d(sells), ..Worst::default() }
    }

    #[test]
    fn both_ways_are_known() {
        let one = worst(3, 2, 8);
        assert_eq!((one.long(), one.short(), one.gross()), (Some(d(5)), Some(d(-5)), Some(d(5))));
        assert_eq!((one.towards(Side::Buy), one.towards(Side::Sell)), (Some(d(5)), Some(d(5))));
        assert_eq!(worst(3, 0, 0).towards(Side::Sell), Some(d(-3)));
        assert_eq!(worst(-3, 1, 0).gross(), Some(d(3)));
        assert!(worst(0, 0, 0).is_flat());
        for not_flat in [worst(1, 0, 0), worst(0, 1, 0), worst(0, 0, 1)] {
            assert!(!not_flat.is_flat());
        }
    }

    #[test]
    fn reducing_counts_what_works_on_the_same_side() {
        assert!(worst(3, 0, 0).reduced_by(Side::Sell, d(3)));
        assert!(!worst(3, 0, 0).reduced_by(Side::Sell, d(4)));
        assert!(worst(3, 9, 1).reduced_by(Side::Sell, d(2)));
        assert!(!worst(3, 0, 1).reduced_by(Side::Sell, d(3)));
        assert!(!worst(3, 0, 0).reduced_by(Side::Buy, d(1)));
        assert!(!worst(0, 0, 0).reduced_by(Side::Buy, d(0)), "nothing is not made smaller");
        assert!(!worst(0, 0, 0).reduced_by(Side::Sell, d(0)));
        assert!(worst(-3, 1, 9).reduced_by(Side::Buy, d(2)));
        assert!(!worst(-3, 1, 0).reduced_by(Side::Buy, d(3)));
        assert!(!worst(3, 0, 0).reduced_by(Side::Sell, Decimal::MAX));
    }

    #[test]
    fn what_does_not_fit_is_unknown_from_then_on() {
        let mut one = worst(1, 0, 0);
        one.pending(Side::Buy, d(0), Decimal::MAX);
        assert!(!one.broken && one.long().is_none() && one.short() == Some(d(1)) && one.gross().is_none());
        one.pending(Side::Buy, d(0), Decimal::MAX);
        assert!(one.broken && one.short().is_none() && !one.is_flat());
        assert!(!one.reduced_by(Side::Sell, d(1)));
        let mut two = Worst::default();
        two.position((d(0), d(0)), (d(1), Decimal::MAX));
        assert!(!two.broken);
        two.position((d(0), d(0)), (d(1), Decimal::MAX));
        assert!(two.broken);
        let mut three = Worst::default();
        three.position((d(0), d(0)), (d(1), d(-7)));
        three.position((d(1), d(-7)), (d(3), d(-9)));
        assert_eq!((three.held, three.cash), (d(3), d(-9)));
    }
}
