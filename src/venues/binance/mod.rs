//! Binance Spot: REST, WebSocket API, market streams. Protocol facts: the exchange's public documentation.

pub mod bench_lines;
pub mod book_sync;
pub mod clock_offset;
pub mod config;
pub mod errors;
mod gateway;
mod last_hop;
pub mod messages;
pub mod pacing;
pub mod params;
mod probe;
mod reconcile;
mod rest;
mod session;
mod shared;
pub mod signing;
mod socket;
mod stream;
mod user_data;
mod venue;
mod ws_api;
mod ws_calls;

pub use config::{BinanceConfig, ConfigError, OrderPath};
pub use venue::Binance;
