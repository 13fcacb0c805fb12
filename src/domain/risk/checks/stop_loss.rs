//! A stop-loss on every order that opens: present, on the side where a loss is, not too far away, and with a
//! loss at the stop that fits. Asked for at venues without stop orders too: it is the plan that is checked.

use super::super::judge::{Bench, Case, Check, Rule};
use crate::domain::oms::RefusalKind::Invalid;
use crate::domain::order_types::Side;
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "stop_loss", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(limit) = bench.set(&case.limits.stop_loss, "stop_loss", "strategy") else { return };
    if case.reduces() {
        return;
    }
    let Some(stop) = case.proposal.stop_loss.map(|price| price.get()) else {
        let detail = || format!("strategy={}", case.proposal.strategy);
        return bench.deny("STOP_LOSS_MISSING", Invalid, detail);
    };
    let Some(entry) = bench.known(case.entry().filter(|entry| *entry > Decimal::ZERO), "entry", "order")
    else {
        return;
    };
    let gap = match case.proposal.side {
        Side::Buy => entry.checked_sub(stop),
        Side::Sell => stop.checked_sub(entry),
    };
    let Some(gap) = bench.known(gap, "stop_distance", "order") else { return };
    if gap <= Decimal::ZERO {
        let detail = || format!("entry={}, stop_loss={}", entry.normalize(), stop.normalize());
        return bench.deny("STOP_LOSS_WRONG_SIDE", Invalid, detail);
    }
    let Some(away) = bench.known(gap.checked_div(entry), "stop_distance", "order") else { return };
    let rule = Rule::invalid("STOP_LOSS_TOO_FAR", "stop_loss_distance", "strategy");
    bench.at_most(&rule, away, limit.distance);
    let loss = case.quantity().checked_mul(gap).zip(case.figures.quote_price);
    let loss = loss.and_then(|(loss, price)| loss.checked_mul(price));
    let Some(loss) = bench.known(loss, "loss_at_stop", "order") else { return };
    bench.at_most(&Rule::conflict("STOP_LOSS_RISK", "stop_loss_loss", "strategy"), loss, limit.loss);
}
