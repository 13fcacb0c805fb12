//! Nothing is sent on stale truth: while positions or orders are not known, no limit can be kept.

use super::super::judge::{Bench, Case, Check};
use crate::domain::oms::RefusalKind::Unavailable;

pub(super) const CHECK: Check = Check { name: "truth", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let stale = case.figures.standing.stale_truth.as_deref();
    let detail = || format!("why={}", stale.unwrap_or_default());
    bench.require(stale.is_none(), "STALE_TRUTH", Unavailable, detail);
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn stale_truth_stops_everything() {
        let mut bench = Desk::new().reducing();
        assert_eq!(bench.code(THIS), "ok");
        bench.figures.standing.stale_truth = Some("two heartbeats missed".to_owned());
        assert_eq!(bench.says(THIS), "STALE_TRUTH: why=two heartbeats missed");
    }
}
