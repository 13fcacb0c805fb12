//! Open orders of the strategy, in the instrument, at the venue and in all. Pending and unknown ones are open.

use super::super::judge::{Bench, Case, Check, Rule};
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "open_orders", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let (limits, used) = (&case.limits.open_orders, &case.figures.open_orders);
    let scopes = [
        ("strategy", &limits.strategy, used.strategy),
        ("symbol", &limits.symbol, used.symbol),
        ("venue", &limits.venue, used.venue),
        ("account", &limits.account, used.account),
    ];
    for (scope, limit, used) in scopes {
        if let Some(most) = bench.set(limit, "open_orders", scope) {
            let rule = Rule::conflict("OPEN_ORDER_LIMIT", "open_orders", scope);
            bench.at_most(&rule, Decimal::from(used.saturating_add(1)), Decimal::from(most));
        }
    }
}
