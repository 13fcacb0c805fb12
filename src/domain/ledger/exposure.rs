//! The worst that a position can become when everything that is working, or unknown, executes.
//!
//! Prices nothing by itself: who asks brings the mark.

use super::exact;
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::order_types::Side;
use serde::Serialize;

/// What may still execute of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Working {
    /// Direction.
    pub side: Side,
    /// Base quantity left.
    pub remaining: Quantity,
    /// Limit price; `None` for market orders, which are valued at the mark.
    pub price: Option<Price>,
}

/// See the module's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// Signed base quantity if all buys execute and no sell does.
    pub long_worst: Amount,
    /// Signed base quantity if all sells execute and no buy does.
    pub short_worst: Amount,
    /// Quote value of the position at the mark and of every order at its price, all counted as positive;
    /// `None` when the position or a market order has no mark.
    pub gross: Option<Amount>,
}

/// Folds a position's signed quantity and what may still execute. `None` on overflow.
#[must_use]
pub fn exposure(
    quantity: Amount,
    mark: Option<Price>,
    working: impl IntoIterator<Item = Working>,
) -> Option<Exposure> {
    let (mut long_worst, mut short_worst) = (quantity, quantity);
    let mut gross = Some(Amount::ZERO);
    let held = exact::magnitude(quantity)?;
    if !held.is_zero() {
        gross = value(gross, held, mark)?;
    }
    for order in working {
        let signed = exact::signed(order.side, order.remaining)?;
        match order.side {
            Side::Buy => long_worst = exact::add(long_worst, signed)?,
            Side::Sell => short_worst = exact::add(short_worst, signed)?,
        }
        gross = value(gross, exact::magnitude(signed)?, order.price.or(mark))?;
    }
    Some(Exposure { long_worst, short_worst, gross })
}

/// Outer `None`: overflow. Inner `None`: no price.
fn value(sum: Option<Amount>, quantity: Amount, price: Option<Price>) -> Option<Option<Amount>> {
    let (Some(sum), Some(price)) = (sum, price) else { return Some(None) };
    exact::add(sum, exact::times(quantity, price)?).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn working(side: Side, remaining: &str, price: Option<&str>) -> Working {
        Working {
            side,
            remaining: Quantity::parse(remaining).unwrap(),
            price: price.map(|text| Price::parse(text).unwrap()),
        }
    }

    #[test]
    fn both_sides_are_counted_apart() {
        let orders = [working(Side::Buy, "2", Some("90")), working(Side::Sell, "5", Some("110"))];
        let mark = Price::parse("100").unwrap();
        let found = exposure(Amount::parse("1").unwrap(), Some(mark), orders).unwrap();
        assert_eq!(found.long_worst, Amount::parse("3").unwrap());
        assert_eq!(found.short_worst, Amount::parse("-4").unwrap());
        assert_eq!(found.gross, Some(Amount::parse("830").unwrap()));
    }

    #[test]
    fn without_a_mark_the_value_is_not_made_up() {
        let market = [working(Side::Buy, "2", None)];
        assert_eq!(exposure(Amount::ZERO, None, market).unwrap().gross, None);
        let limit = [working(Side::Buy, "2", Some("3"))];
        assert_eq!(exposure(Amount::ZERO, None, limit).unwrap().gross, Some(Amount::parse("6").unwrap()));
        assert_eq!(exposure(Amount::parse("1").unwrap(), None, []).unwrap().gross, None);
    }
}
