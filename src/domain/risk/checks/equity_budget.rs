//! The equity lent to a strategy: its gross exposure at worst case and its losses so far must fit into it.
//! Profits do not make the budget larger.

use super::super::figures::Step;
use super::super::judge::{Bench, Case, Check, Rule};
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "equity_budget", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(budget) = bench.set(&case.limits.budget, "budget", "strategy") else { return };
    if case.reduces_everywhere() {
        return;
    }
    let lost = case.figures.pnl.strategy.map(|pnl| pnl.min(Decimal::ZERO).abs());
    let Some(lost) = bench.known(lost, "profit_and_loss", "strategy") else { return };
    let Some(gross) = bench.known(case.figures.gross.strategy, "gross_exposure", "strategy") else { return };
    let step = gross
        .before
        .checked_add(lost)
        .zip(gross.after.checked_add(lost))
        .map(|(before, after)| Step { before, after });
    let Some(step) = bench.known(step, "budget_use", "strategy") else { return };
    bench.not_worse(&Rule::conflict("EQUITY_BUDGET", "budget", "strategy"), step, budget);
}
