//! No fresh price of the market, no order: nothing after this check could be judged.

use super::super::judge::{Bench, Case, Check};
use crate::domain::oms::RefusalKind::Unavailable;

pub(super) const CHECK: Check = Check { name: "reference_price", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let asked = case.proposal;
    let detail = || format!("venue={}, symbol={}", asked.venue, asked.symbol);
    bench.require(case.middle().is_some(), "NO_REFERENCE_PRICE", Unavailable, detail);
}
