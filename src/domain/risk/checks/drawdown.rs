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
