//! Orders: what is asked for, what is remembered, and the one table of how states follow each other.

pub mod lifecycle;
mod record;
mod request;

pub use record::{Order, OrderNumber, OrderState, Origin};
pub use request::{CancelScope, OrderKind, OrderRequest, Patience, ReplaceRequest};
