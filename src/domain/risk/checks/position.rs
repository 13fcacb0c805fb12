//! The position that results if everything on the order's side executes: of the strategy, and of all.
//!
//! Only the order's own direction is judged, so an order that reduces passes a limit that is broken already.

use super::super::judge::{Bench, Case, Check, Rule};

pub(super) const CHECK: Check = Check { name: "position", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let scopes = [
        ("strategy", &case.limits.position, case.figures.position),
        ("symbol", &case.limits.symbol_position, case.figures.symbol_position),
    ];
    for (scope, limit, used) in scopes {
        let Some(most) = bench.set(limit, "max_position", scope) else { continue };
        let Some(used) = bench.known(used, "position", scope) else { continue };
        bench.at_most(&Rule::conflict("POSITION_LIMIT", "max_position", scope), used, most);
    }
}
