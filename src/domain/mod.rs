//! Pure decisions and the types that carry them: std, serde, thiserror and rust_decimal only.

pub mod account_sync;
pub mod book;
pub mod connection;
pub mod control;
pub mod evidence;
pub mod heartbeat;
pub mod ids;
pub mod instrument;
pub mod journal;
pub mod kill_switch;
pub mod kpi;
pub mod ledger;
pub mod losses;
pub mod market;
pub mod money;
pub mod oms;
pub mod order;
pub mod order_types;
pub mod outcome;
pub mod reconcile;
pub mod risk;
pub mod run_state;
pub mod strategy;
pub mod time;
pub mod token;
pub mod tripwire;
