//! From the settings to what the alert router needs.

use super::PlanError;
use crate::config::venues::Mode;
use crate::config::{EnvReader, Settings};
use crate::domain::alert::{self, Speaker, Stake};
use crate::notify::{self, Channel};
use std::sync::Arc;

/// What the router follows, and the ways to tell people.
///
/// # Errors
/// [`PlanError::Channel`].
pub(super) fn plan(
    settings: &Settings,
    env: &dyn EnvReader,
) -> Result<(alert::Settings, Vec<Arc<dyn Channel>>), PlanError> {
    let mode = settings.venues.iter().map(crate::config::venues::Venue::mode).max().unwrap_or(Mode::Paper);
    let speaker = Speaker {
        instance: format!("{}/{}", settings.deployment.name, settings.deployment.instance),
        mode: match mode {
            Mode::Paper => Stake::Paper,
            Mode::Testnet => Stake::Testnet,
            Mode::Live => Stake::Live,
        },
        ..Speaker::default()
    };
    let channels = notify::build(&settings.alerts.channels, env, &settings.data_dir.0)?;
    Ok((settings.alerts.plan(speaker), channels))
}
