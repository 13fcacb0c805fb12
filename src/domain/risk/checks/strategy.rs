//! May the strategy trade?

use super::super::judge::{Bench, Case, Check};
use crate::domain::oms::RefusalKind::Conflict;

pub(super) const CHECK: Check = Check { name: "strategy", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let enabled = case.figures.standing.strategy_enabled;
    bench.require(enabled, "STRATEGY_DISABLED", Conflict, || format!("strategy={}", case.proposal.strategy));
}
