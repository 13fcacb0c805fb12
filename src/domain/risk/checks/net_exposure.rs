//! Net exposure at worst case in the direction of the order: of the strategy, at the venue and in all.

use super::super::judge::{Bench, Case, Check, Rule};

pub(super) const CHECK: Check = Check { name: "net_exposure", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let (limits, used) = (&case.limits.net, &case.figures.net);
    let scopes = [
        ("strategy", &limits.strategy, used.strategy),
        ("venue", &limits.venue, used.venue),
        ("account", &limits.account, used.account),
    ];
    for (scope, limit, used) in scopes {
        let Some(most) = bench.set(limit, "net_exposure", scope) else { continue };
        if case.reduces_everywhere() {
            continue;
        }
        let Some(used) = bench.known(used, "net_exposure", scope) else { continue };
        bench.at_most(&Rule::conflict("NET_EXPOSURE", "net_exposure", scope), used, most);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn every_scope() {
        let sets: [fn(&mut Desk, Option<&'static str>); 3] = [
            |bench, used| {
                bench.limits.net.strategy = at("200");
                bench.figures.net.strategy = used.map(d);
            },
            |bench, used| {
                bench.limits.net.venue = at("200");
                bench.figures.net.venue = used.map(d);
            },
            |bench, used| {
                bench.limits.net.account = at("200");
                bench.figures.net.account = used.map(d);
            },
        ];
        let cases = [
            (Some("199.99"), true),
            (Some("200"), true),
            (Some("200.01"), false),
            (Some("0"), true),
            (Some("-5000"), true),
            (Some("79228162514264337593543950335"), false),
        ];
        for set in sets {
            bounds(THIS, "NET_EXPOSURE", set, &cases);
            bounds(THIS, "NO_VALUATION", set, &[(None, false)]);
            let mut out = Desk::new().reducing();
            set(&mut out, Some("300"));
            assert_eq!(out.code(THIS), "ok");
            out.figures.reduces_own = false;
            assert_eq!(out.code(THIS), "NET_EXPOSURE");
        }
    }

    #[test]
    fn unset_denies() {
        denies_unset(
            THIS,
            &[
                ("net_exposure, scope=strategy", |limits| limits.net.strategy = Default::default()),
                ("net_exposure, scope=venue", |limits| limits.net.venue = Default::default()),
                ("net_exposure, scope=account", |limits| limits.net.account = Default::default()),
            ],
        );
    }
}
