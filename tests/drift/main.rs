//! The drift sentry: detectors against reference outputs and run-length tables, monitors against planted changes,
//! the command, and the whole runtime.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

mod detectors;
mod golden;
mod market;

mod numbers;
mod quality;
mod run_lengths;
