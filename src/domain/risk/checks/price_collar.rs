//! How far a price may lie from the middle of the book, to either side. A market order is measured at the far
//! touch, so that a book with a hole in it takes none.

use super::super::judge::{Bench, Case, Check, Rule};

pub(super) const CHECK: Check = Check { name: "price_collar", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(collar) = bench.set(&case.limits.order.price_collar, "price_collar", "order") else { return };
    let away = case.middle().zip(case.entry()).and_then(|(middle, entry)| {
        entry.checked_sub(middle).map(|gap| gap.abs()).and_then(|gap| gap.checked_div(middle))
    });
    let Some(away) = bench.known(away, "distance_from_middle", "order") else { return };
    bench.at_most(&Rule::invalid("PRICE_OUTSIDE_COLLAR", "price_collar", "order"), away, collar);
}
