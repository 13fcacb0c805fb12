//! The clock sentry: compares the wall clock with the monotonic clock once a second.
//!
//! Venue requests carry wall-clock stamps; a step makes them refused, and logs lie about order. It
//! promises to publish every step above its limit within one interval. It receives no messages. When it
//! dies it is replaced and begins with a fresh pair of readings, so a step during its absence is not
//! seen. It does not correct anything and decides nothing about trading.

use crate::clock;
use crate::supervision::{Cell, ChildSpec, Ctx, Handle, Placement, cell};
use actix::{Actor, AsyncContext};
use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use std::sync::Arc;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_secs(1);
const STEP_SECONDS_MAX: f64 = 0.5;

/// What the sentry has seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClockReading {
    /// When it last looked.
    pub looked_at: Instant,
    /// The largest step since start, seconds; positive when the wall clock jumped ahead.
    pub largest_step_seconds: f64,
    /// The last step beyond the limit, seconds, and when it was seen.
    pub last_step: Option<(f64, Instant)>,
}

/// The sentry's latest reading, shared with those who show it.
#[derive(Debug, Clone, Default)]
pub struct ClockReadings(Arc<RwLock<Option<ClockReading>>>);

impl ClockReadings {
    /// The latest reading; `None` before the first.
    #[must_use]
    pub fn latest(&self) -> Option<ClockReading> {
        *self.0.read()
    }
}

/// Step of the wall clock between two pairs of readings, seconds.
#[must_use]
pub fn step_seconds(before: (DateTime<Utc>, Instant), after: (DateTime<Utc>, Instant)) -> f64 {
    let wall = (after.0 - before.0).as_seconds_f64();
    let monotonic = after.1.saturating_duration_since(before.1).as_secs_f64();
    wall - monotonic
}

/// See the module's head.
struct ClockSentry {
    readings: ClockReadings,
    last: (DateTime<Utc>, Instant),
}

impl Actor for ClockSentry {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.look();
        ctx.run_interval(INTERVAL, |sentry, _| sentry.look());
    }
}

impl ClockSentry {
    fn look(&mut self) {
        let now = (clock::wall(), clock::monotonic());
        let step = step_seconds(self.last, now);
        self.last = now;
        let mut slot = self.readings.0.write();
        let before = slot.map_or(0.0, |reading| reading.largest_step_seconds);
        let largest_step_seconds = if step.abs() > before.abs() { step } else { before };
        let beyond = step.abs() > STEP_SECONDS_MAX;
        let last_step = if beyond { Some((step, now.1)) } else { slot.and_then(|reading| reading.last_step) };
        *slot = Some(ClockReading { looked_at: now.1, largest_step_seconds, last_step });
        drop(slot);
        if beyond {
            tracing::error!(
                event = "clock_skew",
                step_seconds = step,
                limit_seconds = STEP_SECONDS_MAX,
                runbook = "clock_skew",
                "the wall clock jumped"
            );
        }
    }
}

/// Declares the cell.
#[must_use]
pub fn declare(readings: ClockReadings) -> impl Into<crate::supervision::ChildDecl> {
    let (_, cell): (Handle<ClockSentry>, Cell<ClockSentry>) = cell("clock_sentry", spec(), move |_| {
        Ok(ClockSentry { readings: readings.clone(), last: (clock::wall(), clock::monotonic()) })
    });
    cell
}

fn spec() -> ChildSpec {
    ChildSpec {
        placement: Placement::Shared("housekeeping".to_owned()),
        metadata: vec![("workload".to_owned(), "clock comparison, 1/s".to_owned())],
        ..ChildSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_what_the_wall_clock_did_beyond_the_monotonic_one() {
        let wall = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let start = clock::monotonic();
        let second = Duration::from_secs(1);
        let steady = step_seconds((wall, start), (wall + second, start + second));
        let ahead = step_seconds((wall, start), (wall + second * 3600, start + second));
        let back = step_seconds((wall, start), (wall - second * 3600, start + second));
        assert!(steady.abs() < 1e-9, "{steady}");
        assert!((ahead - 3599.0).abs() < 1e-6 && (back + 3601.0).abs() < 1e-6, "{ahead} {back}");
    }
}
