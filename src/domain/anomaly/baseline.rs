//! A rolling baseline: the last so many observations, their median and their median absolute deviation.

use std::collections::VecDeque;

/// Turns a median absolute deviation into something like a standard deviation, for observations that are normal.
const MAD_TO_SIGMA: f64 = 1.4826;

/// Middle and width of a baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The median absolute deviation, scaled to a standard deviation.
    pub sigma: f64,
}

/// See the module's head.
#[derive(Debug, Clone)]
pub struct Baseline {
    kept: VecDeque<f64>,
    kept_max: usize,
    history_min: usize,
}

impl Baseline {
    /// Keeps `kept_max` observations and says nothing before it has `history_min`.
    #[must_use]
    pub const fn new(kept_max: usize, history_min: usize) -> Self {
        Self { kept: VecDeque::new(), kept_max, history_min }
    }

    /// Takes an observation over; the oldest makes room. What is no number is not taken.
    pub fn learn(&mut self, observed: f64) {
        if !observed.is_finite() {
            return;
        }
        if self.kept.len() >= self.kept_max.max(1) {
            self.kept.pop_front();
        }
        self.kept.push_back(observed);
    }

    /// How many observations it rests on.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Does it rest on nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Forgets everything: another session, another baseline.
    pub fn forget(&mut self) {
        self.kept.clear();
    }

    /// Middle and width; `None` before there is enough history.
    #[must_use]
    pub fn spread(&self) -> Option<Spread> {
        if self.kept.is_empty() || self.kept.len() < self.history_min {
            return None;
        }
        let mut all: Vec<f64> = self.kept.iter().copied().collect();
        let median = median(&mut all)?;
        let mut off: Vec<f64> = self.kept.iter().map(|one| (one - median).abs()).collect();
        Some(Spread { median, sigma: MAD_TO_SIGMA * self::median(&mut off)? })
    }
}

/// The median of some numbers, which are sorted by it; `None` of nothing.
fn median(all: &mut [f64]) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    let half = all.len().checked_div(2)?;
    let upper = *all.get(half)?;
    if all.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *all.get(half.checked_sub(1)?)?;
    Some((lower + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outlier_moves_neither_middle_nor_width() {
        let mut baseline = Baseline::new(100, 5);
        for observed in [10.0, 11.0, 9.0, 10.0] {
            baseline.learn(observed);
        }
        assert_eq!(baseline.spread(), None, "not enough history");
        baseline.learn(10_000.0);
        let spread = baseline.spread().unwrap();
        assert!((spread.median - 10.0).abs() < 1e-9 && (spread.sigma - 1.4826).abs() < 1e-9, "{spread:?}");
        baseline.learn(f64::NAN);
        assert_eq!(baseline.len(), 5);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_go() {
        let mut baseline = Baseline::new(3, 1);
        for observed in 0..1_000 {
            baseline.learn(f64::from(observed));
        }
        assert_eq!((baseline.len(), baseline.spread().map(|spread| spread.median)), (3, Some(998.0)));
        baseline.forget();
        assert!(baseline.is_empty() && baseline.spread().is_none());
    }
}
