//! Instruments that may not be traded at all, not even to get out: somebody decides that by hand.

use super::super::judge::{Bench, Case, Check};
use crate::domain::oms::RefusalKind::Conflict;

pub(super) const CHECK: Check = Check { name: "restricted", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let asked = case.proposal;
    let detail = || format!("venue={}, symbol={}", asked.venue, asked.symbol);
    bench.require(!case.limits.restricted, "RESTRICTED_SYMBOL", Conflict, detail);
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn a_restricted_instrument_is_not_traded() {
        let mut bench = Desk::new().reducing();
        assert_eq!(bench.code(THIS), "ok");
        bench.limits.restricted = true;
        assert_eq!(bench.says(THIS), "RESTRICTED_SYMBOL: venue=paper, symbol=BTCUSDT");
    }
}
