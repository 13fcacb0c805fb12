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
