//! A figure per interval against its own baseline: too few (quotes), or too many (reconnections).

use super::baseline::{Baseline, Spread};
use super::limiter::Limiter;
use crate::domain::time::Mono;

/// Which side of the baseline is unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Far fewer than usual.
    Few,
    /// Far more than usual.
    Many,
}

/// The limits of one kind of anomaly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    pub(super) side: Side,
    /// Length of an interval, milliseconds.
    pub(super) interval_ms: u64,
    /// How many widths from the middle are unusual.
    pub(super) sigmas: f64,
    /// Few: at most this share of the median. Many: at least this many times the median.
    pub(super) share: f64,
    /// Few: a median below this says nothing. Many: fewer than this are never unusual.
    pub(super) least: f64,
    /// Intervals in a row that open it, and that close it.
    pub(super) in_a_row: u32,
    pub(super) kept_max: usize,
    pub(super) history_min: usize,
    pub(super) per_hour: usize,
}

/// An anomaly that is open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Open {
    pub(super) since: Mono,
    pub(super) observed: f64,
    pub(super) threshold: f64,
    pub(super) spread: Spread,
}

/// Counts, learns, and says when an interval is unusual.
#[derive(Debug, Clone)]
pub(super) struct Rate {
    limits: Limits,
    baseline: Baseline,
    begun: Option<(Mono, u64)>,
    unusual: u32,
    usual: u32,
    open: Option<Open>,
    limiter: Limiter,
}

impl Rate {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            baseline: Baseline::new(limits.kept_max, limits.history_min),
            limits,
            begun: None,
            unusual: 0,
            usual: 0,
            open: None,
            limiter: Limiter::default(),
        }
    }

    pub(super) const fn open(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// What is counted began anew, or may not be judged now: the interval is given up, the baseline stays.
    pub(super) const fn skip(&mut self) {
        self.begun = None;
        self.unusual = 0;
    }

    /// A hard rule speaks of the same thing: this one is quiet.
    pub(super) fn yield_to_rule(&mut self) {
        self.skip();
        self.open = None;
    }

    /// The counter as it stands; a counter that fell began anew.
    pub(super) fn step(&mut self, now: Mono, count: u64) {
        let Some((begun, before)) = self.begun else {
            self.begun = Some((now, count));
            return;
        };
        if count < before {
            return self.skip();
        }
        let length = now.since(begun);
        if length < self.limits.interval_ms {
            return;
        }
        self.begun = Some((now, count));
        // Whoever looks late sees a longer interval: the figure is put back to the interval's length.
        let counted = figure(count.saturating_sub(before));
        self.judge(now, counted * figure(self.limits.interval_ms) / figure(length));
    }

    fn judge(&mut self, now: Mono, observed: f64) {
        let Some(spread) = self.baseline.spread() else {
            return self.baseline.learn(observed);
        };
        let threshold = self.threshold(spread);
        let is_unusual = match self.limits.side {
            Side::Few => spread.median >= self.limits.least && observed < threshold,
            Side::Many => observed >= self.limits.least && observed > threshold,
        };
        if is_unusual {
            (self.unusual, self.usual) = (self.unusual.saturating_add(1), 0);
        } else {
            (self.unusual, self.usual) = (0, self.usual.saturating_add(1));
        }
        match &mut self.open {
            Some(open) => {
                open.observed = observed;
                if self.usual >= self.limits.in_a_row {
                    self.open = None;
                }
            }
            None if self.unusual >= self.limits.in_a_row => {
                if self.limiter.may(now, self.limits.per_hour) {
                    self.open = Some(Open { since: now, observed, threshold, spread });
                }
            }
            // What may become an anomaly is not learned from either.
            None if is_unusual => {}
            None => self.baseline.learn(observed),
        }
    }

    fn threshold(&self, spread: Spread) -> f64 {
        let width = self.limits.sigmas * spread.sigma;
        match self.limits.side {
            Side::Few => (spread.median * self.limits.share).min((spread.median - width).max(0.0)),
            Side::Many => (spread.median * self.limits.share).max(spread.median + width),
        }
    }
}

