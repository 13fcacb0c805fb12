//! Settings of the controls: what becomes of resting orders when an operator pauses.
//!
//! Owns the keys under `controls`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of resting orders at a pause. The answer of the control says it again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Controls {
    /// At a pause.
    pub on_pause: AtPause,
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
