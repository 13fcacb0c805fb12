//! The records of containment: what an operator lists, what an intent holds, what is to be done about it.

use crate::domain::health::SafeAction;
use crate::domain::ids::{StrategyId, VenueId};
use crate::domain::time::{Mono, WallMs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long an action may take to be seen, milliseconds.
pub const DEADLINE_MS: u64 = 3_000;
/// A new session needs longer.
const RECONNECT_MS: u64 = 15_000;

/// One line of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The alert's code.
    pub on: String,
    /// What is done.
    pub action: SafeAction,
    /// How often within the window.
    pub budget: usize,
    /// The window, milliseconds.
    pub window_ms: u64,
}

/// What an action is done to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The whole desk.
    Desk,
    /// A strategy.
    Strategy(String),
    /// A venue's market session.
    Market(String),
    /// A venue's order session.
    Orders(String),
}

impl Target {
    /// In words, such as `market/paper`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Desk => "desk".to_owned(),
            Self::Strategy(name) => format!("strategy/{name}"),
            Self::Market(name) => format!("market/{name}"),
            Self::Orders(name) => format!("orders/{name}"),
        }
    }
}

/// How an intent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is to be carried out once it is on disk.
    Proposed,
    /// Nothing is done by itself: a person may.
    Recommended,
    /// Whoever carries it out has taken it; its effect was not seen yet.
    CarriedOut,
    /// Its effect was seen.
    Verified,
    /// Its effect was not seen in time.
    Failed,
    /// It was not carried out.
    Refused,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Proposed, Self::Recommended, Self::CarriedOut, Self::Verified, Self::Failed, Self::Refused];

    /// On the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Recommended => "recommended",
            Self::CarriedOut => "carried_out",
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }

    /// Will it change any more?
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Proposed | Self::CarriedOut)
    }
}

/// One intent: why, what, to what, within which budget, and how it ended. The record as it stands on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its place among all intents; rises.
    pub number: u64,
    /// The alert that asked for it, by key.
    pub because: String,
    /// The alert's code, which with the action names the policy.
    pub code: String,
    /// What held before.
    pub precondition: String,
    /// What is done.
    pub action: SafeAction,
    /// To what.
    pub target: Target,
    /// What is to be seen.
    pub verify: String,
    /// How often the policy allows it within its window; 0 where no policy does.
    pub budget: usize,
    /// The window, milliseconds.
    pub window_ms: u64,
    /// The how manieth within the window it is; 0 for a recommendation.
    pub spent: usize,
    /// How it stands.
    pub state: State,
    /// How it came to that, in words; empty while nothing is to be said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub outcome: String,
    /// When it was decided.
    pub requested_at: WallMs,
    /// When whoever carries it out had taken it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_out_at: Option<WallMs>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<WallMs>,
}

impl Intent {
    /// How long its effect may take to be seen, milliseconds.
    #[must_use]
    pub fn within_ms(&self) -> u64 {
        if self.action == SafeAction::Reconnect { RECONNECT_MS } else { DEADLINE_MS }
    }

    /// Does it only ever allow less? Such an act is not held up by a disk that takes no row; one that is counted but
    /// takes nothing away is.
    #[must_use]
    pub fn restricts(&self) -> bool {
        match self.action {
            SafeAction::Pause
            | SafeAction::ReduceOnly
            | SafeAction::Disarm
            | SafeAction::CancelRestingEntries => true,
            SafeAction::Reconnect | SafeAction::Refresh => false,
        }
    }
}

/// One instant on both clocks: deadlines go by the first, records by the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Monotonic.
    pub mono: Mono,
    /// Wall clock.
    pub wall: WallMs,
}

/// What is to be done, or told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write this, with a fact of the journal in the same transaction; then [`super::Containment::written`].
    Write(Intent),
    /// Carry this out; then [`super::Containment::carried_out`] or [`super::Containment::refused`].
    Do(Intent),
    /// It ended; to be told.
    Ended(Intent),
    /// The budget is used up: nothing more is done by itself, somebody must.
    Exhausted {
        /// The alert that asked.
        because: String,
        /// What is not done any more.
        action: SafeAction,
    },
}

/// What is known beside the table: which strategies may trade by their switch, and how many entries rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Each strategy's switch.
    pub enabled: BTreeMap<StrategyId, bool>,
    /// Open orders that would open or enlarge a position.
    pub entries: usize,
    /// How often each venue was asked for everything anew, and answered.
    pub refreshed: BTreeMap<VenueId, u64>,
}

/// What was on disk when the process began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// The last number that was given.
    pub last_number: u64,
    /// Intents that had not ended, and those of at least the longest window, oldest first.
    pub intents: Vec<Intent>,
}