/// A count as a figure to reckon with; four thousand million in an interval is as many as any.
fn figure(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotes() -> Limits {
        Limits {
            side: Side::Few,
            interval_ms: 1_000,
            sigmas: 4.0,
            share: 0.25,
            least: 5.0,
            in_a_row: 2,
            kept_max: 60,
            history_min: 10,
            per_hour: 3,
        }
    }

    /// Steps through seconds with these many counts each; answers whether it is open at the end of each.
    fn run(rate: &mut Rate, from: &mut (u64, u64), counts: &[u64]) -> Vec<bool> {
        let each = |count: &u64| {
            from.0 += 1_000;
            from.1 += count;
            rate.step(Mono(from.0), from.1);
            rate.open().is_some()
        };
        counts.iter().map(each).collect()
    }

    #[test]
    fn a_collapse_opens_after_two_intervals_and_its_baseline_stands_still() {
        let (mut rate, mut at) = (Rate::new(quotes()), (0, 0));
        rate.step(Mono(0), 0);
        assert!(run(&mut rate, &mut at, &[100; 20]).iter().all(|open| !open));
        assert_eq!(run(&mut rate, &mut at, &[3, 3]), [false, true]);
        // An hour of outage does not become normal.
        assert!(run(&mut rate, &mut at, &[3; 3_600]).iter().all(|open| *open));
        let open = *rate.open().unwrap();
        assert!((open.spread.median - 100.0).abs() < 1e-9 && (open.observed - 3.0).abs() < 1e-9, "{open:?}");
        assert_eq!(run(&mut rate, &mut at, &[90, 95, 100]), [true, false, false]);
    }

    #[test]
    fn nothing_is_said_without_history_or_of_a_quiet_market() {
        let (mut rate, mut at) = (Rate::new(quotes()), (0, 0));
        rate.step(Mono(0), 0);
        assert!(run(&mut rate, &mut at, &[100, 100, 0, 0, 0]).iter().all(|open| !open), "no history");
        let (mut rate, mut at) = (Rate::new(quotes()), (0, 0));
        rate.step(Mono(0), 0);
        run(&mut rate, &mut at, &[2; 30]);
        assert!(run(&mut rate, &mut at, &[0; 30]).iter().all(|open| !open), "it was quiet before");
    }

    #[test]
    fn alarms_per_hour_are_bounded() {
        let (mut rate, mut at) = (Rate::new(quotes()), (0, 0));
        rate.step(Mono(0), 0);
        run(&mut rate, &mut at, &[100; 20]);
        let mut opened = 0;
        for _ in 0..10 {
            opened += usize::from(run(&mut rate, &mut at, &[0, 0])[1]);
            run(&mut rate, &mut at, &[100; 5]);
        }
        assert_eq!(opened, 3);
    }

    #[test]
    fn many_reconnections_are_unusual_and_one_is_not() {
        let limits = Limits { side: Side::Many, share: 3.0, least: 4.0, in_a_row: 1, ..quotes() };
        let (mut rate, mut at) = (Rate::new(limits), (0, 0));
        rate.step(Mono(0), 0);
        assert!(run(&mut rate, &mut at, &[0; 15]).iter().all(|open| !open));
        assert_eq!(run(&mut rate, &mut at, &[1, 3]), [false, false]);
        assert_eq!(run(&mut rate, &mut at, &[4, 0]), [true, false]);
    }

    #[test]
    fn a_counter_that_began_anew_is_no_collapse() {
        let (mut rate, mut at) = (Rate::new(quotes()), (0, 0));
        rate.step(Mono(0), 0);
        run(&mut rate, &mut at, &[100; 20]);
        at.1 = 0;
        assert!(run(&mut rate, &mut at, &[0, 100, 100, 100]).iter().all(|open| !open));
    }
}
