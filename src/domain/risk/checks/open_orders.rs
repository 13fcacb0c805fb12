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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    use crate::domain::risk::Limit;

    #[test]
    fn every_scope() {
        let sets: [fn(&mut Desk, u32); 4] = [
            |bench, used| {
                bench.limits.open_orders.strategy = Limit::At(3);
                bench.figures.open_orders.strategy = used;
            },
            |bench, used| {
                bench.limits.open_orders.symbol = Limit::At(3);
                bench.figures.open_orders.symbol = used;
            },
            |bench, used| {
                bench.limits.open_orders.venue = Limit::At(3);
                bench.figures.open_orders.venue = used;
            },
            |bench, used| {
                bench.limits.open_orders.account = Limit::At(3);
                bench.figures.open_orders.account = used;
            },
        ];
        for set in sets {
            bounds(
                THIS,
                "OPEN_ORDER_LIMIT",
                set,
                &[(0, true), (1, true), (2, true), (3, false), (u32::MAX - 1, false)],
            );
        }
    }

    #[test]
    fn unset_denies() {
        denies_unset(
            THIS,
            &[
                ("open_orders, scope=strategy", |limits| limits.open_orders.strategy = Limit::NotSet),
                ("open_orders, scope=symbol", |limits| limits.open_orders.symbol = Limit::NotSet),
                ("open_orders, scope=venue", |limits| limits.open_orders.venue = Limit::NotSet),
                ("open_orders, scope=account", |limits| limits.open_orders.account = Limit::NotSet),
            ],
        );
    }
}
