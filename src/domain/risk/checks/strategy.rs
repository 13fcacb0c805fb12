//! May the strategy trade?

use super::super::judge::{Bench, Case, Check};
use crate::domain::oms::RefusalKind::Conflict;

pub(super) const CHECK: Check = Check { name: "strategy", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let enabled = case.figures.standing.strategy_enabled;
    bench.require(enabled, "STRATEGY_DISABLED", Conflict, || format!("strategy={}", case.proposal.strategy));
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn a_disabled_strategy_sends_nothing() {
        let mut bench = Desk::new().reducing();
        assert_eq!(bench.code(THIS), "ok");
        bench.figures.standing.strategy_enabled = false;
        assert_eq!(bench.says(THIS), "STRATEGY_DISABLED: strategy=one");
    }
}
