//! Performance figures through the program's own doors: the command on files, the API and the page on a running
//! instance that trades against the paper exchange.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod command;
mod desk;
mod store;
mod truth;
