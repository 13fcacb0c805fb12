//! The embedded exchange: a real server that speaks a real venue's protocol.

pub mod engine;
