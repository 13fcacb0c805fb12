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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    use crate::domain::risk::{Limit, VolatilityLimit};

    /// A target of 2 % against 4 % measured: half of 1000.
    fn bench(asked: &str) -> Desk {
        let mut bench = Desk::new().of(asked);
        let limit = VolatilityLimit { target: d("0.02"), weight_max: d("0.8"), samples_min: 30 };
        bench.limits.volatility = Limit::At(limit);
        bench.limits.budget = at("1000");
        (bench.figures.sigma, bench.figures.sigma_samples) = (Some(d("0.04")), 30);
        bench
    }

    #[test]
    fn target_over_measured() {
        for (asked, wanted) in [("4.99", "ok"), ("5", "ok"), ("5.01", "VOLATILITY_SIZE")] {
            assert_eq!(bench(asked).code(THIS), wanted, "{asked}");
        }
        for (asked, wanted) in [("8", "ok"), ("8.01", "VOLATILITY_SIZE")] {
            let mut calm = bench(asked);
            calm.figures.sigma = Some(d("0.000001"));
            assert_eq!(calm.code(THIS), wanted, "the largest weight holds: {asked}");
        }
        assert_eq!(bench("50").reducing().code(THIS), "ok");
    }

    #[test]
    fn no_measurement_no_size() {
        let spoils: [fn(&mut Desk); 5] = [
            |bench| bench.figures.sigma_samples = 29,
            |bench| bench.figures.sigma = None,
            |bench| bench.figures.sigma = Some(d("0")),
            |bench| bench.figures.sigma = Some(d("-0.01")),
            |bench| bench.figures.pnl.strategy = Some(d("-5000")),
        ];
        for spoil in spoils {
            let mut one = bench("0.00000001");
            spoil(&mut one);
            assert_eq!(one.code(THIS), "VOLATILITY_SIZE");
        }
        for spoil in [
            |bench: &mut Desk| bench.figures.pnl.strategy = None,
            |bench: &mut Desk| bench.figures.quote_price = None,
        ] {
            let mut blind = bench("1");
            spoil(&mut blind);
            assert_eq!(blind.code(THIS), "NO_VALUATION");
        }
    }

    #[test]
    fn unset_denies() {
        denies_unset(THIS, &[("volatility", |limits| limits.volatility = Limit::NotSet)]);
        let mut bench = bench("1");
        bench.limits.budget = Limit::NotSet;
        assert_eq!(bench.code(THIS), "LIMIT_NOT_SET");
    }
}
