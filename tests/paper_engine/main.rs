//! The paper exchange's matching core, seen through its public interface only.
//!
//! `scenarios` show the venue's rules one by one; `oracle` is a separate, naive book; `differential`
//! compares both on random commands; `invariants` checks what must hold after any command.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "tests"
)]

mod desk;
mod differential;
mod flow;
mod invariants;
mod oracle;
mod queries;
mod recorded;
mod scenarios;
mod stops_and_lists;
