//! How far a limit price may reach through the far touch. A market order has no price to mistype.

use super::super::judge::{Bench, Case, Check, Rule};
use crate::domain::order_types::Side;
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "fat_finger", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(most) = bench.set(&case.limits.order.fat_finger, "fat_finger", "order") else { return };
    let Some(price) = case.proposal.price else { return };
    let through = case.far_touch().and_then(|touch| {
        let gap = match case.proposal.side {
            Side::Buy => price.get().checked_sub(touch),
            Side::Sell => touch.checked_sub(price.get()),
        };
        gap.and_then(|gap| gap.max(Decimal::ZERO).checked_div(touch))
    });
    let Some(through) = bench.known(through, "distance_through_touch", "order") else { return };
    bench.at_most(&Rule::invalid("PRICE_THROUGH_TOUCH", "fat_finger", "order"), through, most);
}
