//! Positions, average prices, profit and loss, fees and expected balances: the fold of all booked fills.

mod accounts;
mod books;
mod exact;
mod exposure;
pub(in crate::domain) mod holding;
mod memory;
mod types;

pub use accounts::Account;
pub use books::{Booked, Ledger, LedgerError};
pub use exposure::{Exposure, Working, exposure};
pub use memory::{REMEMBERED, Seen};
pub use types::{BookedFill, Net, Position};
