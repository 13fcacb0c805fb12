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
