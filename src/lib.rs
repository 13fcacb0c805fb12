//! plimsoll: a live trading runtime for one host.
//!
//! The map, from the inside out (who may know whom is checked by `tests/tidy.rs`):
//!
//! * [`domain`]: pure decisions and the types that carry them; no sockets, clocks or actors.
//! * [`supervision`]: cells, supervisors and the watchdog; knows no trading word.
//! * [`venues`], [`paper_exchange`]: the wire, seen from the client and from the exchange.
//! * [`notify`]: one alert channel per file; what leaves this host to tell people.
//! * [`actors`]: one supervised component per file, and the tree they hang in.
//! * [`db`]: the durable journal; all SQL stands there.
//! * [`web`]: the HTTP surface. [`telemetry`]: logs and metrics. [`config`]: settings and secrets.
//! * [`emergency`]: the record that outlives a halt.
//! * [`app`]: builds and runs the whole; [`cli`]: one file per command.

pub mod actors;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod emergency;
pub mod net;
pub mod notify;
pub mod paper_exchange;
pub mod supervision;
pub mod telemetry;
pub mod venues;
pub mod web;
