//! The paper exchange over real sockets: what its wire does, with and without faults.
//!
//! Every test starts its own exchange on a free loopback port and talks to it with raw clients.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs,
    reason = "tests"
)]

mod bad_input;
mod command;
mod faults_orders;
mod faults_sessions;
mod limits;
mod market;
mod orders;
mod restart;
mod support;
