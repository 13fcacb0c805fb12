//! The venue's JSON, rendered from the engine's types.
//!
//! Field names and forms are Binance Spot's (REST, WebSocket API and streams, as of 2026-07). Rendering
//! decides nothing and asks for nothing but what it is given.

pub mod account;
pub mod info;
pub mod market;
pub mod orders;
pub mod reports;
mod text;

pub(crate) use text::{NONE, json, or_none};
