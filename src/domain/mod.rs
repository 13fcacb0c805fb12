//! Pure decisions and the types that carry them: std, serde, thiserror and rust_decimal only.

pub mod account_sync;
pub mod book;
pub mod connection;
pub mod evidence;
pub mod ids;
pub mod instrument;
pub mod market;
pub mod money;
pub mod order_types;
pub mod outcome;
pub mod time;
