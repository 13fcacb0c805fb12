//! Time inside the supervision layer.
//!
//! * [`Moment`]: monotonic time since the tree's origin, the only time the pure machine sees.
//! * [`TreeClock`]: reads tokio's clock, so that a paused runtime drives every window, backoff and deadline.
//! * [`CoarseClock`]: advanced by the watchdog; stamps mail for one relaxed load instead of
//!   a clock read per message. Its resolution is the watchdog's tick.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
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

/// When a message was sent: hundredths of a second since the tree's origin, 497 days at most (later
/// messages carry the last value, and a restart policy keeps them). Never zero inside, so that an
/// envelope without a stamp is no larger and stays in the allocator's smallest class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(NonZeroU32);

impl Stamp {
    /// The origin: older than every message.
    pub(crate) const ORIGIN: Self = Self(NonZeroU32::MIN);

    fn at(hundredths: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(hundredths))
    }

    /// This stamp less `age`.
    pub(crate) fn before(self, age: Duration) -> Self {
        let age = u32::try_from(age.as_millis() / 10).unwrap_or(u32::MAX);
        Self(NonZeroU32::new(self.0.get().saturating_sub(age)).unwrap_or(NonZeroU32::MIN))
    }
}

/// A shared counter of hundredths of a second; see the module's head.
#[derive(Debug, Clone, Default)]
pub struct CoarseClock(Arc<AtomicU32>);

impl CoarseClock {
    /// The time of the last tick.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp::at(self.0.load(Ordering::Relaxed))
    }

    /// Moves the clock to `now`; it never goes backwards.
    pub fn advance(&self, now: Moment) {
        let hundredths = u32::try_from(now.since_origin().as_millis() / 10).unwrap_or(u32::MAX);
        self.0.fetch_max(hundredths, Ordering::Relaxed);
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
        clock.advance(Moment::from_origin(Duration::from_millis(70)));
        clock.advance(Moment::from_origin(Duration::from_millis(30)));
        assert_eq!(clock.stamp(), Stamp::at(7));
        assert_eq!(clock.stamp().before(Duration::from_millis(50)), Stamp::at(2));
        assert_eq!(clock.stamp().before(Duration::from_secs(5)), Stamp::ORIGIN);
    }
}
