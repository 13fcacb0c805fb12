//! The same order again (strategy, instrument, side, quantity, price) within a window is a mistake.

use super::super::judge::{Bench, Case, Check, Rule};
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "duplicate", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let window = bench.set(&case.limits.order.duplicate_window_ms, "duplicate_window_ms", "order");
    let (Some(window), Some(age)) = (window, case.figures.duplicate_age_ms) else { return };
    let rule = Rule::conflict("DUPLICATE_ORDER", "duplicate_window_ms", "order");
    bench.at_least(&rule, Decimal::from(age), Decimal::from(window));
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn the_same_again_too_soon() {
        let set = |bench: &mut Desk, age: Option<u64>| {
            bench.limits.order.duplicate_window_ms = crate::domain::risk::Limit::At(500);
            bench.figures.duplicate_age_ms = age;
        };
        let cases =
            [(Some(499), false), (Some(500), true), (Some(501), true), (Some(0), false), (None, true)];
        bounds(THIS, "DUPLICATE_ORDER", set, &cases);
    }

    #[test]
    fn unset_denies() {
        let clear =
            |limits: &mut crate::domain::risk::Limits| limits.order.duplicate_window_ms = Default::default();
        denies_unset(THIS, &[("duplicate_window_ms", clear)]);
    }
}
