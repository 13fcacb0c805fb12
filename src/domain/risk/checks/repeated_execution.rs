//! Too many executions without a person: the strategy stays latched until a named person re-enables it.
//! Orders that reduce pass, because a latch must not trap a position.

use super::super::judge::{Bench, Case, Check};
use crate::domain::oms::RefusalKind::Conflict;

pub(super) const CHECK: Check = Check { name: "repeated_execution", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    if bench.set(&case.limits.repeats, "repeated_executions", "strategy").is_none() || case.reduces() {
        return;
    }
    let latched = case.figures.latched.as_deref();
    let detail =
        || format!("strategy={}, latched_by={}", case.proposal.strategy, latched.unwrap_or_default());
    bench.require(latched.is_none(), "REPEATED_EXECUTION", Conflict, detail);
}
