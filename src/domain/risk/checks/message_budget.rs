//! Submits, modifications and cancels per second and minute. When the budget is spent no new order goes out;
//! cancels always do, and are counted.

use super::super::figures::RateUse;
use super::super::judge::{Bench, Case, Check, Rule};
use super::super::settings::Rates;
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "message_budget", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    one(bench, "strategy", &case.limits.strategy_rates, &case.figures.rates.strategy);
    one(bench, "account", &case.limits.account_rates, &case.figures.rates.account);
}

fn one(bench: &mut Bench<'_>, scope: &'static str, limits: &Rates, used: &RateUse) {
    let windows = [
        ("messages_per_second", &limits.messages_per_second, used.messages_1s),
        ("messages_per_minute", &limits.messages_per_minute, used.messages_1m),
    ];
    for (name, limit, used) in windows {
        if let Some(most) = bench.set(limit, name, scope) {
            let rule = Rule::passing("MESSAGE_BUDGET_SPENT", name, scope);
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
                bench.limits.strategy_rates.messages_per_second = Limit::At(10);
                bench.figures.rates.strategy.messages_1s = used;
            },
            |bench, used| {
                bench.limits.strategy_rates.messages_per_minute = Limit::At(10);
                bench.figures.rates.strategy.messages_1m = used;
            },
            |bench, used| {
                bench.limits.account_rates.messages_per_second = Limit::At(10);
                bench.figures.rates.account.messages_1s = used;
            },
            |bench, used| {
                bench.limits.account_rates.messages_per_minute = Limit::At(10);
                bench.figures.rates.account.messages_1m = used;
            },
        ];
        for set in sets {
            bounds(
                THIS,
                "MESSAGE_BUDGET_SPENT",
                set,
                &[(0, true), (8, true), (9, true), (10, false), (u32::MAX, false)],
            );
        }
        let mut none = Desk::new();
        none.limits.account_rates.messages_per_second = Limit::At(0);
        assert_eq!(none.code(THIS), "MESSAGE_BUDGET_SPENT", "zero allows nothing");
    }

    #[test]
    fn unset_denies() {
        denies_unset(
            THIS,
            &[
                ("messages_per_second, scope=strategy", |limits| {
                    limits.strategy_rates.messages_per_second = Limit::NotSet
                }),
                ("messages_per_minute, scope=strategy", |limits| {
                    limits.strategy_rates.messages_per_minute = Limit::NotSet
                }),
                ("messages_per_second, scope=account", |limits| {
                    limits.account_rates.messages_per_second = Limit::NotSet
                }),
                ("messages_per_minute, scope=account", |limits| {
                    limits.account_rates.messages_per_minute = Limit::NotSet
                }),
            ],
        );
    }
}
