//! `cargo +nightly fuzz run market_frame fuzz/corpus/market_frame`; see `fuzz/entries.rs`.
#![no_main]

#[path = "../entries.rs"]
#[allow(dead_code, reason = "each target runs one entry")]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entries::market_frame(bytes));
