//! What a session has to show for itself: the facts from which a health judge draws its own conclusions.
//!
//! Written by one session, read by anybody, without locks: each fact is one atomic, so a reader sees true
//! values, though not all of one instant. A session never says that it is healthy; it says what it last did.

use super::connection::State;
use super::time::Mono;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

/// The facts of one session. All instants are monotonic milliseconds; zero means never.
#[derive(Debug, Default)]
pub struct Evidence {
    last_frame: AtomicU64,
    last_data: AtomicU64,
    last_decoded: AtomicU64,
    last_published: AtomicU64,
    sequence: AtomicU64,
    connects: AtomicU64,
    attempts: AtomicU64,
    received: AtomicU64,
    decoded: AtomicU64,
    undecodable: AtomicU64,
    published: AtomicU64,
    dropped: AtomicU64,
    state: AtomicU8,
}

/// A copy of the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceView {
    /// Any frame, pings included.
    pub last_frame: Option<Mono>,
    /// A frame that carried data. This is what feed age is measured from.
    pub last_data: Option<Mono>,
    /// A data frame that could be read.
    pub last_decoded: Option<Mono>,
    /// An event handed to the consumer.
    pub last_published: Option<Mono>,
    /// The venue's last sequence or update number.
    pub sequence: u64,
    /// Sessions established after the first.
    pub reconnects: u64,
    /// Dials, successful or not.
    pub attempts: u64,
    /// Data frames received.
    pub received: u64,
    /// Data frames read.
    pub decoded: u64,
    /// Data frames that could not be read.
    pub undecodable: u64,
    /// Events published.
    pub published: u64,
    /// Events dropped because the consumer was too slow.
    pub dropped: u64,
    /// Session state.
    pub state: State,
}

const STATES: [State; 7] = [
    State::Disconnected,
    State::Connecting,
    State::Authenticating,
    State::Syncing,
    State::Live,
    State::Stale,
    State::Backoff,
];

impl Evidence {
    /// A frame came.
    pub fn frame(&self, now: Mono) {
        self.last_frame.store(now.0.max(1), Relaxed);
    }

    /// A data frame came.
    pub fn data(&self, now: Mono) {
        self.last_data.store(now.0.max(1), Relaxed);
        self.received.fetch_add(1, Relaxed);
    }

    /// It was read; `sequence` is the venue's number in it, if it has one.
    pub fn decoded(&self, now: Mono, sequence: Option<u64>) {
        self.last_decoded.store(now.0.max(1), Relaxed);
        self.decoded.fetch_add(1, Relaxed);
        if let Some(sequence) = sequence {
            self.sequence.store(sequence, Relaxed);
        }
    }

    /// It could not be read.
    pub fn undecodable(&self) {
        self.undecodable.fetch_add(1, Relaxed);
    }

    /// An event was handed over.
    pub fn published(&self, now: Mono) {
        self.last_published.store(now.0.max(1), Relaxed);
        self.published.fetch_add(1, Relaxed);
    }

    /// An event was dropped.
    pub fn dropped(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    /// A dial began.
    pub fn attempt(&self) {
        self.attempts.fetch_add(1, Relaxed);
    }

    /// A session was established.
    pub fn connected(&self) {
        self.connects.fetch_add(1, Relaxed);
    }

    /// The session's state changed.
    pub fn state(&self, state: State) {
        let code = STATES.iter().position(|s| *s == state).and_then(|at| u8::try_from(at).ok());
        self.state.store(code.unwrap_or(0), Relaxed);
    }

    /// A copy of the facts.
    #[must_use]
    pub fn view(&self) -> EvidenceView {
        let instant = |cell: &AtomicU64| Some(cell.load(Relaxed)).filter(|at| *at > 0).map(Mono);
        let state = STATES.get(usize::from(self.state.load(Relaxed))).copied();
        EvidenceView {
            last_frame: instant(&self.last_frame),
            last_data: instant(&self.last_data),
            last_decoded: instant(&self.last_decoded),
            last_published: instant(&self.last_published),
            sequence: self.sequence.load(Relaxed),
            reconnects: self.connects.load(Relaxed).saturating_sub(1),
            attempts: self.attempts.load(Relaxed),
            received: self.received.load(Relaxed),
            decoded: self.decoded.load(Relaxed),
            undecodable: self.undecodable.load(Relaxed),
            published: self.published.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            state: state.unwrap_or(State::Disconnected),
        }
    }
}

impl EvidenceView {
    /// Milliseconds since the last data frame; `None` before the first. Pings do not count.
    #[must_use]
    pub fn feed_age_ms(&self, now: Mono) -> Option<u64> {
        self.last_data.map(|at| now.since(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_survives_the_encoding() {
        let evidence = Evidence::default();
        for state in STATES {
            evidence.state(state);
            assert_eq!(evidence.view().state, state);
        }
    }

    #[test]
    fn pings_are_frames_but_not_data() {
        let evidence = Evidence::default();
        assert_eq!(evidence.view().feed_age_ms(Mono(9)), None);
        evidence.frame(Mono(5));
        assert_eq!((evidence.view().last_frame, evidence.view().last_data), (Some(Mono(5)), None));
        evidence.data(Mono(6));
        evidence.decoded(Mono(6), Some(77));
        evidence.frame(Mono(8));
        let view = evidence.view();
        assert_eq!((view.feed_age_ms(Mono(9)), view.sequence, view.received), (Some(3), 77, 1));
    }

    #[test]
    fn the_first_connect_is_not_a_reconnect() {
        let evidence = Evidence::default();
        evidence.connected();
        assert_eq!(evidence.view().reconnects, 0);
        evidence.connected();
        assert_eq!(evidence.view().reconnects, 1);
    }
}
