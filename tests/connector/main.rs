//! The Binance connector against recorded bytes, against hostile peers, and through real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says why on stdout"
)]

mod captures;
mod cells;
mod desk;
mod fuzz;
mod golden;
mod heartbeat;
mod hostile;
mod kill;
mod kill_cell;
mod reconnects;
mod replay;
mod scripted;
