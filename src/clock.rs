//! The only place outside `supervision` that asks the machine what time it is.
//!
//! Wall-clock time explains (it stands in logs, alerts and venue requests); monotonic time decides
//! (timeouts, ages). Decisions receive `now` as an argument, so only shells call this module.

use chrono::{DateTime, Utc};
use std::time::{Instant, SystemTime};

/// The wall clock, UTC.
#[expect(clippy::disallowed_methods, reason = "the clock module itself")]
#[must_use]
pub fn wall() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// The monotonic clock.
#[expect(clippy::disallowed_methods, reason = "the clock module itself")]
#[must_use]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Milliseconds since the UNIX epoch on the wall clock, as venues stamp their requests.
#[must_use]
pub fn wall_millis() -> i64 {
    wall().timestamp_millis()
}
