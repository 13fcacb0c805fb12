//! Settings of the kill switch: what becomes of working orders when it is engaged.
//!
//! Owns the keys under `kill_switch`. Nothing here can keep it from engaging, and nothing can reset it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of working orders when the kill switch is engaged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnEngage {
    /// They are cancelled, and the venue is asked until it shows none.
    #[default]
    CancelAll,
    /// They stay, and may fill.
    Keep,
    /// They are cancelled, and open positions are closed by reducing orders: by this choice alone something besides
    /// cancels is sent while the switch is engaged.
    Flatten,
}

/// The kill switch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KillSwitchSettings {
    /// What becomes of working orders when it is engaged.
    pub on_engage: OnEngage,
}
