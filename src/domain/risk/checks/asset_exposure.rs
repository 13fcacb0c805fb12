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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn at_the_limit() {
        let set = |bench: &mut Desk, used: Option<&'static str>| {
            bench.limits.asset = at("200");
            bench.figures.asset = used.map(d);
        };
        let cases =
            [(Some("200"), true), (Some("199.99"), true), (Some("200.01"), false), (Some("-1"), true)];
        bounds(THIS, "ASSET_EXPOSURE", set, &cases);
        bounds(THIS, "NO_VALUATION", set, &[(None, false)]);
        let mut out = Desk::new().reducing();
        set(&mut out, None);
        assert_eq!(out.code(THIS), "ok");
    }

    #[test]
    fn unset_denies() {
        denies_unset(THIS, &[("asset_exposure", |limits| limits.asset = Default::default())]);
    }
}
