//! Arithmetic that is exact or refuses. The decimal type rounds silently once 28 digits are used up; a ledger
//! that rounds drifts away from the venue by a little with every fill, so here rounding is a refusal.

use crate::domain::ids::Asset;
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::order_types::Side;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The sum, without trailing zeros; `None` when it does not fit exactly.
pub(super) fn add(a: Amount, b: Amount) -> Option<Amount> {
    let sum = a.checked_add(b)?;
    (sum.checked_sub(b)? == a && sum.checked_sub(a)? == b).then(|| sum.normalized())
}

/// The difference, without trailing zeros; `None` when it does not fit exactly.
pub(super) fn sub(a: Amount, b: Amount) -> Option<Amount> {
    add(a, negated(b)?)
}

/// The same amount the other way.
pub(super) fn negated(a: Amount) -> Option<Amount> {
    Amount::ZERO.checked_sub(a)
}

/// The product, without trailing zeros; `None` when it does not fit exactly.
pub(super) fn times(a: Amount, price: Price) -> Option<Amount> {
    let (a, b) = (a.get().normalize(), price.get().normalize());
    let product = a.checked_mul(b)?;
    let kept = product.is_zero() == (a.is_zero() || b.is_zero())
        && (product.is_zero() || product.scale() == a.scale().checked_add(b.scale())?);
    kept.then(|| product.normalize()).and_then(|value| Amount::new(value).ok())
}

/// A quantity with its direction: above zero for a buy.
pub(super) fn signed(side: Side, quantity: Quantity) -> Option<Amount> {
    let amount = Amount::new(quantity.get().normalize()).ok()?;
    match side {
        Side::Buy => Some(amount),
        Side::Sell => negated(amount),
    }
}

/// The amount without its sign.
pub(super) fn magnitude(a: Amount) -> Option<Amount> {
    if a < Amount::ZERO { negated(a) } else { Some(a) }
}

/// The ratio as a price, cut to `places` decimals; `None` when it is negative or does not exist.
pub(super) fn ratio(a: Amount, b: Amount, places: u32) -> Option<Price> {
    let value = a.get().checked_div(b.get())?;
    Price::new(value.round_dp(places).normalize()).ok()
}

/// `whole * part / of`, cut to `places` decimals.
pub(super) fn share(whole: Amount, part: Amount, of: Amount, places: u32) -> Option<Amount> {
    let unit: Decimal = whole.get().checked_div(of.get())?;
    Amount::new(unit.checked_mul(part.get())?.round_dp(places).normalize()).ok()
}

/// Adds to a map's entry; an entry that comes to zero is dropped. `None` leaves the map as it was.
pub(super) fn add_to(map: &mut BTreeMap<Asset, Amount>, asset: &Asset, delta: Amount) -> Option<()> {
    let sum = add(map.get(asset).copied().unwrap_or(Amount::ZERO), delta)?;
    if sum.is_zero() {
        map.remove(asset);
    } else {
        map.insert(asset.clone(), sum);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    #[test]
    fn what_would_be_rounded_is_refused() {
        let huge = Amount::new(Decimal::MAX).unwrap();
        assert_eq!(add(huge, a("0.1")), None);
        assert_eq!(add(huge, huge), None);
        assert_eq!(add(a("1000000000000000000000"), a("0.0000000000001")), None);
        assert_eq!(add(a("0.10"), a("0.20")), Some(a("0.3")));
        let tiny = Price::parse("0.000000000000001").unwrap();
        assert_eq!(times(a("0.000000000000001"), tiny), None, "30 decimals");
        assert_eq!(times(huge, Price::parse("1.5").unwrap()), None);
        assert_eq!(times(a("-0.50"), Price::parse("3.0").unwrap()), Some(a("-1.5")));
        assert_eq!(times(Amount::ZERO, Price::parse("3.1").unwrap()), Some(Amount::ZERO));
    }

    #[test]
    fn shares_are_cut() {
        assert_eq!(share(a("100"), a("1"), a("3"), 4), Some(a("33.3333")));
        assert_eq!(share(a("100"), a("1"), a("0"), 4), None);
        assert_eq!(ratio(a("-1"), a("3"), 4), None);
    }
}
