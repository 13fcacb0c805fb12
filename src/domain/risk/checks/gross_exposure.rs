//! Gross exposure at worst case: of the strategy, at the venue and in all.
//!
//! Per instrument the larger of "all buys execute" and "all sells execute", at the middle of the book.

use super::super::judge::{Bench, Case, Check, Rule};

pub(super) const CHECK: Check = Check { name: "gross_exposure", soft: true, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let (limits, used) = (&case.limits.gross, &case.figures.gross);
    let scopes = [
        ("strategy", &limits.strategy, used.strategy),
        ("venue", &limits.venue, used.venue),
        ("account", &limits.account, used.account),
    ];
    for (scope, limit, used) in scopes {
        let Some(most) = bench.set(limit, "gross_exposure", scope) else { continue };
        // What no scope's exposure can rise by needs no value.
        if used.is_none() && case.reduces_everywhere() {
            continue;
        }
        let Some(step) = bench.known(used, "gross_exposure", scope) else { continue };
        bench.not_worse(&Rule::conflict("GROSS_EXPOSURE", "gross_exposure", scope), step, most);
    }
}
