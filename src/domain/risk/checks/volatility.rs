//! Volatility target as a cap on what an order may be worth: target over measured volatility, at most the
//! largest weight, times the strategy's equity. Without a measurement the size is zero.

use super::super::judge::{Bench, Case, Check, Rule};
use super::super::sizing::volatility_weight;
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "volatility", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(limit) = bench.set(&case.limits.volatility, "volatility", "strategy") else { return };
    let Some(budget) = bench.set(&case.limits.budget, "budget", "strategy") else { return };
    if case.reduces() {
        return;
    }
    let equity = case.figures.pnl.strategy.and_then(|pnl| budget.checked_add(pnl));
    let Some(equity) = bench.known(equity, "equity", "strategy") else { return };
    let Some(value) = bench.known(case.value(), "order_value", "order") else { return };
    let weight = volatility_weight(case.figures.sigma, case.figures.sigma_samples, &limit);
    let allowed = equity.max(Decimal::ZERO).checked_mul(weight);
    let Some(allowed) = bench.known(allowed, "volatility_value", "strategy") else { return };
    bench.at_most(&Rule::conflict("VOLATILITY_SIZE", "volatility", "strategy"), value, allowed);
}
