//! What happened lately, bounded: orders approved (for duplicates) and fills (for repeated executions).

use super::limit::RepeatLimit;
use crate::domain::order_types::Side;
use crate::domain::time::Mono;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, VecDeque};

/// Approved orders, and fills, that are remembered per strategy.
pub const REMEMBERED_MAX: usize = 10_000;
/// Longest window for duplicates, milliseconds.
pub const DUPLICATE_WINDOW_MAX_MS: u64 = 60_000;

/// What makes two orders the same: instrument, side, quantity, price.
pub(super) type Sameness = (usize, Side, Decimal, Option<Decimal>);

/// Orders approved within the longest window.
#[derive(Debug, Clone, Default)]
pub(super) struct Approvals {
    last: BTreeMap<Sameness, Mono>,
    by_age: VecDeque<(Mono, Sameness)>,
}

impl Approvals {
    /// Age of the youngest that was the same. A full memory vouches only as far back as it reaches: what may have
    /// been forgotten counts as just older than the oldest that is remembered.
    pub(super) fn age(&self, now: Mono, same: &Sameness) -> Option<u64> {
        let full = self.by_age.len() >= REMEMBERED_MAX;
        let forgotten = || self.by_age.front().map(|(at, _)| *at).filter(|_| full);
        let at = self.last.get(same).copied().or_else(forgotten);
        at.map(|at| now.since(at)).filter(|age| *age < DUPLICATE_WINDOW_MAX_MS)
    }

    pub(super) fn note(&mut self, now: Mono, same: Sameness) {
        while let Some((at, old)) = self.by_age.front()
            && (!fresh(now, *at) || self.by_age.len() >= REMEMBERED_MAX)
        {
            if self.last.get(old) == Some(at) {
                self.last.remove(old);
            }
            self.by_age.pop_front();
        }
        self.last.insert(same, now);
        self.by_age.push_back((now, same));
    }
}

fn fresh(now: Mono, at: Mono) -> bool {
    now.since(at) < DUPLICATE_WINDOW_MAX_MS
}

/// Fills per instrument and side since a person last looked.
#[derive(Debug, Clone, Default)]
pub(super) struct Repeats(BTreeMap<(usize, Side), VecDeque<Mono>>);

impl Repeats {
    /// Counts a fill; true when it is one too many within the window.
    pub(super) fn note(&mut self, now: Mono, instrument: usize, side: Side, limit: &RepeatLimit) -> bool {
        let times = self.0.entry((instrument, side)).or_default();
        times.push_back(now);
        let most = usize::try_from(limit.fills).unwrap_or(usize::MAX).clamp(1, REMEMBERED_MAX);
        while times.front().is_some_and(|at| now.since(*at) >= limit.window_ms) || times.len() > most {
            times.pop_front();
        }
        times.len() >= most
    }

    /// A person has looked.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(quantity: i64) -> Sameness {
        (0, Side::Buy, Decimal::from(quantity), Some(Decimal::ONE))
    }

    #[test]
    fn the_youngest_counts() {
        let mut seen = Approvals::default();
        assert_eq!(seen.age(Mono(5), &same(1)), None);
        seen.note(Mono(5), same(1));
        seen.note(Mono(9), same(2));
        assert_eq!(seen.age(Mono(10), &same(1)), Some(5));
        seen.note(Mono(10), same(1));
        assert_eq!(seen.age(Mono(12), &same(1)), Some(2));
        assert_eq!(seen.age(Mono(12), &(0, Side::Sell, Decimal::ONE, Some(Decimal::ONE))), None);
        assert_eq!(seen.age(Mono(12), &(1, Side::Buy, Decimal::ONE, Some(Decimal::ONE))), None);
        assert_eq!(seen.age(Mono(12), &(0, Side::Buy, Decimal::ONE, None)), None);
        assert_eq!(seen.age(Mono(10 + 59_999), &same(1)), Some(59_999));
        assert_eq!(seen.age(Mono(10 + 60_000), &same(1)), None);
    }

    #[test]
    fn what_is_old_leaves_and_what_came_again_stays() {
        let mut seen = Approvals::default();
        seen.note(Mono(0), same(1));
        seen.note(Mono(50_000), same(1));
        seen.note(Mono(60_000), same(2));
        assert_eq!(seen.by_age.len(), 2, "the first entry of `1` has left");
        assert_eq!(seen.age(Mono(60_000), &same(1)), Some(10_000), "its second has not");
        seen.note(Mono(200_000), same(3));
        assert_eq!((seen.by_age.len(), seen.last.len()), (1, 1));
    }

    #[test]
    fn a_full_memory_vouches_as_far_back_as_it_reaches() {
        let mut seen = Approvals::default();
        for n in 0..20_000 {
            seen.note(Mono(1), same(n));
        }
        assert_eq!((seen.by_age.len(), seen.last.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
        assert_eq!(seen.age(Mono(2), &same(-1)), Some(1), "it may have been just before the oldest");
        assert_eq!(seen.age(Mono(500), &same(-1)), Some(499));
        assert_eq!(seen.age(Mono(60_001), &same(-1)), None, "all of it is old by then");
    }

    #[test]
    fn the_last_fill_of_too_many_is_told() {
        let limit = RepeatLimit { fills: 3, window_ms: 100 };
        let mut repeats = Repeats::default();
        assert!(!repeats.note(Mono(0), 0, Side::Buy, &limit));
        assert!(!repeats.note(Mono(50), 0, Side::Buy, &limit));
        assert!(!repeats.note(Mono(50), 0, Side::Sell, &limit), "the other side counts apart");
        assert!(!repeats.note(Mono(50), 1, Side::Buy, &limit), "so does another instrument");
        assert!(!repeats.note(Mono(100), 0, Side::Buy, &limit), "the first lies a whole window back");
        assert!(repeats.note(Mono(149), 0, Side::Buy, &limit));
        repeats.clear();
        assert!(!repeats.note(Mono(149), 0, Side::Buy, &limit));
        let one = RepeatLimit { fills: 0, window_ms: 100 };
        assert!(repeats.note(Mono(500), 0, Side::Buy, &one), "no fills allowed: the first is one too many");
    }
}
