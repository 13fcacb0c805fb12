//! The section `alerts`: where its parts stand.

use super::channels::{self, ChannelSettings};
use crate::config::problems::Problems;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who is told when something is wrong, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Alerts {
    /// The ways out of this host. Without any, alerts are in the API and in the log only.
    pub channels: Vec<ChannelSettings>,
}

impl Alerts {
    pub(in crate::config) fn validate(&self, problems: &mut Problems) {
        channels::validate(&self.channels, problems);
    }
}
