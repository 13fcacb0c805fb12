//! From the settings to the limits of the risk chain.

use super::PlanError;
use crate::config::Settings;
use crate::domain::risk::RiskSettings;

/// The limits as configured. What nobody set denies.
pub(super) fn settings(settings: &Settings) -> Result<RiskSettings, PlanError> {
    settings.risk.domain().map_err(|error| PlanError::Risk(error.to_string()))
}
