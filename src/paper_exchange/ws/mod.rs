//! WebSocket sessions: market streams (`/ws`, `/stream`) and the WebSocket API (`/ws-api/v3`).

mod api_session;
mod inbound;
mod market_session;
mod outbox;
mod session;

pub use outbox::{Ending, Outbox, code};
pub(crate) use session::{Door, serve};
