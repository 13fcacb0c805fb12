//! Least and most quantity of an order. An order that reduces may be smaller than the least: what is left of
//! a position must be possible to close.

use super::super::judge::{Bench, Case, Check, Rule};

pub(super) const CHECK: Check = Check { name: "quantity", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let asked = case.quantity();
    if let Some(least) = bench.set(&case.limits.min_quantity, "min_quantity", "symbol")
        && !case.reduces()
    {
        bench.at_least(&Rule::invalid("QUANTITY_BELOW_MINIMUM", "min_quantity", "symbol"), asked, least);
    }
    if let Some(most) = bench.set(&case.limits.max_quantity, "max_quantity", "symbol") {
        bench.at_most(&Rule::invalid("QUANTITY_ABOVE_MAXIMUM", "max_quantity", "symbol"), asked, most);
    }
}
