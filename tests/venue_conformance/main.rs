//! Numbered conformance cards (V-01 ...) that any venue must pass, run against the paper exchange.
//!
//! A card is generic over `Venue`: it knows no protocol. `paper` seats a venue at the table; another venue
//! gets another seat and the same cards.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../connector/desk.rs"]
mod desk;
mod market_faults;
mod order_faults;
mod orders;
mod paper;
mod sessions;
mod table;
