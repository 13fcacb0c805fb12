//! How often one anomaly may speak: so many alarms in an hour, and then it is quiet until the hour has passed.

use crate::domain::time::Mono;
use std::collections::VecDeque;

const HOUR_MS: u64 = 3_600_000;

/// See the module's head.
#[derive(Debug, Clone, Default)]
pub(super) struct Limiter {
    spoken: VecDeque<Mono>,
}

impl Limiter {
    /// May it speak once more? Counts it when it may.
    pub(super) fn may(&mut self, now: Mono, per_hour: usize) -> bool {
        while self.spoken.front().is_some_and(|first| now.since(*first) >= HOUR_MS) {
            self.spoken.pop_front();
        }
        let may = self.spoken.len() < per_hour;
        if may {
            self.spoken.push_back(now);
        }
        may
    }
}
