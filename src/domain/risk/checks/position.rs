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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn both_scopes() {
        let sets: [fn(&mut Desk, Option<&'static str>); 2] = [
            |bench, used| {
                bench.limits.position = at("3");
                bench.figures.position = used.map(d);
            },
            |bench, used| {
                bench.limits.symbol_position = at("3");
                bench.figures.symbol_position = used.map(d);
            },
        ];
        let cases = [
            (Some("2.99999999"), true),
            (Some("3"), true),
            (Some("3.00000001"), false),
            (Some("0"), true),
            (Some("-50"), true),
            (Some("79228162514264337593543950335"), false),
        ];
        for set in sets {
            bounds(THIS, "POSITION_LIMIT", set, &cases);
            bounds(THIS, "NO_VALUATION", set, &[(None, false)]);
        }
    }

    #[test]
    fn unset_denies() {
        denies_unset(
            THIS,
            &[
                ("max_position, scope=strategy", |limits| limits.position = Default::default()),
                ("max_position, scope=symbol", |limits| limits.symbol_position = Default::default()),
            ],
        );
    }
}
