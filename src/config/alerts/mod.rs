//! Settings of the alerts: the keys under `alerts`.

pub mod channel_kinds;
pub mod channels;
pub mod policies;
mod section;

pub use channels::{ChannelKind, ChannelSettings, Reach, check_url};
pub use section::Alerts;
