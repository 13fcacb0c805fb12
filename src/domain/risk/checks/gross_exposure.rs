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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    type Set = fn(&mut Desk, Option<(&'static str, &'static str)>);

    #[test]
    fn every_scope() {
        let sets: [Set; 3] = [
            |bench, used| {
                bench.limits.gross.strategy = at("200");
                bench.figures.gross.strategy = used.and_then(|(a, b)| step(a, b));
            },
            |bench, used| {
                bench.limits.gross.venue = at("200");
                bench.figures.gross.venue = used.and_then(|(a, b)| step(a, b));
            },
            |bench, used| {
                bench.limits.gross.account = at("200");
                bench.figures.gross.account = used.and_then(|(a, b)| step(a, b));
            },
        ];
        let cases = [
            (Some(("0", "199.99")), true),
            (Some(("0", "200")), true),
            (Some(("0", "200.01")), false),
            (Some(("300", "300")), true),
            (Some(("300", "299")), true),
            (Some(("300", "300.01")), false),
            (Some(("0", "0")), true),
            (Some(("0", "79228162514264337593543950335")), false),
        ];
        for set in sets {
            bounds(THIS, "GROSS_EXPOSURE", set, &cases);
            bounds(THIS, "NO_VALUATION", set, &[(None, false)]);
            let mut unknown = Desk::new().reducing();
            set(&mut unknown, None);
            assert_eq!(unknown.code(THIS), "ok", "what reduces everywhere needs no value");
            unknown.figures.reduces_net = false;
            assert_eq!(unknown.code(THIS), "NO_VALUATION");
        }
    }

    #[test]
    fn unset_denies() {
        denies_unset(
            THIS,
            &[
                ("gross_exposure, scope=strategy", |limits| limits.gross.strategy = Default::default()),
                ("gross_exposure, scope=venue", |limits| limits.gross.venue = Default::default()),
                ("gross_exposure, scope=account", |limits| limits.gross.account = Default::default()),
            ],
        );
    }
}
