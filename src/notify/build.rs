//! From settings to channels.

use super::log::LogChannel;
use super::{Channel, ChannelKind};
use crate::config::alerts::ChannelSettings;
use crate::config::{EnvReader, Fault};
use std::path::Path;
use std::sync::Arc;

/// Why a channel could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("alerts.channels `{channel}`: {problem}")]
pub struct BuildError {
    /// The channel's name.
    pub channel: String,
    /// What is wrong.
    pub problem: BuildProblem,
}

/// What is wrong with a channel's settings, seen only when it is built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildProblem {
    /// A secret could not be fetched.
    #[error("`{key}`: {fault}")]
    Secret {
        /// Which key.
        key: &'static str,
        /// Why.
        fault: Fault,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

/// Builds every channel, in the order of the settings. Opens no connection, so that a receiver that is down does not
/// keep the runtime from starting.
///
/// `env` is where secrets may come from; relative file paths start at `data_dir`.
///
/// # Errors
/// [`BuildError`] of the first channel that cannot work: a secret that is not there, a certificate file that cannot
/// be read, an address that is none.
pub fn build(
    settings: &[ChannelSettings],
    env: &dyn EnvReader,
    data_dir: &Path,
) -> Result<Vec<Arc<dyn Channel>>, BuildError> {
    let one = |settings: &ChannelSettings| {
        channel(settings, env, data_dir)
            .map_err(|problem| BuildError { channel: settings.name.clone(), problem })
    };
    settings.iter().map(one).collect()
}

fn channel(
    settings: &ChannelSettings,
    _env: &dyn EnvReader,
    _data_dir: &Path,
) -> Result<Arc<dyn Channel>, BuildProblem> {
    let name = settings.name.as_str();
    match settings.kind {
        ChannelKind::Log => Ok(Arc::new(LogChannel::new(name))),
        other => Err(BuildProblem::Other(format!("the kind `{other}` is not built yet"))),
    }
}
