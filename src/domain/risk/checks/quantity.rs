//! Least and most quantity of an order. An order that reduces may be smaller than the least: what is left of
//! a position must be possible to close.

use super::super::judge::{Bench, Case, Check, Rule};

pub(super) const CHECK: Check = Check { name: "quantity", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let asked = case.quantity();
    if let Some(least) = bench.set(&case.limits.min_quantity, "min_quantity", "symbol")
        && !case.reduces()
    {
        bench.at_least(&Rule::invalid("QUANTITY_BELOW_MINIMUM", "min_quantity", "symbol"), asked, least);
    }
    if let Some(most) = bench.set(&case.limits.max_quantity, "max_quantity", "symbol") {
        bench.at_most(&Rule::invalid("QUANTITY_ABOVE_MAXIMUM", "max_quantity", "symbol"), asked, most);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    fn limited() -> Desk {
        let mut bench = Desk::new();
        (bench.limits.min_quantity, bench.limits.max_quantity) = (at("0.5"), at("2"));
        bench
    }

    #[test]
    fn least_and_most() {
        let table = [
            ("0.49999999", "QUANTITY_BELOW_MINIMUM"),
            ("0.5", "ok"),
            ("0.50000001", "ok"),
            ("1.99999999", "ok"),
            ("2.0", "ok"),
            ("2.00000001", "QUANTITY_ABOVE_MAXIMUM"),
            ("79228162514264337593543950335", "QUANTITY_ABOVE_MAXIMUM"),
            ("0", "QUANTITY_BELOW_MINIMUM"),
        ];
        for (asked, wanted) in table {
            assert_eq!(limited().of(asked).code(THIS), wanted, "{asked}");
        }
        assert_eq!(limited().of("0.1").reducing().code(THIS), "ok", "a rest can be closed");
        assert_eq!(limited().of("3").reducing().code(THIS), "QUANTITY_ABOVE_MAXIMUM");
        let said = limited().of("3").says(THIS);
        assert_eq!(said, "QUANTITY_ABOVE_MAXIMUM: used=3, limit=2, name=max_quantity, scope=symbol");
        let mut none = limited();
        none.limits.max_quantity = at("0");
        assert_eq!(none.code(THIS), "QUANTITY_ABOVE_MAXIMUM", "a limit of zero allows nothing");
    }

    #[test]
    fn unset_denies() {
        denies_unset(
            THIS,
            &[
                ("min_quantity", |limits| limits.min_quantity = Default::default()),
                ("max_quantity", |limits| limits.max_quantity = Default::default()),
            ],
        );
    }
}
