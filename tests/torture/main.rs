//! Torture: the real binary against the paper exchange in a process of its own, under load, killed at random.
//!
//! After every blow the exchange's truth and the runtime's books are compared; lost, duplicated and mis-stated
//! must be zero. `PLIMSOLL_NIGHTLY=1` does more rounds; `PLIMSOLL_TORTURE_SEED=N` repeats a run's choices.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::float_cmp,
    reason = "tests"
)]

mod alerts;
mod blows;
mod books;
mod damage;
mod desk;
mod endings;
mod kill;
mod load;
mod rounds;
mod verdict;
