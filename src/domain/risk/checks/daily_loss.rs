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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    use crate::domain::risk::{Consequence, Limit, LossLimit};

    #[test]
    fn both_scopes() {
        const LOSS: Limit<LossLimit> =
            Limit::At(LossLimit { most: rust_decimal::Decimal::ONE_HUNDRED, then: Consequence::Kill });
        let sets: [fn(&mut Desk, Option<&'static str>); 2] = [
            |bench, lost| {
                bench.limits.strategy_loss = LOSS;
                bench.figures.day_loss.strategy = lost.map(d);
            },
            |bench, lost| {
                bench.limits.account_loss = LOSS;
                bench.figures.day_loss.account = lost.map(d);
            },
        ];
        let cases = [
            (Some("99.99"), true),
            (Some("100"), true),
            (Some("100.01"), false),
            (Some("0"), true),
            (Some("-7000"), true),
            (Some("79228162514264337593543950335"), false),
        ];
        for set in sets {
            bounds(THIS, "DAILY_LOSS", set, &cases);
            bounds(THIS, "NO_VALUATION", set, &[(None, false)]);
            for lost in [Some("5000"), None] {
                let mut out = Desk::new();
                set(&mut out, lost);
                out.figures.reduces_own = true;
                assert_eq!(out.code(THIS), "ok", "what reduces passes");
            }
        }
    }

    #[test]
    fn unset_denies() {
        denies_unset(
            THIS,
            &[
                ("daily_loss, scope=strategy", |limits| limits.strategy_loss = Limit::NotSet),
                ("daily_loss, scope=account", |limits| limits.account_loss = Limit::NotSet),
            ],
        );
    }
}
