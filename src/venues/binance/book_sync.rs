//! Keeps one instrument's book in step: buffer diffs, take a snapshot, apply, and start again on a gap.
//!
//! Pure: it asks for snapshots by effect and never fetches one. It promises that [`BookSync::book`] shows a
//! book only while that book follows the venue's without a gap.

use crate::domain::book::{Applied, Diff, OrderBook};
use crate::domain::market::BookLoss;
use crate::domain::time::Mono;
use crate::venues::binance::messages::market::Snapshot;
use std::collections::VecDeque;

/// Diffs that wait for a snapshot: 100 s at the venue's pace of one per 100 ms.
const MAX_BUFFERED: usize = 1_000;
/// Pause between two snapshot requests of one instrument.
const RETRY_MS: u64 = 500;

/// What the shell must do, or may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookEffect {
    /// Fetch a snapshot now.
    Fetch,
    /// The book moved.
    Moved,
    /// The book is in step again.
    InStep,
    /// The book is lost.
    Lost(BookLoss),
}

/// One instrument's book and what it waits for.
#[derive(Debug)]
pub struct BookSync {
    book: Option<OrderBook>,
    buffered: VecDeque<Diff>,
    fetching: bool,
    fetch_at: Option<Mono>,
    resyncs: u64,
}

impl Default for BookSync {
    fn default() -> Self {
        Self { book: None, buffered: VecDeque::new(), fetching: false, fetch_at: Some(Mono(0)), resyncs: 0 }
    }
}

impl BookSync {
    /// The book, while it is in step.
    #[must_use]
    pub fn book(&self) -> Option<&OrderBook> {
        self.book.as_ref()
    }

    /// Times the book was lost.
    #[must_use]
    pub fn resyncs(&self) -> u64 {
        self.resyncs
    }

    /// The connection is new: what is held cannot be continued.
    pub fn disconnected(&mut self) -> Option<BookEffect> {
        self.buffered.clear();
        self.fetching = false;
        self.fetch_at = Some(Mono(0));
        self.book.take().map(|_| {
            self.resyncs = self.resyncs.saturating_add(1);
            BookEffect::Lost(BookLoss::Disconnected)
        })
    }

    /// A diff came.
    pub fn diff(&mut self, now: Mono, diff: Diff) -> Vec<BookEffect> {
        let Some(book) = &mut self.book else {
            return self.buffer(now, diff);
        };
        match book.apply(&diff) {
            Ok(Applied::Stale) => Vec::new(),
            Ok(Applied::Moved) => vec![BookEffect::Moved],
            Err(loss) => {
                let mut out = self.lose(now, loss);
                out.extend(self.buffer(now, diff));
                out
            }
        }
    }

    fn lose(&mut self, now: Mono, loss: BookLoss) -> Vec<BookEffect> {
        self.book = None;
        self.buffered.clear();
        self.resyncs = self.resyncs.saturating_add(1);
        self.fetch_at = Some(now);
        vec![BookEffect::Lost(loss)]
    }

    fn buffer(&mut self, now: Mono, diff: Diff) -> Vec<BookEffect> {
        let mut out = Vec::new();
        if self.buffered.back().is_some_and(|last| diff.first > last.last.saturating_add(1)) {
            // A hole in the buffer: only what comes after it can follow a snapshot.
            self.buffered.clear();
        }
        if self.buffered.len() >= MAX_BUFFERED {
            out.push(BookEffect::Lost(BookLoss::BufferFull { limit: MAX_BUFFERED }));
            self.buffered.clear();
        }
        self.buffered.push_back(diff);
        out.extend(self.tick(now));
        out
    }

    /// Time passed, or the subscription is confirmed: is a snapshot due? It does not wait for a first diff:
    /// a quiet instrument may send none for minutes, and a gap would show when it comes.
    pub fn tick(&mut self, now: Mono) -> Option<BookEffect> {
        let due = self.book.is_none() && !self.fetching && self.fetch_at.is_some_and(|at| now >= at);
        due.then(|| {
            self.fetching = true;
            self.fetch_at = None;
            BookEffect::Fetch
        })
    }

    /// The snapshot could not be fetched; another try follows, not before `not_before`.
    pub fn fetch_failed(&mut self, now: Mono, not_before: Option<Mono>) {
        self.fetching = false;
        self.fetch_at = Some(now.plus(RETRY_MS).max(not_before.unwrap_or(now)));
    }

    /// When the next snapshot request is due.
    #[must_use]
    pub fn next_fetch(&self) -> Option<Mono> {
        self.fetch_at.filter(|_| self.book.is_none() && !self.fetching)
    }

