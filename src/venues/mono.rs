//! The shells' view of monotonic time: milliseconds since the process (or the test) made the clock.

use crate::domain::time::Mono;
use std::time::{Duration, Instant};

/// Turns the machine's monotonic clock into [`Mono`]. Copies share their origin.
#[derive(Debug, Clone, Copy)]
pub struct MonoClock {
    origin: Instant,
}

impl MonoClock {
    /// A clock whose zero lies one second in the past, so that zero can mean "never".
    #[must_use]
    pub fn new() -> Self {
        let now = crate::clock::monotonic();
        Self { origin: now.checked_sub(Duration::from_secs(1)).unwrap_or(now) }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Mono {
        Mono(
            u64::try_from(crate::clock::monotonic().duration_since(self.origin).as_millis())
                .unwrap_or(u64::MAX),
        )
    }

    /// Sleeps until `at`, which is at once when it lies behind.
    pub async fn sleep_until(&self, at: Mono) {
        let wait = at.since(self.now());
        // A deadline beyond a day is re-armed by the caller's loop; timers reject absurd ones.
        tokio::time::sleep(Duration::from_millis(wait.min(86_400_000))).await;
    }
}

impl Default for MonoClock {
    fn default() -> Self {
        Self::new()
    }
}
