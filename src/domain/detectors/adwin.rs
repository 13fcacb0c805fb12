//! ADWIN (Bifet and Gavalda 2007), equal to river 0.23 bit for bit: the order of the operations is part of the
//! contract.
//!
//! The window is an exponential histogram: row `i` holds buckets of 2^i observations, oldest first. A bucket is its sum
//! and its sum of squared deviations. As in river the WHOLE window goes after a detection. Memory grows with the
//! logarithm of the window.

use super::step::absorbs;
use super::{Detector, Direction, Step, exact_number};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Settings with the defaults of river.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdwinSettings {
    /// Confidence, above 0 and below 1: the smaller, the fewer false alarms.
    #[serde(with = "exact_number")]
    pub delta: f64,
    /// The window is tested at each so-many-th observation; at least 1.
    pub clock: u32,
    /// Buckets of one size before two of them are merged; at least 1.
    pub max_buckets: u32,
    /// Shortest half of the window that is compared, observations.
    pub min_window_length: u32,
    /// Nothing is tested before the window is longer, observations.
    pub grace_period: u32,
}

impl Default for AdwinSettings {
    fn default() -> Self {
        Self { delta: 0.002, clock: 32, max_buckets: 5, min_window_length: 5, grace_period: 10 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Bucket {
    #[serde(with = "exact_number")]
    total: f64,
    #[serde(with = "exact_number")]
    squares: f64,
}

/// What the detector has kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Window {
    rows: Vec<Vec<Bucket>>,
    #[serde(with = "exact_number")]
    width: f64,
    #[serde(with = "exact_number")]
    total: f64,
    #[serde(with = "exact_number")]
    variance: f64,
    tick: u32,
}

/// The two halves of the window, cut somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Cut {
    /// Mean of the older half less that of the newer.
    #[serde(with = "exact_number")]
    apart: f64,
    /// How far apart chance may put them.
    #[serde(with = "exact_number")]
    bound: f64,
    /// Mean of the newer half.
    #[serde(with = "exact_number")]
    level: f64,
    /// Observations of the newer half.
    newer: u64,
}

impl Cut {
    fn differs(self) -> bool {
        self.apart.abs() > self.bound
    }

    fn share(self) -> f64 {
        if self.bound > 0.0 { self.apart.abs() / self.bound } else { 0.0 }
    }
}

/// The detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adwin {
    settings: AdwinSettings,
    window: Window,
    /// What the last observation detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<Cut>,
    flagged: bool,
    rejected: u64,
}

impl Window {
    fn fresh() -> Self {
        Self { rows: vec![Vec::new()], width: 0.0, total: 0.0, variance: 0.0, tick: 0 }
    }

    fn insert(&mut self, x: f64, row_max: usize) {
        let bucket = Bucket { total: x, squares: 0.0 };
        match self.rows.first_mut() {
            Some(row) => row.push(bucket),
            None => self.rows.push(vec![bucket]),
        }
        self.width += 1.0;
        if self.width > 1.0 {
            let before = self.width - 1.0;
            let off = x - self.total / before;
            self.variance += before * off * off / self.width;
        }
        self.total += x;
        self.merge(row_max);
    }

    /// While a row holds one bucket too many, its two oldest become one of the next row.
    fn merge(&mut self, row_max: usize) {
        let (mut at, mut size) = (0_usize, 1.0_f64);
        loop {
            let Some(row) = self.rows.get_mut(at) else { return };
            if row.len() <= row_max {
                return;
            }
            let mut oldest = row.drain(..2);
            let (Some(first), Some(second)) = (oldest.next(), oldest.next()) else { return };
            drop(oldest);
            let apart = first.total / size - second.total / size;
            let merged = Bucket {
                total: first.total + second.total,
                squares: first.squares + second.squares + size * size * apart * apart / (size + size),
            };
            at = at.saturating_add(1);
            size *= 2.0;
            match self.rows.get_mut(at) {
                Some(next) => next.push(merged),
                None => self.rows.push(vec![merged]),
            }
        }
    }

