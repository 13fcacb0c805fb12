//! The order management core against what went wrong in other systems, and against shuffled histories.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "tests; the venue's truth is shared with the simulator, which uses more of it"
)]

mod desk;
#[path = "../sim/exchange.rs"]
mod exchange;
mod histories;
mod incidents;
mod incidents_more;
mod regressions;
