//! Least and most value of an order, at its own price or where it would execute. Orders that reduce may be
//! worth less than the least, and more than the most only by an override: size is what fat fingers mistake.

use super::super::judge::{Bench, Case, Check, Rule};

pub(super) const CHECK: Check = Check { name: "value", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let least = bench.set(&case.limits.order.min_value, "min_value", "order");
    let most = bench.set(&case.limits.order.max_value, "max_value", "order");
    if least.is_none() && most.is_none() {
        return;
    }
    let Some(value) = bench.known(case.value(), "order_value", "order") else { return };
    if let Some(least) = least
        && !case.reduces()
    {
        bench.at_least(&Rule::invalid("VALUE_BELOW_MINIMUM", "min_value", "order"), value, least);
    }
    if let Some(most) = most {
        bench.at_most(&Rule::invalid("VALUE_ABOVE_MAXIMUM", "max_value", "order"), value, most);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::domain::risk::Limit;

    const THIS: &[&Check] = &[&CHECK];

    fn limited(bench: Desk) -> Desk {
        let mut bench = bench;
        (bench.limits.order.min_value, bench.limits.order.max_value) = (at("10"), at("200"));
        bench
    }

    #[test]
    fn least_and_most() {
        let table = [
            ("0.0999", "VALUE_BELOW_MINIMUM"),
            ("0.1", "ok"),
            ("0.1001", "ok"),
            ("1.9999", "ok"),
            ("2", "ok"),
            ("2.0001", "VALUE_ABOVE_MAXIMUM"),
            ("79228162514264337593543950335", "NO_VALUATION"),
        ];
        for (asked, wanted) in table {
            assert_eq!(limited(Desk::new().of(asked)).code(THIS), wanted, "{asked}");
        }
        assert_eq!(limited(Desk::new().of("0.01").reducing()).code(THIS), "ok");
        assert_eq!(limited(Desk::new().of("3").reducing()).code(THIS), "VALUE_ABOVE_MAXIMUM");
    }

    #[test]
    fn an_order_is_worth_what_it_can_cost() {
        // A market buy costs the ask, a market sell brings the bid, a deep sell executes at the bid.
        let table = [
            (Desk::new().market().of("1.98"), "ok"),
            (Desk::new().market().of("1.981"), "VALUE_ABOVE_MAXIMUM"),
            (Desk::new().market().sell().of("2.02"), "ok"),
            (Desk::new().market().sell().of("2.021"), "VALUE_ABOVE_MAXIMUM"),
            (Desk::new().sell().at("50").of("2.02"), "ok"),
            (Desk::new().sell().at("50").of("2.021"), "VALUE_ABOVE_MAXIMUM"),
            (Desk::new().sell().at("200").of("1"), "ok"),
            (Desk::new().sell().at("200").of("1.001"), "VALUE_ABOVE_MAXIMUM"),
            (Desk::new().at("50").of("4"), "ok"),
        ];
        for (index, (bench, wanted)) in table.into_iter().enumerate() {
            assert_eq!(limited(bench).code(THIS), wanted, "case {index}");
        }
    }

    #[test]
    fn no_value_no_order() {
        let mut bench = limited(Desk::new());
        bench.figures.quote_price = None;
        assert_eq!(bench.says(THIS), "NO_VALUATION: figure=order_value, scope=order");
        let mut double = limited(Desk::new().of("1.1"));
        double.figures.quote_price = Some(d("2"));
        assert_eq!(double.code(THIS), "VALUE_ABOVE_MAXIMUM", "measured in the currency");
    }

    #[test]
    fn each_of_the_two_holds_where_the_other_is_done_without() {
        let mut most = limited(Desk::new().of("3"));
        most.limits.order.min_value = Limit::NotRequired;
        assert_eq!(most.code(THIS), "VALUE_ABOVE_MAXIMUM");
        let mut least = limited(Desk::new().of("0.01"));
        least.limits.order.max_value = Limit::NotRequired;
        assert_eq!(least.code(THIS), "VALUE_BELOW_MINIMUM");
    }

    #[test]
    fn unset_denies() {
        denies_unset(
            THIS,
            &[
                ("min_value", |limits| limits.order.min_value = Default::default()),
                ("max_value", |limits| limits.order.max_value = Default::default()),
            ],
        );
    }
}
