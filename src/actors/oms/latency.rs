//! How long the stages of an order took, as histograms that never grow.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the buckets, microseconds.
pub const BOUNDS_US: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
    30_000_000,
];

/// One stage.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len()],
    beyond: AtomicU64,
    sum_us: AtomicU64,
}

impl Histogram {
    /// Notes one duration.
    pub fn note(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.iter().position(|bound| us <= *bound);
        bucket.and_then(|at| self.buckets.get(at)).unwrap_or(&self.beyond).fetch_add(1, Relaxed);
        self.sum_us.fetch_add(us, Relaxed);
    }

    /// Counts per bucket (not cumulative), the count beyond the last bound, and the sum in microseconds.
    #[must_use]
    pub fn read(&self) -> (Vec<u64>, u64, u64) {
        let buckets = self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        (buckets, self.beyond.load(Relaxed), self.sum_us.load(Relaxed))
    }
}

/// The stages, each measured from the moment the request was read from the mailbox.
#[derive(Debug, Default)]
pub struct Latencies {
    /// Until the intent was on disk.
    pub journal: Histogram,
    /// Until the venue's first word.
    pub venue_ack: Histogram,
    /// Until the first fill was booked.
    pub fill: Histogram,
}
