//! How fast one caller may ask: a steady rate, and twice a second's worth at once.
//!
//! One instant per caller says when its bucket is full again; no timers, no floats. The table is bounded.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Callers that are remembered; there are at most 256 tokens.
const CALLERS_MAX: usize = 512;

/// See the module's head.
#[derive(Debug)]
pub(super) struct Pace {
    /// Time that one request takes from the bucket.
    each: Duration,
    /// How far ahead of the steady rate a caller may be.
    ahead: Duration,
    full_at: HashMap<String, Instant>,
}

impl Pace {
    /// At most `per_second` requests a second, twice as many at once.
    pub(super) fn new(per_second: u64) -> Self {
        let nanos = 1_000_000_000_u64.checked_div(per_second).unwrap_or(1_000_000_000).max(1);
        let each = Duration::from_nanos(nanos);
        let burst = u32::try_from(per_second.saturating_mul(2)).unwrap_or(u32::MAX);
        Self { each, ahead: each.saturating_mul(burst), full_at: HashMap::new() }
    }

    /// Takes a request of `caller`.
    ///
    /// # Errors
    /// How long to wait when it came too early.
    pub(super) fn take(&mut self, caller: &str, now: Instant) -> Result<(), Duration> {
        if !self.full_at.contains_key(caller) {
            if self.full_at.len() >= CALLERS_MAX {
                self.full_at.retain(|_, full_at| *full_at > now);
            }
            if self.full_at.len() >= CALLERS_MAX {
                return Err(self.each);
            }
        }
        let full_at = self.full_at.get(caller).copied().unwrap_or(now).max(now);
        let next = full_at.checked_add(self.each).unwrap_or(full_at);
        let ahead = next.saturating_duration_since(now);
        if ahead > self.ahead {
            return Err(ahead.saturating_sub(self.ahead));
        }
        self.full_at.insert(caller.to_owned(), next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_seconds_worth_at_once_then_the_steady_rate() {
        let mut pace = Pace::new(10);
        let mut now = crate::clock::monotonic();
        let burst = (0..100).filter(|_| pace.take("a", now).is_ok()).count();
        assert_eq!(burst, 20);
        assert_eq!(pace.take("a", now), Err(Duration::from_millis(100)));
        assert_eq!(pace.take("b", now), Ok(()), "each caller has its own");
        let mut taken = 0;
        for _ in 0..1_000 {
            now += Duration::from_millis(10);
            taken += u32::from(pace.take("a", now).is_ok());
        }
        assert_eq!(taken, 100, "ten a second for ten seconds");
    }

    #[test]
    fn the_table_is_bounded() {
        let mut pace = Pace::new(1);
        let now = crate::clock::monotonic();
        let taken = (0..1_000).filter(|n| pace.take(&n.to_string(), now).is_ok()).count();
        assert_eq!((taken, pace.full_at.len()), (CALLERS_MAX, CALLERS_MAX));
        assert!(pace.take("late", now + Duration::from_secs(2)).is_ok(), "who is quiet makes room");
    }
}
