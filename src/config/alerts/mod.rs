//! Settings of the alerts: the keys under `alerts`.

pub mod channel_kinds;
pub mod channels;
pub mod dead_man;
pub mod policies;
mod section;

pub use channels::{ChannelKind, ChannelSettings, Reach, check_url};
pub use dead_man::DeadManSettings;
pub use section::Alerts;
