//! The supervision layer against real cells: under a paused clock where time matters, on real threads
//! where threads do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod acts;
mod cells;
mod defects;
mod extras;
mod hangs;
mod machine_props;
mod mail;
mod otp_admin;
mod otp_logging;
mod otp_loops;
mod otp_significant;
mod otp_start;
mod otp_stop;
mod otp_strategies;
mod otp_termination;
mod soak;
mod support;
mod tasks;
mod windows;
