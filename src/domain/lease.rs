//! The lease: a deadline in one word of memory that whoever judges the truth keeps moving, and that the last hop reads.
//!
//! While it has not run out, placements may go out; when its holder dies or hangs, nobody moves it any more and trading
//! is disarmed by the passing of time alone, without a word, a lock or a message. Read and written from any thread. It
//! promises: a lease that was never renewed does not hold. It reads no clock: instants are passed in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// The word for a lease that never runs out.
const FOR_EVER: u64 = u64::MAX;

/// See the module's head. Clones are ends of the same lease.
#[derive(Debug, Clone)]
pub struct Lease {
    origin: Instant,
    /// Nanoseconds since the origin up to which it holds; zero when it was never renewed.
    until: Arc<AtomicU64>,
}

impl Lease {
    /// One that does not hold until it is renewed.
    #[must_use]
    pub fn new(origin: Instant) -> Self {
        Self { origin, until: Arc::default() }
    }

    /// One that always holds, for whoever trades without a judge: tools and tests of a venue alone.
    #[must_use]
    pub fn unlimited(origin: Instant) -> Self {
        Self { origin, until: Arc::new(AtomicU64::new(FOR_EVER)) }
    }

    /// Lets it hold from `now` on for `length`. It never gets shorter by that.
    pub fn renew(&self, now: Instant, length: Duration) {
        let until = self.nanos(now).saturating_add(u64::try_from(length.as_nanos()).unwrap_or(FOR_EVER));
        self.until.fetch_max(until, SeqCst);
    }

    /// Does it hold?
    #[must_use]
    pub fn holds(&self, now: Instant) -> bool {
        self.nanos(now) < self.until.load(SeqCst)
    }

    /// How long it still holds; zero when it does not.
    #[must_use]
    pub fn left(&self, now: Instant) -> Duration {
        Duration::from_nanos(self.until.load(SeqCst).saturating_sub(self.nanos(now)))
    }

    fn nanos(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.origin).as_nanos()).unwrap_or(FOR_EVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_holds_only_while_somebody_renews_it() {
        let start = now();
        let lease = Lease::new(start);
        let ms = Duration::from_millis;
        assert!(!lease.holds(start), "it was never renewed");
        lease.renew(start, ms(100));
        assert!(lease.holds(start) && lease.clone().holds(start + ms(99)));
        assert!(!lease.holds(start + ms(100)));
        assert_eq!(lease.left(start + ms(40)), ms(60));
        lease.renew(start + ms(50), ms(100));
        assert!(lease.holds(start + ms(149)) && !lease.holds(start + ms(150)));
        // A renewal that was late by its own clock takes nothing away.
        lease.renew(start + ms(10), ms(1));
        assert!(lease.holds(start + ms(149)));
        assert_eq!(lease.left(start + ms(500)), Duration::ZERO);
    }

    #[test]
    fn an_unlimited_one_always_holds() {
        let start = now();
        assert!(Lease::unlimited(start).holds(start + Duration::from_secs(1 << 32)));
    }

    #[expect(clippy::disallowed_methods, reason = "a test needs some instant")]
    fn now() -> Instant {
        Instant::now()
    }
}
