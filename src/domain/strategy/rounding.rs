//! Prices and quantities made legal for an instrument, always towards the careful side.

use crate::domain::instrument::Instrument;
use crate::domain::money::{Price, Quantity};

/// The highest legal price that is not above `price`.
pub(super) fn down(instrument: &Instrument, price: Price) -> Option<Price> {
    instrument.floor_price(price).map(Price::normalized)
}

/// The lowest legal price that is not below `price`.
pub(super) fn up(instrument: &Instrument, price: Price) -> Option<Price> {
    let rules = &instrument.price;
    let value = price.get().max(rules.min);
    let floored = rules.floor(value)?;
    let raised = if floored < value { floored.checked_add(rules.step)? } else { floored };
    rules.check(raised).ok()?;
    Price::new(raised).ok().map(Price::normalized)
}

/// One tick above.
pub(super) fn above(instrument: &Instrument, price: Price) -> Option<Price> {
    up(instrument, Price::new(price.get().checked_add(instrument.price.step)?).ok()?)
}

/// One tick below.
pub(super) fn below(instrument: &Instrument, price: Price) -> Option<Price> {
    down(instrument, Price::new(price.get().checked_sub(instrument.price.step)?).ok()?)
}

/// The largest legal quantity that is not above `quantity` and worth enough at `price`; `None` when none is.
pub(super) fn size(instrument: &Instrument, quantity: Quantity, price: Price) -> Option<Quantity> {
    let size = instrument.floor_quantity(quantity).filter(|size| !size.is_zero())?;
    let worth = price.notional(size)?;
    let too_small = instrument.min_notional.is_some_and(|(least, _)| worth < least);
    let too_large = instrument.max_notional.is_some_and(|(most, _)| worth > most);
    (!too_small && !too_large).then_some(size.normalized())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::strategy::synthetic::btc;

    fn price(text: &str) -> Price {
        Price::parse(text).unwrap()
    }

    #[test]
    fn prices_keep_the_tick() {
        let rules = btc();
        assert_eq!(down(&rules, price("100.019")), Some(price("100.01")));
        assert_eq!(up(&rules, price("100.011")), Some(price("100.02")));
        assert_eq!(up(&rules, price("100.01")), Some(price("100.01")));
        assert_eq!(above(&rules, price("100.01")), Some(price("100.02")));
        assert_eq!(below(&rules, price("100.01")), Some(price("100.00")));
        assert_eq!(up(&rules, price("99999999")), None);
        assert_eq!(below(&rules, price("0.01")), None);
    }

    #[test]
    fn sizes_are_worth_something() {
        let rules = btc();
        let quantity = |text: &str| Quantity::parse(text).unwrap();
        assert_eq!(size(&rules, quantity("0.001009"), price("60000")), Some(quantity("0.00100")));
        assert_eq!(size(&rules, quantity("0.00001"), price("60000")), None);
        assert_eq!(size(&rules, quantity("0.000001"), price("60000")), None);
    }
}
