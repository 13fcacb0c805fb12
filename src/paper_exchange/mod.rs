//! The embedded exchange: a real server that speaks a real venue's protocol.
//!
//! `engine` decides (matching, accounts, filters); `market` moves prices; `faults` decides what goes
//! wrong; `api` and `ws` translate the wire; `server` owns the socket and the one thread they share.

pub mod config;
pub mod engine;
pub mod errors;
pub mod faults;
pub mod floor;
pub mod limits;
pub mod market;
pub mod params;
pub mod render;
pub mod signing;
pub mod store;
pub mod ws;
