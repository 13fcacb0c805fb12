//! How much was observed and found in this process, by kind of stream.

use super::kind::Kind;
use std::collections::BTreeMap;

/// Counts of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Finite observations.
    pub observations: u64,
    /// Observations that were not finite.
    pub rejected: u64,
    /// Alerts that opened.
    pub detections: u64,
    /// Streams that there are.
    pub streams: usize,
    /// Of which an alert stands.
    pub open: usize,
}

/// Counts of every kind; as many as there are kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tallies(BTreeMap<Kind, Tally>);

impl Default for Tallies {
    /// Every kind, nothing of any.
    fn default() -> Self {
        Self(Kind::all().map(|kind| (kind, Tally::default())).collect())
    }
}

impl Tallies {
    /// The counts of a kind.
    pub(super) fn of(&mut self, kind: Kind) -> &mut Tally {
        self.0.entry(kind).or_default()
    }

    /// By kind.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, Tally)> {
        self.0.iter().map(|(kind, tally)| (*kind, *tally))
    }
}
