//! Settings of the controls: what becomes of resting orders when an operator stops trading.
//!
//! Owns the keys under `controls`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of resting orders when trading is stopped. The answer of each control says it again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Controls {
    /// At a pause.
    pub on_pause: AtPause,
    /// When the kill switch is engaged.
    pub on_kill: AtKill,
}

/// Resting orders at a pause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtPause {
    /// They go on working.
    #[default]
    Keep,
    /// Entries are cancelled; orders that say of themselves that they only reduce go on working.
    Cancel,
}

/// Resting orders when the kill switch is engaged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtKill {
    /// All of them are cancelled.
    #[default]
    CancelAll,
    /// They go on working.
    Keep,
}
