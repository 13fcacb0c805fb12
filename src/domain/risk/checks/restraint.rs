//! A strategy whose series drifts enters smaller, or not at all, until a person lifts it. The order management has cut the
//! order before it comes here: what was not cut is denied.

use super::super::judge::{Bench, Case, Check, Rule};
use crate::domain::oms::RefusalKind::Conflict;
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "restraint", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(cut) = case.figures.restraint.as_ref().filter(|_| !case.reduces()) else { return };
    let detail = || format!("strategy={}, stream={}", case.proposal.strategy, cut.stream);
    bench.require(cut.factor > Decimal::ZERO, "DRIFT_PAUSED", Conflict, detail);
    // What the books hold was let in at its size.
    if cut.factor > Decimal::ZERO && case.proposal.number.is_none() {
        let asked = case.proposal.asked.map_or(case.quantity(), |asked| asked.get());
        let most = asked.checked_mul(cut.factor);
        let Some(most) = bench.known(most, "asked", "order") else { return };
        bench.at_most(&Rule::conflict("DRIFT_SIZE", "restraint", "strategy"), case.quantity(), most);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge::walk;
    use super::super::testing::*;
    use super::*;
    use crate::domain::risk::Restrained;

    const THIS: &[&Check] = &[&CHECK];

    fn bench(factor: &str, quantity_now: &str) -> Desk {
        let mut bench = Desk::new().of(quantity_now);
        bench.figures.restraint = Some(Restrained { factor: d(factor), stream: "slippage:one".to_owned() });
        bench
    }

    #[test]
    fn what_was_cut_passes_and_what_was_not_does_not() {
        assert_eq!(Desk::new().code(THIS), "ok");
        assert_eq!(bench("0.5", "1").code(THIS), "DRIFT_SIZE");
        for (now, wanted) in [("0.4", "ok"), ("0.5", "ok"), ("0.51", "DRIFT_SIZE")] {
            let mut cut = bench("0.5", now);
            cut.proposal.asked = Some(quantity("1"));
            assert_eq!(cut.code(THIS), wanted, "{now}");
        }
        assert_eq!(bench("0.5", "1").reducing().code(THIS), "ok");
    }

    #[test]
    fn a_share_of_nothing_lets_out_only() {
        let mut paused = bench("0", "0.001");
        assert_eq!(paused.says(THIS), "DRIFT_PAUSED: strategy=one, stream=slippage:one");
        let lines = walk(THIS, &paused.case(), true).lines;
        assert_eq!(
            lines.iter().map(|line| line.code).collect::<Vec<_>>(),
            ["DRIFT_PAUSED"],
            "of no size at all"
        );
        paused.proposal.asked = Some(quantity("5"));
        assert_eq!(paused.code(THIS), "DRIFT_PAUSED");
        assert_eq!(paused.reducing().code(THIS), "ok");
    }

    #[test]
    fn what_the_books_hold_is_not_judged_by_its_size_again() {
        let mut held = bench("0.5", "1");
        held.proposal.number = Some(crate::domain::order::OrderNumber(7));
        assert_eq!(held.code(THIS), "ok");
        let mut held = bench("0", "1");
        held.proposal.number = Some(crate::domain::order::OrderNumber(7));
        assert_eq!(held.code(THIS), "DRIFT_PAUSED", "a pause holds for it too");
    }
}
