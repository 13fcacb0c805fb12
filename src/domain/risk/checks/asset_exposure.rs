//! Exposure in the base asset over all venues and instruments, at worst case in the direction of the order.

use super::super::judge::{Bench, Case, Check, Rule};

pub(super) const CHECK: Check = Check { name: "asset_exposure", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(most) = bench.set(&case.limits.asset, "asset_exposure", "account") else { return };
    if case.reduces_everywhere() {
        return;
    }
    let Some(used) = bench.known(case.figures.asset, "asset_exposure", "account") else { return };
    bench.at_most(&Rule::conflict("ASSET_EXPOSURE", "asset_exposure", "account"), used, most);
}
