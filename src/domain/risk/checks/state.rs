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
