//! Gross exposure of the account as a multiple of its equity (capital plus profit and loss).

use super::super::judge::{Bench, Case, Check, Rule};
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "leverage", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let most = bench.set(&case.limits.leverage, "leverage", "account");
    let capital = bench.set(&case.limits.capital, "capital", "account");
    let (Some(most), Some(capital)) = (most, capital) else { return };
    if case.reduces_everywhere() {
        return;
    }
    let equity = case.figures.pnl.account.and_then(|pnl| capital.checked_add(pnl));
    let Some(equity) = bench.known(equity, "equity", "account") else { return };
    let Some(step) = bench.known(case.figures.gross.account, "gross_exposure", "account") else { return };
    // Compared as exposure, so that no equity at all is a limit of zero and not a division.
    let allowed = equity.max(Decimal::ZERO).checked_mul(most);
    let Some(allowed) = bench.known(allowed, "allowed_exposure", "account") else { return };
    bench.not_worse(&Rule::conflict("LEVERAGE", "leverage", "account"), step, allowed);
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    fn bench(pnl: Option<&str>, before: &str, after: &str) -> Desk {
        let mut bench = Desk::new();
        (bench.limits.leverage, bench.limits.capital) = (at("2"), at("100"));
        bench.figures.pnl.account = pnl.map(d);
        bench.figures.gross.account = step(before, after);
        bench
    }

    #[test]
    fn exposure_over_equity() {
        let table = [
            (bench(Some("0"), "0", "199.99"), "ok"),
            (bench(Some("0"), "0", "200"), "ok"),
            (bench(Some("0"), "0", "200.01"), "LEVERAGE"),
            (bench(Some("-50"), "0", "100"), "ok"),
            (bench(Some("-50"), "0", "100.01"), "LEVERAGE"),
            (bench(Some("50"), "0", "300"), "ok"),
            (bench(Some("50"), "0", "300.01"), "LEVERAGE"),
            (bench(Some("-100"), "0", "0.01"), "LEVERAGE"),
            (bench(Some("-500"), "0", "0.01"), "LEVERAGE"),
            (bench(Some("-500"), "7", "7"), "ok"),
            (bench(None, "0", "1"), "NO_VALUATION"),
            (bench(None, "0", "1").reducing(), "ok"),
            (bench(Some("79228162514264337593543950335"), "0", "1"), "NO_VALUATION"),
            (bench(Some("70000000000000000000000000000"), "0", "1"), "NO_VALUATION"),
        ];
        for (index, (bench, wanted)) in table.into_iter().enumerate() {
            assert_eq!(bench.code(THIS), wanted, "case {index}");
        }
        let mut blind = bench(Some("0"), "0", "1");
        blind.figures.gross.account = None;
        assert_eq!(blind.code(THIS), "NO_VALUATION");
    }

    #[test]
    fn unset_denies() {
        denies_unset(
            THIS,
            &[
                ("leverage", |limits| limits.leverage = Default::default()),
                ("capital", |limits| limits.capital = Default::default()),
            ],
        );
    }
}
