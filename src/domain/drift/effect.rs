//! What follows from an observation or a person's word, and why one was not taken.

use super::name::StreamName;
use crate::domain::ids::StrategyId;
use crate::domain::time::WallMs;
use rust_decimal::Decimal;
use serde_json::Value;

/// What is to be told and done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// An alert opens.
    Open {
        /// Of which stream.
        stream: StreamName,
        /// In a sentence.
        reason: String,
        /// The catalogue: detectors, statistics, thresholds, baseline, onset, direction, size.
        evidence: Value,
        /// Estimate of when it began (wall clock).
        since: WallMs,
    },
    /// It closes.
    Close {
        /// Of which stream.
        stream: StreamName,
    },
    /// A strategy's entries are to be cut.
    Restrain {
        /// Because of which stream.
        stream: StreamName,
        /// Whose.
        strategy: StrategyId,
        /// To which share.
        factor: Decimal,
        /// In a sentence.
        reason: String,
    },
    /// The cut is to be lifted.
    Release {
        /// Because of which stream it was.
        stream: StreamName,
        /// Whose.
        strategy: StrategyId,
        /// Who lifts it.
        by: String,
        /// Why.
        reason: String,
    },
}

/// Why an observation or a word on a stream was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamRefusal {
    /// There are as many as there may be.
    #[error("there are {most} streams already; declare this one, or raise drift.streams_max")]
    Full {
        /// How many there may be.
        most: usize,
    },
    /// The name is of a kind that is measured here.
    #[error(
        "{name} is measured here and not taken from outside; post under a name that does not begin with `{kind}:`"
    )]
    Reserved {
        /// The name.
        name: StreamName,
        /// The kind.
        kind: &'static str,
    },
    /// No such stream.
    #[error("no stream is named {name}")]
    Unknown {
        /// The name.
        name: StreamName,
    },
}
