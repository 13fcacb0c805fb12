//! The state of the process: what may go out in it.
//!
//! `running` lets everything through to the other checks. `paused` takes no new entries: only orders that say
//! `reduce_only` and really reduce. `reduce_only` takes whatever really reduces, said or not. The others take
//! nothing. An order that says `reduce_only` and does not reduce is refused in every state.

use super::super::judge::{Bench, Case, Check};
use super::super::proposal::StateGate;
use crate::domain::oms::RefusalKind::{Conflict, Unavailable};

pub(super) const CHECK: Check = Check { name: "state", soft: false, run };

fn run(case: &Case<'_>, bench: &mut Bench<'_>) {
    let asked = case.proposal;
    let state = case.figures.standing.state;
    let reduces = case.reduces();
    let detail = || format!("state={}, order_reduces={reduces}", state.word());
    let flagged = asked.reduce_only;
    match state {
        StateGate::Starting => bench.deny("NOT_STARTED", Unavailable, detail),
        StateGate::Halted => bench.deny("TRADING_HALTED", Unavailable, detail),
        StateGate::Draining => bench.deny("DRAINING", Unavailable, detail),
        _ if flagged && !reduces => {
            bench.deny("NOT_REDUCING", Conflict, || format!("quantity={}, reduce_only=true", asked.quantity));
        }
        StateGate::Running => bench.require(true, "", Conflict, detail),
        StateGate::Paused => bench.require(flagged && reduces, "TRADING_PAUSED", Conflict, detail),
        StateGate::ReduceOnly => bench.require(reduces, "REDUCE_ONLY", Conflict, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const THIS: &[&Check] = &[&CHECK];

    #[test]
    fn each_state_lets_through_what_it_may() {
        use StateGate::{Draining, Halted, Paused, ReduceOnly, Running, Starting};
        // State, flag, reduces: outcome.
        let table = [
            (Running, false, false, "ok"),
            (Running, true, true, "ok"),
            (Running, true, false, "NOT_REDUCING"),
            (Paused, false, false, "TRADING_PAUSED"),
            (Paused, false, true, "TRADING_PAUSED"),
            (Paused, true, true, "ok"),
            (Paused, true, false, "NOT_REDUCING"),
            (ReduceOnly, false, false, "REDUCE_ONLY"),
            (ReduceOnly, false, true, "ok"),
            (ReduceOnly, true, true, "ok"),
            (ReduceOnly, true, false, "NOT_REDUCING"),
            (Starting, true, true, "NOT_STARTED"),
            (Halted, true, true, "TRADING_HALTED"),
            (Draining, true, true, "DRAINING"),
        ];
        for (state, flag, reduces, wanted) in table {
            for (own, net) in [(reduces, false), (false, reduces), (reduces, reduces)] {
                let mut bench = Desk::new();
                bench.figures.standing.state = state;
                bench.proposal.reduce_only = flag;
                (bench.figures.reduces_own, bench.figures.reduces_net) = (own, net);
                assert_eq!(bench.code(THIS), wanted, "{state:?} {flag} {reduces}");
            }
        }
        let mut paused = Desk::new();
        paused.figures.standing.state = Paused;
        assert_eq!(paused.says(THIS), "TRADING_PAUSED: state=paused, order_reduces=false");
    }
}
