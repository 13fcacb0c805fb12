//! The alert channels against real servers on loopback, well-behaved and hostile ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::unreachable,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod config;
mod desk;
mod email;
mod github;
mod services;
mod webhook;

#[path = "../support/mod.rs"]
mod support;
