//! How far the venue's clock is from ours, from the midpoint of a round trip.
//!
//! Pure. Of several samples the one with the shortest round trip is the best witness; a sample expires, so
//! that a clock that jumped is noticed by the next one.

use crate::domain::time::Mono;

/// A sample stays the best for so long.
const KEEP_MS: u64 = 60_000;

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Venue minus local, milliseconds.
    pub offset_ms: i64,
    /// Round trip, milliseconds.
    pub round_trip_ms: u64,
    /// When it was taken.
    pub at: Mono,
}

/// The best current measurement.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClockOffset {
    best: Option<Sample>,
}

impl ClockOffset {
    /// Adds a measurement: our wall clock when the request left, the round trip, the venue's answer.
    pub fn observe(&mut self, at: Mono, sent_wall_ms: i64, round_trip_ms: u64, venue_ms: i64) {
        let half = i64::try_from(round_trip_ms / 2).unwrap_or(i64::MAX);
        let offset_ms = venue_ms.saturating_sub(sent_wall_ms.saturating_add(half));
        let sample = Sample { offset_ms, round_trip_ms, at };
        let replace = self.best.is_none_or(|held| {
            let apart = held.offset_ms.saturating_sub(offset_ms).unsigned_abs();
            // Two samples can differ by half of both round trips; further apart, a clock has moved.
            let explained = held.round_trip_ms.saturating_add(round_trip_ms) / 2 + 1;
            round_trip_ms <= held.round_trip_ms || at.since(held.at) >= KEEP_MS || apart > explained
        });
        if replace {
            self.best = Some(sample);
        }
    }

    /// Forgets everything, so that the next sample counts whatever its round trip.
    pub fn reset(&mut self) {
        self.best = None;
    }

    /// The best measurement.
    #[must_use]
    pub fn sample(&self) -> Option<Sample> {
        self.best
    }

    /// Our wall clock corrected to the venue's.
    #[must_use]
    pub fn venue_time(&self, wall_ms: i64) -> i64 {
        wall_ms.saturating_add(self.best.map_or(0, |sample| sample.offset_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midpoint_and_best_witness() {
        let mut clock = ClockOffset::default();
        assert_eq!(clock.venue_time(1_000), 1_000);
        clock.observe(Mono(1), 1_000, 100, 2_322);
        assert_eq!(clock.sample().unwrap().offset_ms, 1_272);
        clock.observe(Mono(2), 2_000, 400, 3_500);
        assert_eq!(clock.sample().unwrap().offset_ms, 1_272, "a slower sample that agrees is ignored");
        clock.observe(Mono(3), 3_000, 10, 4_280);
        assert_eq!(clock.venue_time(5_000), 6_275);
    }

    #[test]
    fn a_jump_is_believed_at_once() {
        let mut clock = ClockOffset::default();
        clock.observe(Mono(1), 1_000, 2, 1_001);
        clock.observe(Mono(2), 1_000, 50, 61_025);
        assert_eq!(clock.sample().unwrap().offset_ms, 60_000);
    }
}
