//! Loss since the UTC day began, of the strategy and of the account: realised and unrealised, less fees.

use super::super::judge::{Bench, Case, Check, Rule};

pub(super) const CHECK: Check = Check { name: "daily_loss", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let scopes = [
        ("strategy", &case.limits.strategy_loss, case.figures.day_loss.strategy),
        ("account", &case.limits.account_loss, case.figures.day_loss.account),
    ];
    for (scope, limit, lost) in scopes {
        let Some(limit) = bench.set(limit, "daily_loss", scope) else { continue };
        if case.reduces() {
            continue;
        }
        let Some(lost) = bench.known(lost, "daily_loss", scope) else { continue };
        bench.at_most(&Rule::conflict("DAILY_LOSS", "daily_loss", scope), lost, limit.most);
    }
}
