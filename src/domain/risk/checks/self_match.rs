//! An order that would meet a working order of our own, of any strategy, in the same book.
//!
//! A market order is taken to reach the far touch; a limit order reaches its price.

use super::super::judge::{Bench, Case, Check};
use crate::domain::oms::RefusalKind::Conflict;
use crate::domain::order_types::Side;

pub(super) const CHECK: Check = Check { name: "self_match", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    if bench.set(&case.limits.self_match, "self_match", "account").is_none() {
        return;
    }
    let Some(own) = case.figures.own_opposite else { return };
    let Some(reach) = bench.known(case.entry(), "price", "order") else { return };
    let meets = match case.proposal.side {
        Side::Buy => reach >= own,
        Side::Sell => reach <= own,
    };
    let detail = || format!("reach={}, own_order={}", reach.normalize(), own.normalize());
    bench.require(!meets, "SELF_MATCH", Conflict, detail);
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn own_orders_are_not_met() {
        let table = [
            (Desk::new(), "100", "SELF_MATCH"),
            (Desk::new(), "99.99", "SELF_MATCH"),
            (Desk::new(), "100.01", "ok"),
            (Desk::new(), "0", "SELF_MATCH"),
            (Desk::new().sell(), "100", "SELF_MATCH"),
            (Desk::new().sell(), "100.01", "SELF_MATCH"),
            (Desk::new().sell(), "99.99", "ok"),
            (Desk::new().sell(), "79228162514264337593543950335", "SELF_MATCH"),
            (Desk::new().market(), "101", "SELF_MATCH"),
            (Desk::new().market(), "101.01", "ok"),
            (Desk::new().market().sell(), "99", "SELF_MATCH"),
            (Desk::new().market().sell(), "98.99", "ok"),
        ];
        for (index, (mut bench, own, wanted)) in table.into_iter().enumerate() {
            bench.limits.self_match = crate::domain::risk::Limit::At(());
            assert_eq!(bench.code(THIS), "ok", "case {index}: without own orders");
            bench.figures.own_opposite = Some(d(own));
            assert_eq!(bench.code(THIS), wanted, "case {index}");
            bench.limits.self_match = crate::domain::risk::Limit::NotRequired;
            assert_eq!(bench.code(THIS), "ok", "case {index}: done without");
        }
    }

    #[test]
    fn unset_denies() {
        denies_unset(THIS, &[("self_match", |limits| limits.self_match = Default::default())]);
    }
}
