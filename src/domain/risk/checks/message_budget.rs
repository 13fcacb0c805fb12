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
