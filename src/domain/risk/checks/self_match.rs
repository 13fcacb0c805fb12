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
