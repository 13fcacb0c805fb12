//! Settings of the alerts: the keys under `alerts`.

pub mod channel_kinds;
pub mod channels;
mod section;

pub use channels::{ChannelKind, ChannelSettings, Reach};
pub use section::Alerts;
