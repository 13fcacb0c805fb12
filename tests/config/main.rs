//! The configuration as an operator meets it: files on disk through the `config` commands.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests"
)]

mod commands;
mod hostile;
mod layering;
mod secrets;
mod support;
