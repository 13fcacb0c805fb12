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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    fn bench(pnl: Option<&str>, before: &str, after: &str) -> Desk {
        let mut bench = Desk::new();
        bench.limits.budget = at("200");
        bench.figures.pnl.strategy = pnl.map(d);
        bench.figures.gross.strategy = step(before, after);
        bench
    }

    #[test]
    fn losses_come_off_and_profits_do_not_come_on() {
        let table = [
            (bench(Some("0"), "0", "200"), "ok"),
            (bench(Some("0"), "0", "200.01"), "EQUITY_BUDGET"),
            (bench(Some("0"), "0", "199.99"), "ok"),
            (bench(Some("-50"), "0", "150"), "ok"),
            (bench(Some("-50"), "0", "150.01"), "EQUITY_BUDGET"),
            (bench(Some("5000"), "0", "200"), "ok"),
            (bench(Some("5000"), "0", "200.01"), "EQUITY_BUDGET"),
            (bench(Some("-5000"), "10", "10"), "ok"),
            (bench(Some("-5000"), "10", "10.01"), "EQUITY_BUDGET"),
            (bench(None, "0", "1"), "NO_VALUATION"),
            (bench(None, "0", "1").reducing(), "ok"),
            (bench(Some("-79228162514264337593543950335"), "0", "1"), "NO_VALUATION"),
        ];
        for (index, (bench, wanted)) in table.into_iter().enumerate() {
            assert_eq!(bench.code(THIS), wanted, "case {index}");
        }
        let mut blind = bench(Some("0"), "0", "1");
        blind.figures.gross.strategy = None;
        assert_eq!(blind.code(THIS), "NO_VALUATION");
    }

    #[test]
    fn unset_denies() {
        denies_unset(THIS, &[("budget", |limits| limits.budget = Default::default())]);
    }
}
