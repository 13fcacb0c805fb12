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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn a_latch_lets_out_only() {
        let mut bench = Desk::new();
        assert_eq!(bench.code(THIS), "ok");
        bench.figures.latched = Some("paper/BTCUSDT buy".to_owned());
        assert_eq!(bench.says(THIS), "REPEATED_EXECUTION: strategy=one, latched_by=paper/BTCUSDT buy");
        assert_eq!(bench.reducing().code(THIS), "ok");
    }

    #[test]
    fn unset_denies() {
        denies_unset(THIS, &[("repeated_executions", |limits| limits.repeats = Default::default())]);
    }
}
