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
