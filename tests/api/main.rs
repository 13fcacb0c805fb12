//! The process from outside: HTTP routes, exit codes, signals and the command line, against real sockets
//! and the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod abuse;
mod access;
mod alerts;
mod commands;
mod controls;
mod drift;
mod events;
mod http;
mod kill_switch;
mod orders;
mod pages;
mod process;
mod risk;
mod runbooks;
mod slippage;
mod states;
mod support;
mod texting;
mod watch;
