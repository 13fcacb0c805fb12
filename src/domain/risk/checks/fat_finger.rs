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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn through_the_touch() {
        // 101 and 99 are the touches; a hundredth of them may be reached through.
        let table = [
            (Desk::new().at("102.01"), "ok"),
            (Desk::new().at("102.02"), "PRICE_THROUGH_TOUCH"),
            (Desk::new().at("102"), "ok"),
            (Desk::new().at("50"), "ok"),
            (Desk::new().sell().at("98.01"), "ok"),
            (Desk::new().sell().at("98"), "PRICE_THROUGH_TOUCH"),
            (Desk::new().sell().at("98.02"), "ok"),
            (Desk::new().sell().at("500"), "ok"),
            (Desk::new().market(), "ok"),
            (Desk::new().at("79228162514264337593543950335"), "PRICE_THROUGH_TOUCH"),
        ];
        for (index, (mut bench, wanted)) in table.into_iter().enumerate() {
            bench.limits.order.fat_finger = at("0.01");
            assert_eq!(bench.code(THIS), wanted, "case {index}");
        }
        let mut blind = Desk::new();
        blind.figures.ask = None;
        assert_eq!(blind.code(THIS), "NO_VALUATION");
    }

    #[test]
    fn unset_denies() {
        denies_unset(THIS, &[("fat_finger", |limits| limits.order.fat_finger = Default::default())]);
    }
}
