//! Time inside the supervision layer.
//!
//! * [`Moment`]: monotonic time since the tree's origin, the only time the pure machine sees.
//! * [`TreeClock`]: reads tokio's clock, so that a paused runtime drives every window, backoff and deadline.
//! * [`CoarseClock`]: milliseconds advanced by the watchdog; stamps mail for one relaxed load instead of
//!   a clock read per message. Its resolution is the watchdog's tick.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Monotonic time since the origin of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(Duration);

impl Moment {
    /// The origin.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// `since` after the origin.
    #[must_use]
    pub const fn from_origin(since: Duration) -> Self {
        Self(since)
    }

    /// Time since the origin.
    #[must_use]
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// This moment plus `delay`, saturating.
    #[must_use]
    pub const fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(delay))
    }

    /// Time from `earlier` to this moment; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The clock of one tree.
#[derive(Debug, Clone, Copy)]
pub struct TreeClock {
    origin: Instant,
}

impl TreeClock {
    /// A clock whose origin is now.
    #[must_use]
    pub fn start() -> Self {
        Self { origin: instant_now() }
    }

    /// Now, as tokio sees it: virtual inside a runtime whose time is paused, real elsewhere.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment(instant_now().saturating_duration_since(self.origin))
    }

    /// The instant at which `moment` is reached.
    #[must_use]
    pub fn instant(&self, moment: Moment) -> Instant {
        self.origin + moment.0
    }
}

#[expect(clippy::disallowed_methods, reason = "the supervision layer's own clock module")]
fn instant_now() -> Instant {
    Instant::now()
}

/// A shared millisecond counter; see the module's head.
#[derive(Debug, Clone, Default)]
pub struct CoarseClock(Arc<AtomicU64>);

impl CoarseClock {
    /// Milliseconds since the tree's origin at the last tick.
    #[must_use]
    pub fn millis(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Moves the clock to `now`; it never goes backwards.
    pub fn advance(&self, now: Moment) {
        let millis = u64::try_from(now.since_origin().as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_max(millis, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_saturate() {
        let later = Moment::from_origin(Duration::from_secs(3));
        assert_eq!(later.since(Moment::ZERO), Duration::from_secs(3));
        assert_eq!(Moment::ZERO.since(later), Duration::ZERO);
        assert_eq!(later.after(Duration::MAX).since_origin(), Duration::MAX);
    }

    #[test]
    fn the_coarse_clock_never_goes_backwards() {
        let clock = CoarseClock::default();
        clock.advance(Moment::from_origin(Duration::from_millis(7)));
        clock.advance(Moment::from_origin(Duration::from_millis(3)));
        assert_eq!(clock.millis(), 7);
    }
}
