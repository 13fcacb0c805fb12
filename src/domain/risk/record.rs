//! A decision as the journal keeps it: who wanted what, the figures, the limits' name, the verdict.

use super::figures::Figures;
use super::judge::{Verdict, judge};
use super::limits::LimitsId;
use super::proposal::Proposal;
use super::settings::RiskSettings;
use crate::domain::ids::Asset;
use crate::domain::oms::Refusal;
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};

/// See the module's head. With the same limits it comes to the same verdict at any time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// When (wall clock).
    pub at: WallMs,
    /// Which limits held.
    pub limits: LimitsId,
    /// What was wanted.
    pub proposal: Proposal,
    /// The instrument's base asset, by which limits may be given; `None` for an unknown instrument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Asset>,
    /// What the checks read.
    pub figures: Figures,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl DecisionRecord {
    /// Decides again from what was recorded. The limits are those in force when it was made: compare
    /// [`RiskSettings::id`] with `self.limits` first.
    #[must_use]
    pub fn replay(&self, settings: &RiskSettings) -> Verdict {
        let asked = &self.proposal;
        let limits = settings.resolve(&asked.strategy, &asked.venue, &asked.symbol, self.base.as_ref());
        judge(&limits, asked, &self.figures, false).verdict()
    }
}

/// The outcome of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may be written down and sent; the last hop asks the gate once more.
    Approved(Box<DecisionRecord>),
    /// It may not.
    Denied {
        /// In the words of every other refusal.
        refusal: Refusal,
        /// What it rests on.
        record: Box<DecisionRecord>,
    },
}

impl Decision {
    /// What it rests on.
    #[must_use]
    pub fn record(&self) -> &DecisionRecord {
        match self {
            Self::Approved(record) | Self::Denied { record, .. } => record,
        }
    }

    /// The refusal, where it is one.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Approved(_) => None,
            Self::Denied { refusal, .. } => Some(refusal),
        }
    }
}
