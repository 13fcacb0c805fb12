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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn both_sides_of_the_middle() {
        let table = [
            ("97.99", "PRICE_OUTSIDE_COLLAR"),
            ("98", "ok"),
            ("98.01", "ok"),
            ("101.99", "ok"),
            ("102", "ok"),
            ("102.01", "PRICE_OUTSIDE_COLLAR"),
            ("0.00000001", "PRICE_OUTSIDE_COLLAR"),
            ("79228162514264337593543950335", "PRICE_OUTSIDE_COLLAR"),
        ];
        for (asked, wanted) in table {
            for bench in [Desk::new(), Desk::new().sell()] {
                let mut bench = bench.at(asked);
                bench.limits.order.price_collar = at("0.02");
                assert_eq!(bench.code(THIS), wanted, "{asked}");
            }
        }
    }

    #[test]
    fn a_market_order_is_measured_at_the_far_touch() {
        for (bid, ask, wanted) in [("98", "102", "ok"), ("97.9", "102.1", "PRICE_OUTSIDE_COLLAR")] {
            for bench in [Desk::new().market(), Desk::new().market().sell()] {
                let mut bench = bench;
                (bench.figures.bid, bench.figures.ask) = (Some(d(bid)), Some(d(ask)));
                bench.limits.order.price_collar = at("0.02");
                assert_eq!(bench.code(THIS), wanted, "{bid} {ask}");
            }
        }
        let mut blind = Desk::new().market();
        blind.figures.ask = None;
        assert_eq!(blind.code(THIS), "NO_VALUATION");
    }

    #[test]
    fn unset_denies() {
        denies_unset(THIS, &[("price_collar", |limits| limits.order.price_collar = Default::default())]);
    }
}
