//! A stop-loss on every order that opens: present, on the side where a loss is, not too far away, and with a
//! loss at the stop that fits. Asked for at venues without stop orders too: it is the plan that is checked.

use super::super::judge::{Bench, Case, Check, Rule};
use crate::domain::oms::RefusalKind::Invalid;
use crate::domain::order_types::Side;
use rust_decimal::Decimal;

pub(super) const CHECK: Check = Check { name: "stop_loss", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(limit) = bench.set(&case.limits.stop_loss, "stop_loss", "strategy") else { return };
    if case.reduces() {
        return;
    }
    let Some(stop) = case.proposal.stop_loss.map(|price| price.get()) else {
        let detail = || format!("strategy={}", case.proposal.strategy);
        return bench.deny("STOP_LOSS_MISSING", Invalid, detail);
    };
    let Some(entry) = bench.known(case.entry().filter(|entry| *entry > Decimal::ZERO), "entry", "order")
    else {
        return;
    };
    let gap = match case.proposal.side {
        Side::Buy => entry.checked_sub(stop),
        Side::Sell => stop.checked_sub(entry),
    };
    let Some(gap) = bench.known(gap, "stop_distance", "order") else { return };
    if gap <= Decimal::ZERO {
        let detail = || format!("entry={}, stop_loss={}", entry.normalize(), stop.normalize());
        return bench.deny("STOP_LOSS_WRONG_SIDE", Invalid, detail);
    }
    let Some(away) = bench.known(gap.checked_div(entry), "stop_distance", "order") else { return };
    let rule = Rule::invalid("STOP_LOSS_TOO_FAR", "stop_loss_distance", "strategy");
    bench.at_most(&rule, away, limit.distance);
    let loss = case.quantity().checked_mul(gap).zip(case.figures.quote_price);
    let loss = loss.and_then(|(loss, price)| loss.checked_mul(price));
    let Some(loss) = bench.known(loss, "loss_at_stop", "order") else { return };
    bench.at_most(&Rule::conflict("STOP_LOSS_RISK", "stop_loss_loss", "strategy"), loss, limit.loss);
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    use crate::domain::risk::{Limit, StopLimit};

    fn bench(from: Desk, stop: &str) -> Desk {
        let mut bench = from;
        bench.limits.stop_loss = Limit::At(StopLimit { distance: d("0.02"), loss: d("3") });
        bench.proposal.stop_loss = price(stop);
        bench
    }

    #[test]
    fn present_on_the_right_side_and_near() {
        let table = [
            (bench(Desk::new(), "98"), "ok"),
            (bench(Desk::new(), "97.99"), "STOP_LOSS_TOO_FAR"),
            (bench(Desk::new(), "98.01"), "ok"),
            (bench(Desk::new(), "99.99"), "ok"),
            (bench(Desk::new(), "100"), "STOP_LOSS_WRONG_SIDE"),
            (bench(Desk::new(), "100.01"), "STOP_LOSS_WRONG_SIDE"),
            (bench(Desk::new(), "0"), "STOP_LOSS_TOO_FAR"),
            (bench(Desk::new().sell(), "102"), "ok"),
            (bench(Desk::new().sell(), "102.01"), "STOP_LOSS_TOO_FAR"),
            (bench(Desk::new().sell(), "100.01"), "ok"),
            (bench(Desk::new().sell(), "100"), "STOP_LOSS_WRONG_SIDE"),
            (bench(Desk::new().sell(), "0"), "STOP_LOSS_WRONG_SIDE"),
            (bench(Desk::new().sell(), "79228162514264337593543950335"), "STOP_LOSS_TOO_FAR"),
            (bench(Desk::new().market(), "99"), "ok"),
            (bench(Desk::new().market(), "98.9"), "STOP_LOSS_TOO_FAR"),
            (bench(Desk::new().at("0"), "0"), "NO_VALUATION"),
        ];
        for (index, (bench, wanted)) in table.into_iter().enumerate() {
            assert_eq!(bench.code(THIS), wanted, "case {index}");
        }
        let mut missing = bench(Desk::new(), "99");
        missing.proposal.stop_loss = None;
        assert_eq!(missing.says(THIS), "STOP_LOSS_MISSING: strategy=one");
        assert_eq!(missing.reducing().code(THIS), "ok");
    }

    #[test]
    fn the_loss_at_the_stop_fits() {
        for (asked, wanted) in [("1.5", "ok"), ("1.49", "ok"), ("1.51", "STOP_LOSS_RISK")] {
            assert_eq!(bench(Desk::new().of(asked), "98").code(THIS), wanted);
        }
        let absurd = bench(Desk::new().of("79228162514264337593543950335"), "98");
        assert_eq!(absurd.code(THIS), "NO_VALUATION");
        let mut double = bench(Desk::new(), "98");
        double.figures.quote_price = Some(d("2"));
        assert_eq!(double.code(THIS), "STOP_LOSS_RISK", "in the risk currency");
        double.figures.quote_price = None;
        assert_eq!(double.code(THIS), "NO_VALUATION");
    }

    #[test]
    fn unset_denies_and_a_word_does_without() {
        denies_unset(THIS, &[("stop_loss", |limits| limits.stop_loss = Limit::NotSet)]);
        assert_eq!(Desk::new().code(THIS), "ok", "not required for a rehearsal");
    }
}