    /// The snapshot came.
    pub fn snapshot(&mut self, now: Mono, snapshot: &Snapshot) -> Vec<BookEffect> {
        self.fetching = false;
        if self.book.is_some() {
            return Vec::new();
        }
        let oldest = self.buffered.front().map(|diff| diff.first);
        if oldest.is_some_and(|first| snapshot.last_update_id.saturating_add(1) < first) {
            // Older than what is buffered: the two cannot be joined, a later snapshot can.
            self.fetch_at = Some(now.plus(RETRY_MS));
            return Vec::new();
        }
        let joined = OrderBook::from_snapshot(snapshot.last_update_id, &snapshot.bids, &snapshot.asks)
            .and_then(|mut book| {
                for diff in &self.buffered {
                    book.apply(diff)?;
                }
                Ok(book)
            });
        match joined {
            Ok(book) => {
                self.buffered.clear();
                self.book = Some(book);
                vec![BookEffect::InStep]
            }
            Err(loss) => {
                self.fetch_at = Some(now.plus(RETRY_MS));
                self.resyncs = self.resyncs.saturating_add(1);
                vec![BookEffect::Lost(loss)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(first: u64, last: u64) -> Diff {
        Diff { first, last, ..Diff::default() }
    }

    fn snapshot(last_update_id: u64) -> Snapshot {
        Snapshot { last_update_id, bids: vec![], asks: vec![] }
    }

    #[test]
    fn buffer_snapshot_apply() {
        let mut sync = BookSync::default();
        assert_eq!(sync.diff(Mono(1), diff(5, 6)), vec![BookEffect::Fetch]);
        assert_eq!(sync.diff(Mono(2), diff(7, 9)), vec![]);
        assert!(sync.book().is_none());
        assert_eq!(sync.snapshot(Mono(3), &snapshot(7)), vec![BookEffect::InStep]);
        assert_eq!(sync.book().unwrap().update_id(), 9);
        assert_eq!(sync.diff(Mono(4), diff(10, 10)), vec![BookEffect::Moved]);
        assert_eq!(sync.diff(Mono(4), diff(9, 10)), vec![]);
    }

    #[test]
    fn a_quiet_instrument_is_in_step_without_a_diff() {
        let mut sync = BookSync::default();
        assert_eq!(sync.tick(Mono(1)), Some(BookEffect::Fetch));
        assert_eq!(sync.tick(Mono(2)), None, "one request at a time");
        assert_eq!(sync.snapshot(Mono(3), &snapshot(7)), vec![BookEffect::InStep]);
        assert_eq!(sync.diff(Mono(4), diff(6, 9)), vec![BookEffect::Moved], "the first diff may span it");
    }

    #[test]
    fn a_snapshot_older_than_the_buffer_is_taken_again() {
        let mut sync = BookSync::default();
        sync.diff(Mono(1), diff(5, 6));
        assert_eq!(sync.snapshot(Mono(2), &snapshot(3)), vec![]);
        assert_eq!(sync.next_fetch(), Some(Mono(502)));
        assert_eq!(sync.tick(Mono(501)), None);
        assert_eq!(sync.tick(Mono(502)), Some(BookEffect::Fetch));
        assert_eq!(sync.snapshot(Mono(503), &snapshot(4)), vec![BookEffect::InStep]);
    }

    #[test]
    fn a_gap_loses_the_book_and_fetches_again() {
        let mut sync = BookSync::default();
        sync.diff(Mono(1), diff(5, 6));
        sync.snapshot(Mono(2), &snapshot(6));
        let effects = sync.diff(Mono(3), diff(9, 9));
        assert_eq!(effects, vec![BookEffect::Lost(BookLoss::Gap { held: 6, got: 9 }), BookEffect::Fetch]);
        assert_eq!(sync.resyncs(), 1);
        assert_eq!(sync.snapshot(Mono(4), &snapshot(8)), vec![BookEffect::InStep]);
    }

    #[test]
    fn a_new_connection_starts_over() {
        let mut sync = BookSync::default();
        sync.diff(Mono(1), diff(5, 6));
        sync.snapshot(Mono(2), &snapshot(6));
        assert_eq!(sync.disconnected(), Some(BookEffect::Lost(BookLoss::Disconnected)));
        assert_eq!(sync.disconnected(), None);
        assert_eq!(sync.diff(Mono(3), diff(70, 71)), vec![BookEffect::Fetch]);
    }

    #[test]
    fn the_buffer_is_bounded() {
        let mut sync = BookSync::default();
        for id in 0..5_000 {
            sync.diff(Mono(1), diff(id, id));
        }
        assert!(sync.buffered.len() <= MAX_BUFFERED);
    }
}
