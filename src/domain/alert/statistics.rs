//! How long incidents take to be found, told, taken on and ended: medians of the last ones, with their number.

use super::record::Alert;
use crate::domain::time::WallMs;
use std::collections::VecDeque;

/// Incidents that are remembered.
pub const REMEMBERED: usize = 500;

/// A median and how many values it is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Median {
    /// Milliseconds; `None` without a value.
    pub ms: Option<u64>,
    /// Values.
    pub n: usize,
}

#[derive(Debug, Clone, Default)]
struct Series(VecDeque<u64>);

impl Series {
    fn note(&mut self, from: WallMs, to: Option<WallMs>) {
        let Some(to) = to else { return };
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(u64::try_from(to.0.saturating_sub(from.0)).unwrap_or(0));
    }

    fn median(&self) -> Median {
        let mut sorted: Vec<u64> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let upper = sorted.get(sorted.len() / 2).copied();
        let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied();
        let ms = lower.zip(upper).map(|(a, b)| a.midpoint(b));
        Median { ms, n: sorted.len() }
    }
}

/// See the module's head. An incident counts when its root alert is over.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    detect: Series,
    notify: Series,
    acknowledge: Series,
    clear: Series,
}

/// The four medians.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Medians {
    /// From the beginning of the condition to the raise.
    pub detect: Median,
    /// From the raise to the first message that arrived.
    pub notify: Median,
    /// From the raise to the first acknowledgement.
    pub acknowledge: Median,
    /// From the raise to the end.
    pub clear: Median,
}

impl Statistics {
    /// Takes in an alert that is over; consequences do not count.
    pub fn note(&mut self, alert: &Alert) {
        if !alert.is_root() || alert.is_open() {
            return;
        }
        self.detect.note(alert.since, Some(alert.raised_at));
        self.notify.note(alert.raised_at, alert.first_told_at);
        self.acknowledge.note(alert.raised_at, alert.first_acked_at);
        self.clear.note(alert.raised_at, alert.cleared_at);
    }

    /// The medians.
    #[must_use]
    pub fn medians(&self) -> Medians {
        Medians {
            detect: self.detect.median(),
            notify: self.notify.median(),
            acknowledge: self.acknowledge.median(),
            clear: self.clear.median(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::condition::Condition;
    use super::*;

    #[test]
    fn medians_come_with_their_number_and_count_roots_that_are_over() {
        let mut statistics = Statistics::default();
        let alert = |raised: i64, told: Option<i64>, cleared: Option<i64>| {
            let condition = Condition::new("disk_low", "x", "y");
            let mut alert = Alert::raised(1, "pl", &condition, WallMs(raised - 5), WallMs(raised));
            alert.first_told_at = told.map(WallMs);
            alert.cleared_at = cleared.map(WallMs);
            alert
        };
        for one in [
            alert(100, Some(110), Some(200)),
            alert(100, None, Some(400)),
            alert(100, Some(130), Some(500)),
            alert(100, Some(100), None),
            Alert { incident: "another".to_owned(), ..alert(1, Some(2), Some(3)) },
        ] {
            statistics.note(&one);
        }
        let medians = statistics.medians();
        assert_eq!(medians.detect, Median { ms: Some(5), n: 3 });
        assert_eq!(medians.notify, Median { ms: Some(20), n: 2 });
        assert_eq!(medians.clear, Median { ms: Some(300), n: 3 });
        assert_eq!(medians.acknowledge, Median { ms: None, n: 0 });
    }
}
