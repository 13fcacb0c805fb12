//! `cargo +nightly fuzz run user_event fuzz/corpus/user_event`; see `fuzz/entries.rs`.
#![no_main]

#[path = "../entries.rs"]
#[allow(dead_code, reason = "each target runs one entry")]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entries::user_event(bytes));
