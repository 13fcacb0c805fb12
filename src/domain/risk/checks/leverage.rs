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
