//! New orders per second and minute, of the strategy and of all.

use super::super::figures::RateUse;
use super::super::judge::{Bench, Case, Check, Rule};
use super::super::settings::Rates;
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "order_rate", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    one(bench, "strategy", &case.limits.strategy_rates, &case.figures.rates.strategy);
    one(bench, "account", &case.limits.account_rates, &case.figures.rates.account);
}

fn one(bench: &mut Bench<'_>, scope: &'static str, limits: &Rates, used: &RateUse) {
    let windows = [
        ("orders_per_second", &limits.orders_per_second, used.orders_1s),
        ("orders_per_minute", &limits.orders_per_minute, used.orders_1m),
    ];
    for (name, limit, used) in windows {
        if let Some(most) = bench.set(limit, name, scope) {
            let rule = Rule::passing("ORDER_RATE_EXCEEDED", name, scope);
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
    fn every_window_of_every_scope() {
        type Set = fn(&mut Desk, u32);
        let sets: [Set; 4] = [
            |bench, used| {
                bench.limits.strategy_rates.orders_per_second = Limit::At(10);
                bench.figures.rates.strategy.orders_1s = used;
            },
            |bench, used| {
                bench.limits.strategy_rates.orders_per_minute = Limit::At(10);
                bench.figures.rates.strategy.orders_1m = used;
            },
            |bench, used| {
                bench.limits.account_rates.orders_per_second = Limit::At(10);
                bench.figures.rates.account.orders_1s = used;
            },
            |bench, used| {
                bench.limits.account_rates.orders_per_minute = Limit::At(10);
                bench.figures.rates.account.orders_1m = used;
            },
        ];
        for set in sets {
            bounds(
                THIS,
                "ORDER_RATE_EXCEEDED",
                set,
                &[(0, true), (8, true), (9, true), (10, false), (u32::MAX, false)],
            );
        }
        let mut none = Desk::new();
        none.limits.account_rates.orders_per_second = Limit::At(0);
        assert_eq!(none.code(THIS), "ORDER_RATE_EXCEEDED", "zero allows nothing");
    }

    #[test]
    fn unset_denies() {
        denies_unset(
            THIS,
            &[
                ("orders_per_second, scope=strategy", |limits| {
                    limits.strategy_rates.orders_per_second = Limit::NotSet
                }),
                ("orders_per_minute, scope=strategy", |limits| {
                    limits.strategy_rates.orders_per_minute = Limit::NotSet
                }),
                ("orders_per_second, scope=account", |limits| {
                    limits.account_rates.orders_per_second = Limit::NotSet
                }),
                ("orders_per_minute, scope=account", |limits| {
                    limits.account_rates.orders_per_minute = Limit::NotSet
                }),
            ],
        );
    }
}
