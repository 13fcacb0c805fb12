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
