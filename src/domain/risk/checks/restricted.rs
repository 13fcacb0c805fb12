//! Instruments that may not be traded at all, not even to get out: somebody decides that by hand.

use super::super::judge::{Bench, Case, Check};
use crate::domain::oms::RefusalKind::Conflict;

pub(super) const CHECK: Check = Check { name: "restricted", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let asked = case.proposal;
    let detail = || format!("venue={}, symbol={}", asked.venue, asked.symbol);
    bench.require(!case.limits.restricted, "RESTRICTED_SYMBOL", Conflict, detail);
}
