//! The durable journal: what is acknowledged stays, what is damaged is found and named, nothing is repaired.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions,
    clippy::unreachable,
    reason = "tests"
)]

mod child;
mod support;

mod appending;
mod archives;
mod cell;
mod commands;
mod containment;
mod crashes;
mod damage;
mod migrating;
mod properties;
mod retention;
mod trouble;
