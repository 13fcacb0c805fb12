//! The embedded exchange: a real server that speaks a real venue's protocol.
//!
//! `engine` decides (matching, accounts, filters); `market` moves prices; `faults` decides what goes
//! wrong; `api` and `ws` translate the wire; `floor` is the state they share; `store` keeps it;
//! `server` owns the socket and the one thread all of this runs on.

pub mod accounts_file;
pub mod api;
pub mod config;
mod driver;
pub mod engine;
pub mod errors;
pub mod faults;
pub mod floor;
pub mod limits;
pub mod market;
pub mod params;
pub mod render;
mod server;
pub mod signing;
pub mod store;
mod upgrade;
pub mod ws;

pub use config::PaperConfig;
pub use server::{PaperExchange, RunError, Running, StartError};
