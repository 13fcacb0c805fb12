//! An order that cannot be written down is not sent.

use super::super::judge::{Bench, Case, Check};
use crate::domain::oms::RefusalKind::Unavailable;

pub(super) const CHECK: Check = Check { name: "journal", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let writable = case.figures.standing.journal_writable;
    let detail = || format!("strategy={}", case.proposal.strategy);
    bench.require(writable, "JOURNAL_UNWRITABLE", Unavailable, detail);
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn what_cannot_be_written_is_not_sent() {
        let mut bench = Desk::new().reducing();
        assert_eq!(bench.code(THIS), "ok");
        bench.figures.standing.journal_writable = false;
        assert_eq!(bench.says(THIS), "JOURNAL_UNWRITABLE: strategy=one");
    }
}
