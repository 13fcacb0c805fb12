//! Least and most value of an order, at its own price or where it would execute. Orders that reduce may be
//! worth less than the least, and more than the most only by an override: size is what fat fingers mistake.

use super::super::judge::{Bench, Case, Check, Rule};

pub(super) const CHECK: Check = Check { name: "value", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let least = bench.set(&case.limits.order.min_value, "min_value", "order");
    let most = bench.set(&case.limits.order.max_value, "max_value", "order");
    if least.is_none() && most.is_none() {
        return;
    }
    let Some(value) = bench.known(case.value(), "order_value", "order") else { return };
    if let Some(least) = least
        && !case.reduces()
    {
        bench.at_least(&Rule::invalid("VALUE_BELOW_MINIMUM", "min_value", "order"), value, least);
    }
    if let Some(most) = most {
        bench.at_most(&Rule::invalid("VALUE_ABOVE_MAXIMUM", "max_value", "order"), value, most);
    }
}