    /// Drops the oldest bucket.
    fn drop_oldest(&mut self) {
        let mut size = self.rows.iter().skip(1).fold(1.0, |size, _| size * 2.0);
        // Only with one bucket per row can the last row be empty.
        while self.rows.last().is_some_and(Vec::is_empty) && self.rows.len() > 1 {
            self.rows.pop();
            size /= 2.0;
        }
        let Some(row) = self.rows.last_mut().filter(|row| !row.is_empty()) else { return };
        let oldest = row.remove(0);
        if row.is_empty() && self.rows.len() > 1 {
            self.rows.pop();
        }
        self.width -= size;
        self.total -= oldest.total;
        let off = oldest.total / size - self.total / self.width;
        self.variance -= oldest.squares + size * self.width * off * off / (size + self.width);
    }

    /// Observations.
    fn count(&self) -> u64 {
        let buckets = |row: &Vec<Bucket>| u64::try_from(row.len()).unwrap_or(u64::MAX);
        self.rows.iter().rev().fold(0, |count, row| buckets(row).saturating_add(count.saturating_mul(2)))
    }

    /// The cut that says most of those that there are.
    fn widest(&self, set: &AdwinSettings) -> Option<Cut> {
        let mut most: Option<Cut> = None;
        self.cuts(set, |cut| {
            if most.is_none_or(|most| cut.share() > most.share()) {
                most = Some(cut);
            }
            false
        });
        most
    }

    /// Every cut, oldest first, until `stop` likes one.
    fn cuts(&self, set: &AdwinSettings, mut stop: impl FnMut(Cut) -> bool) -> Option<Cut> {
        let shortest = f64::from(set.min_window_length);
        let confidence = (2.0 * self.width.ln() / set.delta).ln();
        let spread = self.variance / self.width;
        let (mut n0, mut n1) = (0.0_f64, self.width);
        let (mut u0, mut u1) = (0.0_f64, self.total);
        let mut size = self.rows.iter().skip(1).fold(1.0, |size, _| size * 2.0);
        let mut newer = self.count();
        let mut each = self.rows.iter().skip(1).fold(1_u64, |each, _| each.saturating_mul(2));
        for (at, row) in self.rows.iter().enumerate().rev() {
            // The newest bucket of all stays on the newer side.
            let moved = if at == 0 { row.len().saturating_sub(1) } else { row.len() };
            for bucket in row.iter().take(moved) {
                n0 += size;
                n1 -= size;
                u0 += bucket.total;
                u1 -= bucket.total;
                newer = newer.saturating_sub(each);
                if n1 < shortest || n0 < shortest {
                    continue;
                }
                let level = u1 / n1;
                let apart = u0 / n0 - level;
                let harmonic = 1.0 / (n0 - shortest + 1.0) + 1.0 / (n1 - shortest + 1.0);
                let bound = (2.0 * harmonic * spread * confidence).sqrt() + 2.0 / 3.0 * confidence * harmonic;
                let cut = Cut { apart, bound, level, newer };
                if stop(cut) {
                    return Some(cut);
                }
            }
            size /= 2.0;
            each /= 2;
        }
        None
    }
}

impl Adwin {
    /// A detector that has seen nothing.
    #[must_use]
    pub fn new(settings: AdwinSettings) -> Self {
        Self { settings, window: Window::fresh(), seen: None, flagged: false, rejected: 0 }
    }

    /// How far apart the means of the two halves of the window are, and how far chance may put them, at the cut where that
    /// says most; and which way the newer half is off. Right after a detection: what was detected. Nothing while the window
    /// is too short for a cut.
    #[must_use]
    pub fn gauge(&self) -> Option<(f64, f64, Direction)> {
        let long = self.window.width > f64::from(self.settings.grace_period);
        let most = self.seen.or_else(|| if long { self.window.widest(&self.settings) } else { None });
        most.map(|cut| {
            let direction = if cut.apart < 0.0 { Direction::Up } else { Direction::Down };
            (cut.apart.abs(), cut.bound, direction)
        })
    }

    /// Right after a detection: observations since the change, by the cut that said most, and their mean.
    #[must_use]
    pub fn after(&self) -> Option<(u64, f64)> {
        self.seen.map(|cut| (cut.newer, cut.level))
    }
}

