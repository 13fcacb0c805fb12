//! Strategies whose entries are cut because a series of theirs drifts.
//!
//! A cut is asked for by a stream and holds until a person lifts it; several streams may cut one strategy, and the
//! smallest share holds. Cuts stand in the journal's marks, so they survive everything. Orders that reduce are never cut.

use super::core::Risk;
use super::proposal::{Proposal, Standing};
use crate::domain::ids::StrategyId;
use crate::domain::oms::Now;
use crate::domain::time::WallMs;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Cuts that may stand at once; far more than there are streams of strategies.
pub const RESTRAINTS_MAX: usize = 4_096;

/// One cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restraint {
    /// Whose entries.
    pub strategy: StrategyId,
    /// The series that drifts.
    pub stream: String,
    /// The share that is left of an entry, from 0 (none) to below 1.
    pub factor: Decimal,
    /// In a sentence.
    pub reason: String,
    /// Since when (wall clock).
    pub at: WallMs,
}

/// What a decision was cut by, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restrained {
    /// The share that is left.
    pub factor: Decimal,
    /// The stream that asks for it.
    pub stream: String,
}

/// All cuts, by strategy and stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Restraints(BTreeMap<(StrategyId, String), Restraint>);

impl Restraints {
    /// Takes a cut; false when there is no room for another.
    pub(super) fn put(&mut self, cut: Restraint) -> bool {
        let key = (cut.strategy.clone(), cut.stream.clone());
        if self.0.len() >= RESTRAINTS_MAX && !self.0.contains_key(&key) {
            return false;
        }
        self.0.insert(key, cut);
        true
    }

    /// Lifts the cut of a stream, or with `None` all of the strategy; false when none stood.
    pub(super) fn lift(&mut self, strategy: &StrategyId, stream: Option<&str>) -> bool {
        let before = self.0.len();
        self.0.retain(|(of, by), _| of != strategy || stream.is_some_and(|stream| stream != by));
        self.0.len() != before
    }

    /// The smallest share that holds for a strategy.
    pub(super) fn of(&self, strategy: &StrategyId) -> Option<Restrained> {
        let own = self.0.values().filter(|cut| cut.strategy == *strategy);
        let cut = own.min_by_key(|cut| cut.factor)?;
        Some(Restrained { factor: cut.factor, stream: cut.stream.clone() })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Restraint> {
        self.0.values()
    }
}

impl Risk {
    /// Cuts a strategy's entries from now on; false when there is no room for another cut.
    pub fn restrain(&mut self, cut: Restraint) -> bool {
        self.watch.restrain(cut)
    }

    /// Lifts what a stream cut. False when it cut nothing.
    pub fn unrestrain(&mut self, strategy: &StrategyId, stream: &str) -> bool {
        self.watch.unrestrain(strategy, Some(stream))
    }

    /// Cuts that stand.
    pub fn restraints(&self) -> impl Iterator<Item = &Restraint> {
        self.watch.restraints()
    }

    /// What an entry has to be cut by; `None` for one that is free, for one that reduces, and for one of the books.
    #[must_use]
    pub fn cut_of(&self, now: Now, proposal: &Proposal, standing: &Standing) -> Option<Restrained> {
        if proposal.number.is_some() || proposal.asked.is_some() {
            return None;
        }
        let cut = self.watch.restrained(&proposal.strategy)?;
        let figures = self.figures(now.mono, proposal, standing);
        (!figures.reduces_own && !figures.reduces_net).then_some(cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(strategy: &str, stream: &str, factor: i64) -> Restraint {
        Restraint {
            strategy: StrategyId::new(strategy).unwrap(),
            stream: stream.to_owned(),
            factor: Decimal::new(factor, 1),
            reason: "a test".to_owned(),
            at: WallMs(1),
        }
    }

    #[test]
    fn the_smallest_share_holds_and_each_stream_lifts_its_own() {
        let (one, two) = (StrategyId::new("one").unwrap(), StrategyId::new("two").unwrap());
        let mut all = Restraints::default();
        assert_eq!(all.of(&one), None);
        assert!(all.put(cut("one", "a", 5)) && all.put(cut("one", "b", 2)) && all.put(cut("one", "b", 3)));
        assert_eq!(
            all.of(&one).map(|cut| (cut.factor, cut.stream)),
            Some((Decimal::new(3, 1), "b".to_owned()))
        );
        assert_eq!(all.of(&two), None, "nobody else's");
        assert!(all.lift(&one, Some("b")) && !all.lift(&one, Some("b")));
        assert_eq!(all.of(&one).map(|cut| cut.factor), Some(Decimal::new(5, 1)));
        assert!(!all.lift(&two, None) && all.lift(&one, None));
        assert_eq!(all.all().count(), 0);
    }

    #[test]
    fn there_is_a_bound() {
        let mut all = Restraints::default();
        for n in 0..RESTRAINTS_MAX {
            assert!(all.put(cut("one", &n.to_string(), 5)));
        }
        assert!(!all.put(cut("one", "more", 5)) && all.put(cut("one", "0", 4)));
    }
}
