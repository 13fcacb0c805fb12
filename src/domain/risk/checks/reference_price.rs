//! No fresh price of the market, no order: nothing after this check could be judged.

use super::super::judge::{Bench, Case, Check};
use crate::domain::oms::RefusalKind::Unavailable;

pub(super) const CHECK: Check = Check { name: "reference_price", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let asked = case.proposal;
    let detail = || format!("venue={}, symbol={}", asked.venue, asked.symbol);
    bench.require(case.middle().is_some(), "NO_REFERENCE_PRICE", Unavailable, detail);
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn no_price_no_order() {
        assert_eq!(Desk::new().code(THIS), "ok");
        assert_eq!(Desk::new().market().code(THIS), "ok");
        for spoil in [
            |bench: &mut Desk| bench.figures.bid = None,
            |bench: &mut Desk| bench.figures.ask = None,
            |bench: &mut Desk| (bench.figures.bid, bench.figures.ask) = (Some(d("0")), Some(d("0"))),
            |bench: &mut Desk| bench.figures.ask = Some(rust_decimal::Decimal::MAX),
        ] {
            let mut bench = Desk::new().reducing();
            spoil(&mut bench);
            assert_eq!(bench.code(THIS), "NO_REFERENCE_PRICE");
        }
    }
}