impl Detector for Adwin {
    fn update(&mut self, x: f64) -> Step {
        if !absorbs(x, &mut self.rejected) {
            return Step::Rejected;
        }
        if self.flagged {
            self.window = Window::fresh();
            (self.seen, self.flagged) = (None, false);
        }
        let set = &self.settings;
        self.window.insert(x, usize::try_from(set.max_buckets).unwrap_or(usize::MAX));
        self.window.tick = self.window.tick.wrapping_add(1);
        let due = self.window.tick.checked_rem(set.clock) == Some(0);
        if !due || self.window.width <= f64::from(set.grace_period) {
            return Step::Quiet;
        }
        let Some(first) = self.window.cuts(set, Cut::differs) else { return Step::Quiet };
        self.seen = self.window.widest(set);
        self.flagged = true;
        // Each turn drops a bucket, so it ends.
        self.window.drop_oldest();
        while self.window.cuts(set, Cut::differs).is_some() {
            self.window.drop_oldest();
        }
        Step::of_mean(first.apart < 0.0, first.apart >= 0.0)
    }

    fn rejected(&self) -> u64 {
        self.rejected
    }

    fn state(&self) -> Value {
        let Window { width, total, variance, .. } = self.window;
        let estimation = if width > 0.0 { total / width } else { 0.0 };
        json!({ "width": width, "total": total, "variance": variance, "estimation": estimation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_memory_grows_with_the_logarithm() {
        let mut detector = Adwin::new(AdwinSettings::default());
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..100_000 {
            detector.update(random.f64());
        }
        let buckets: usize = detector.window.rows.iter().map(Vec::len).sum();
        assert!(buckets <= 6 * 16, "{buckets}");
    }

    #[test]
    fn odd_settings_neither_hang_nor_break_it() {
        for max_buckets in [1, 2, 3] {
            for clock in [0, 1, 7] {
                let set =
                    AdwinSettings { delta: 0.2, clock, max_buckets, min_window_length: 0, grace_period: 0 };
                let mut detector = Adwin::new(set);
                let mut random = fastrand::Rng::with_seed(9);
                let mut seen = 0;
                for i in 0..20_000 {
                    let level = if (i / 500) % 2 == 0 { 0.0 } else { 8.0 };
                    seen += i32::from(detector.update(level + random.f64()) != Step::Quiet);
                }
                assert!(seen > 0 || clock == 0, "buckets {max_buckets} clock {clock}: {seen}");
            }
        }
    }

    #[test]
    fn what_was_detected_stands_until_the_next_observation() {
        let set = AdwinSettings { delta: 0.01, clock: 1, ..AdwinSettings::default() };
        let mut detector = Adwin::new(set);
        assert_eq!((detector.gauge(), detector.after()), (None, None));
        let mut step = Step::Quiet;
        for i in 0..400 {
            let before = detector.gauge();
            step = detector.update(if i < 200 { 0.0 } else { 1.0 });
            if step != Step::Quiet {
                break;
            }
            assert!(before.is_none_or(|(apart, bound, _)| apart <= bound), "at {i}: {before:?}");
        }
        assert_eq!(step, Step::Detected(Direction::Up));
        let (apart, bound, direction) = detector.gauge().unwrap();
        assert!(apart > bound && bound > 0.0 && direction == Direction::Up, "{apart} {bound}");
        let (newer, level) = detector.after().unwrap();
        assert!((8..40).contains(&newer) && level > 0.5, "{newer} {level}");
        let back: Adwin = serde_json::from_str(&serde_json::to_string(&detector).unwrap()).unwrap();
        assert_eq!(back, detector);
        detector.update(1.0);
        assert_eq!((detector.gauge(), detector.after()), (None, None));
    }

    #[test]
    fn numbers_that_are_not_finite_are_counted_and_left_out() {
        let mut detector = Adwin::new(AdwinSettings::default());
        let mut clean = detector.clone();
        for i in 0..400 {
            assert_eq!(detector.update(f64::NAN), Step::Rejected);
            let x = if i < 200 { 1.0 } else { 50.0 };
            assert_eq!(detector.update(x), clean.update(x));
        }
        assert_eq!(detector.state(), clean.state());
        assert_eq!(detector.rejected(), 400);
    }
}
