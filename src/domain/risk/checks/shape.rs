//! An order that makes sense at all: a quantity above zero, a price exactly where its kind has one.

use super::super::judge::{Bench, Case, Check};
use crate::domain::oms::RefusalKind::Invalid;
use crate::domain::order::OrderKind;

pub(super) const CHECK: Check = Check { name: "shape", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let asked = case.proposal;
    let quantity = || format!("quantity={}", asked.quantity);
    bench.require(!asked.quantity.is_zero(), "QUANTITY_NOT_POSITIVE", Invalid, quantity);
    let wants_price = asked.kind != OrderKind::Market;
    match asked.price {
        None if wants_price => bench.deny("PRICE_MISSING", Invalid, || "type=limit".to_owned()),
        Some(price) if !wants_price => {
            bench.deny("PRICE_NOT_ALLOWED", Invalid, || format!("type=market, price={price}"));
        }
        Some(price) if price.is_zero() => {
            bench.deny("PRICE_NOT_POSITIVE", Invalid, || format!("price={price}"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(Desk::new().code(THIS), "ok");
        assert_eq!(Desk::new().market().code(THIS), "ok");
        assert_eq!(Desk::new().of("0").code(THIS), "QUANTITY_NOT_POSITIVE");
        assert_eq!(Desk::new().of("0.000000000001").code(THIS), "ok");
        assert_eq!(Desk::new().at("0").code(THIS), "PRICE_NOT_POSITIVE");
        assert_eq!(Desk::new().market().at("1").code(THIS), "PRICE_NOT_ALLOWED");
        assert_eq!(Desk::new().market().at("0").code(THIS), "PRICE_NOT_ALLOWED");
        for kind in [OrderKind::Limit, OrderKind::LimitMaker] {
            let mut bench = Desk::new();
            (bench.proposal.kind, bench.proposal.price) = (kind, None);
            assert_eq!(bench.code(THIS), "PRICE_MISSING");
        }
    }
}
