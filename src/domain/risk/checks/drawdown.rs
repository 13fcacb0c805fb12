//! Drawdown from the trailing peak, of the strategy and of the account.
//!
//! Up to the soft level nothing follows, from the hard level on no order passes; between them the most that an
//! order may be worth shrinks in a straight line. The figure is a confirmed one: the least of three readings.

use super::super::judge::{Bench, Case, Check, Rule};
use super::super::sizing::throttle;
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "drawdown", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let scopes = [
        ("strategy", &case.limits.strategy_drawdown, case.figures.drawdown.strategy),
        ("account", &case.limits.account_drawdown, case.figures.drawdown.account),
    ];
    for (scope, limit, fallen) in scopes {
        let Some(limit) = bench.set(limit, "drawdown", scope) else { continue };
        if case.reduces() {
            continue;
        }
        let Some(fallen) = bench.known(fallen, "drawdown", scope) else { continue };
        let share = throttle(fallen, limit.soft, limit.hard);
        if share >= Decimal::ONE {
            bench.at_most(&Rule::conflict("DRAWDOWN", "drawdown_soft", scope), fallen, limit.soft);
            continue;
        }
        if share.is_zero() {
            // At the hard level already: a size of zero is no order.
            bench.deny("DRAWDOWN", crate::domain::oms::RefusalKind::Conflict, || {
                format!(
                    "used={}, limit={}, name=drawdown_hard, scope={scope}",
                    fallen.normalize(),
                    limit.hard
                )
            });
            continue;
        }
        let Some(most) = bench.set(&case.limits.order.max_value, "max_value", "order") else { continue };
        let allowed = most.checked_mul(share);
        let (Some(allowed), Some(value)) = (
            bench.known(allowed, "throttled_value", scope),
            bench.known(case.value(), "order_value", "order"),
        ) else {
            continue;
        };
        bench.at_most(&Rule::conflict("DRAWDOWN_THROTTLE", "drawdown_throttle", scope), value, allowed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    use crate::domain::risk::{Consequence, DrawdownLimit, Limit};

    fn limit() -> Limit<DrawdownLimit> {
        Limit::At(DrawdownLimit { soft: d("0.05"), hard: d("0.15"), then: Consequence::Kill })
    }

    #[test]
    fn sizes_shrink_between_the_levels() {
        let sets: [fn(&mut Desk, Option<&'static str>); 2] = [
            |bench, fallen| {
                bench.limits.strategy_drawdown = limit();
                bench.figures.drawdown.strategy = fallen.map(d);
            },
            |bench, fallen| {
                bench.limits.account_drawdown = limit();
                bench.figures.drawdown.account = fallen.map(d);
            },
        ];
        // Fallen, quantity at 100 each, most value 400: outcome.
        let table = [
            (Some("0"), "4", "ok"),
            (Some("0.05"), "4", "ok"),
            (Some("0.06"), "3.6", "ok"),
            (Some("0.06"), "3.61", "DRAWDOWN_THROTTLE"),
            (Some("0.1"), "2", "ok"),
            (Some("0.1"), "2.01", "DRAWDOWN_THROTTLE"),
            (Some("0.1499"), "0.004", "ok"),
            (Some("0.1499"), "0.0041", "DRAWDOWN_THROTTLE"),
            (Some("0.15"), "0.0001", "DRAWDOWN"),
            (Some("0.16"), "0.0001", "DRAWDOWN"),
            (Some("79228162514264337593543950335"), "0.0001", "DRAWDOWN"),
            (Some("-1"), "4", "ok"),
            (None, "1", "NO_VALUATION"),
        ];
        for set in sets {
            for (fallen, asked, wanted) in table {
                let mut bench = Desk::new().of(asked);
                bench.limits.order.max_value = at("400");
                set(&mut bench, fallen);
                assert_eq!(bench.code(THIS), wanted, "{fallen:?} {asked}");
                assert_eq!(bench.reducing().code(THIS), "ok");
            }
        }
    }

    #[test]
    fn what_cannot_be_measured_is_denied() {
        let mut bench = Desk::new();
        bench.limits.account_drawdown = limit();
        bench.figures.drawdown.account = Some(d("0.1"));
        bench.figures.quote_price = None;
        assert_eq!(bench.code(THIS), "NO_VALUATION");
        bench.limits.order.max_value = Limit::NotSet;
        assert_eq!(bench.code(THIS), "LIMIT_NOT_SET");
    }

    #[test]
    fn unset_denies() {
        denies_unset(
            THIS,
            &[
                ("drawdown, scope=strategy", |limits| limits.strategy_drawdown = Limit::NotSet),
                ("drawdown, scope=account", |limits| limits.account_drawdown = Limit::NotSet),
            ],
        );
    }
}
