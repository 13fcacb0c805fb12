//! The venue's requests, whatever door they come through.
//!
//! `routes` lists them, `gate` decides whether one is carried out (faults, limits, signatures), the
//! other files carry them out; `rest` and `control` are the HTTP door.

mod account;
pub mod control;
pub mod gate;
mod market;
mod new_order;
mod orders;
mod queries;
pub mod rest;
pub mod routes;
mod ticker;
