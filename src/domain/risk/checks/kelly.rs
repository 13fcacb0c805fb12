//! Fractional Kelly as a cap on what an order may be worth: fraction times full Kelly times the strategy's
//! equity. The stake comes from its own closed trades; too few of them, or no edge, is a size of zero.

use super::super::judge::{Bench, Case, Check, Rule};
use super::super::sizing::kelly_share;
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "kelly", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(limit) = bench.set(&case.limits.kelly, "kelly", "strategy") else { return };
    let budget = bench.set(&case.limits.budget, "budget", "strategy");
    let Some(budget) = budget else { return };
    if case.reduces() {
        return;
    }
    let equity = case.figures.pnl.strategy.and_then(|pnl| budget.checked_add(pnl));
    let Some(equity) = bench.known(equity, "equity", "strategy") else { return };
    let Some(value) = bench.known(case.value(), "order_value", "order") else { return };
    let share = kelly_share(&case.figures.trades, &limit);
    let allowed = equity.max(Decimal::ZERO).checked_mul(share);
    let Some(allowed) = bench.known(allowed, "kelly_value", "strategy") else { return };
    bench.at_most(&Rule::conflict("KELLY_SIZE", "kelly", "strategy"), value, allowed);
}
