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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    use crate::domain::risk::{KellyLimit, Limit, TradeRecord};

    /// 60 of 100 won, as much as was lost: full Kelly is a fifth, half of it a tenth of 1000.
    fn bench(asked: &str) -> Desk {
        let mut bench = Desk::new().of(asked);
        bench.limits.kelly = Limit::At(KellyLimit { fraction: d("0.5"), trades_min: 100 });
        bench.limits.budget = at("1000");
        bench.figures.trades = TradeRecord { trades: 100, wins: 60, mean_win: d("2"), mean_loss: d("2") };
        bench
    }

    #[test]
    fn a_tenth_of_equity() {
        for (asked, wanted) in [("0.99", "ok"), ("1", "ok"), ("1.01", "KELLY_SIZE")] {
            assert_eq!(bench(asked).code(THIS), wanted, "{asked}");
        }
        let mut lost = bench("0.5");
        lost.figures.pnl.strategy = Some(d("-500"));
        assert_eq!(lost.code(THIS), "ok");
        lost.figures.pnl.strategy = Some(d("-501"));
        assert_eq!(lost.code(THIS), "KELLY_SIZE");
        assert_eq!(bench("50").reducing().code(THIS), "ok");
    }

    #[test]
    fn no_proof_no_size() {
        let spoils: [fn(&mut Desk); 7] = [
            |bench| bench.figures.trades.trades = 99,
            |bench| bench.figures.trades.wins = 50,
            |bench| bench.figures.trades.wins = 0,
            |bench| bench.figures.trades.wins = 101,
            |bench| bench.figures.trades.mean_loss = d("0"),
            |bench| bench.figures.trades.mean_win = d("0"),
            |bench| bench.figures.pnl.strategy = Some(d("-5000")),
        ];
        for spoil in spoils {
            let mut one = bench("0.00000001");
            spoil(&mut one);
            assert_eq!(one.code(THIS), "KELLY_SIZE");
        }
        let mut blind = bench("1");
        blind.figures.pnl.strategy = None;
        assert_eq!(blind.code(THIS), "NO_VALUATION");
        let mut blind = bench("1");
        blind.figures.quote_price = None;
        assert_eq!(blind.code(THIS), "NO_VALUATION");
    }

    #[test]
    fn unset_denies() {
        denies_unset(THIS, &[("kelly", |limits| limits.kelly = Limit::NotSet)]);
        let mut bench = bench("1");
        bench.limits.budget = Limit::NotSet;
        assert_eq!(bench.code(THIS), "LIMIT_NOT_SET");
    }
}
