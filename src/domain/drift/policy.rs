//! What is done about a stream: how it is watched, how loud its drift is, and what follows from it.

use super::kind::Kind;
use super::name::StreamName;
use super::settings::MonitorSettings;
use crate::domain::alert::Severity;
use crate::domain::detectors::Sides;
use crate::domain::ids::StrategyId;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What follows from drift of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Consequence {
    /// People are told.
    #[default]
    Inform,
    /// New entries of the stream's strategy are cut to this share of what they ask for.
    Reduce {
        /// Above 0 and below 1.
        factor: Decimal,
    },
    /// The stream's strategy enters nothing new.
    Pause,
}

impl Consequence {
    /// The share of an entry that is left; `None` where nothing follows.
    #[must_use]
    pub const fn factor(self) -> Option<Decimal> {
        match self {
            Self::Inform => None,
            Self::Reduce { factor } => Some(factor),
            Self::Pause => Some(Decimal::ZERO),
        }
    }
}

/// What holds for the streams of a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// A name, or its beginning with `*` behind it.
    pub pattern: String,
    /// How they are watched; which way harms stands in `harm`.
    pub monitor: MonitorSettings,
    /// Which way of the mean harms; `None` for that of each stream's kind.
    pub harm: Option<Sides>,
    /// How loud their alerts are.
    pub severity: Severity,
    /// The page that helps.
    pub runbook: String,
    /// What follows.
    pub consequence: Consequence,
    /// Whose streams they are, where the name does not say it.
    pub strategy: Option<StrategyId>,
}

impl Policy {
    /// Does it hold for this name?
    #[must_use]
    pub fn fits(&self, name: &StreamName) -> bool {
        match self.pattern.strip_suffix('*') {
            Some(beginning) => name.as_str().starts_with(beginning),
            None => self.pattern == name.as_str(),
        }
    }

    /// How a stream of this name is watched.
    #[must_use]
    pub fn monitor_of(&self, name: &StreamName) -> MonitorSettings {
        let sides = self.harm.unwrap_or_else(|| Kind::of(name).harm());
        MonitorSettings { sides, ..self.monitor.clone() }
    }

    /// What holds where nothing is declared: people are told.
    #[must_use]
    pub fn fallback(monitor: MonitorSettings) -> Self {
        Self {
            pattern: "*".to_owned(),
            monitor,
            harm: None,
            severity: Severity::Warning,
            runbook: "drift_detected".to_owned(),
            consequence: Consequence::Inform,
            strategy: None,
        }
    }
}
