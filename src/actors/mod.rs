//! The supervised components, one per file, and the tree they hang in.
//!
//! ```text
//! plimsoll                      one_for_one
//! ├── infra                     one_for_one    what every later component leans on
//! │   ├── clock_sentry          does the wall clock jump?
//! │   ├── process_monitor       memory, descriptors, threads
//! │   ├── sentinel              judges what everything has done, keeps the lease on the truth
//! │   ├── kill_switch           tells how the latch stands; only with a configured venue
//! │   └── paper_exchange        the embedded venue, when one is configured
//! ├── order_path                rest_for_one   what moves orders; only with a configured venue
//! │   ├── journal               the one writer
//! │   ├── oms                   orders, ledger, comparison with the venues
//! │   └── connector-<venue>     orders and user data of one venue
//! ├── alerting                  one_for_one    only with a configured venue
//! │   └── alert_router          who is told of what, and what became of it
//! ├── heartbeats                one_for_one
//! │   └── heartbeat-<venue>     is it there, what does it hold, how often was it lost?
//! ├── market                    one_for_one
//! │   └── market-<venue>        books, quotes and trades of one venue
//! └── strategies                one_for_one    each under a supervisor of its own
//! ```
//!
//! A journal that fails takes the orders with it, because they must not go on unwritten; orders that fail take
//! their connectors with them, because a fresh comparison begins there. A connector that fails is replaced
//! alone. Strategies fail alone.

pub mod alert_board;
pub mod alert_router;
pub mod clock_sentry;
pub mod connector;
pub mod heartbeat;
pub mod journal;
pub mod kill_switch;
pub mod market_data;
pub mod oms;
pub mod page_readings;
pub mod paper_exchange;
pub mod plan;
pub mod process_monitor;
pub mod run_control;
pub mod sentinel;
pub mod strategy;
mod tree;
pub mod venue_readings;

pub use tree::{Parts, Readings, tree};
