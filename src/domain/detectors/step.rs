//! What a detector answers, and what all of them do alike.

use serde::{Deserialize, Serialize};

/// Where the series went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Its mean rose.
    Up,
    /// Its mean fell.
    Down,
    /// Its spread grew.
    Wider,
    /// Its spread shrank.
    Narrower,
}

/// What one observation brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing to tell.
    Quiet,
    /// The series has changed.
    Detected(Direction),
    /// The number was not finite: counted, not absorbed.
    Rejected,
}

impl Step {
    /// Of a mean that rose, fell, or did neither; a rise is named first.
    pub(super) const fn of_mean(up: bool, down: bool) -> Self {
        match (up, down) {
            (true, _) => Self::Detected(Direction::Up),
            (false, true) => Self::Detected(Direction::Down),
            (false, false) => Self::Quiet,
        }
    }

    /// Of a spread that grew, shrank, or did neither.
    pub(super) const fn of_spread(wider: bool, narrower: bool) -> Self {
        match (wider, narrower) {
            (true, _) => Self::Detected(Direction::Wider),
            (false, true) => Self::Detected(Direction::Narrower),
            (false, false) => Self::Quiet,
        }
    }

    /// Where the series went, when that was seen.
    #[must_use]
    pub const fn direction(self) -> Option<Direction> {
        match self {
            Self::Detected(direction) => Some(direction),
            Self::Quiet | Self::Rejected => None,
        }
    }
}

/// Which way a two-sided detector looks, or which way of a mean harms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// For a rise and for a fall.
    #[default]
    Both,
    /// For a rise alone.
    Up,
    /// For a fall alone.
    Down,
}

impl Sides {
    /// Is a change this way looked for? One of the spread always is.
    #[must_use]
    pub const fn sees(self, direction: Direction) -> bool {
        match direction {
            Direction::Up => !matches!(self, Self::Down),
            Direction::Down => !matches!(self, Self::Up),
            Direction::Wider | Direction::Narrower => true,
        }
    }

    /// What is told of a statistic for a rise and one for a fall, against the same threshold.
    pub(super) fn told(self, up: f64, down: f64, threshold: f64) -> Step {
        Step::of_mean(
            self.sees(Direction::Up) && up > threshold,
            self.sees(Direction::Down) && down > threshold,
        )
    }
}

/// Whether a number can be absorbed; one that is not finite is counted instead.
pub(super) fn absorbs(x: f64, rejected: &mut u64) -> bool {
    if !x.is_finite() {
        *rejected = rejected.saturating_add(1);
    }
    x.is_finite()
}
