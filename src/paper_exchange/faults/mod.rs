//! Faults on purpose: which kinds exist, whom they hit, and the table that decides.
//!
//! The table is a pure state machine. The exchange asks it at named points (a connection, a request,
//! an order, a report, a market frame, a ping); the answer is a verdict, never an action.

mod kind;
mod points;
mod spec;
mod table;

pub use kind::FaultKind;
pub use points::{OrderVerdict, ReportVerdict, RequestVerdict};
pub use spec::{FaultSpec, Scope, ScopeSide, SessionKind, SessionScope, SpecError};
pub use table::{Context, Fault, FaultId, FaultTable, MAX_FAULTS, TableFull};
