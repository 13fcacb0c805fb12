//! Nothing is sent on stale truth: while positions or orders are not known, no limit can be kept.

use super::super::judge::{Bench, Case, Check};
use crate::domain::oms::RefusalKind::Unavailable;

pub(super) const CHECK: Check = Check { name: "truth", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let stale = case.figures.standing.stale_truth.as_deref();
    let detail = || format!("why={}", stale.unwrap_or_default());
    bench.require(stale.is_none(), "STALE_TRUTH", Unavailable, detail);
}
