//! Conservation: what went into a stage came out of it, was dropped by it openly, or waits in it, within its bound.

use super::limiter::Limiter;
use crate::domain::health::{SessionFact, Stage};
use crate::domain::time::Mono;

/// Counters are read one after another while they move: so much is no mismatch.
const SLACK: u64 = 256;
/// Events that may wait between a session and whoever consumes, as the session's queue is bounded.
const WAITING_MAX: u64 = 16_384;
/// Looks in a row that must agree.
const IN_A_ROW: u32 = 4;

/// What does not add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) of: Stage,
    pub(super) went_in: u64,
    pub(super) came_out: u64,
    pub(super) dropped: u64,
}

/// Watches one session's flow.
#[derive(Debug, Clone, Default)]
pub(super) struct Flow {
    in_a_row: u32,
    open: Option<Mismatch>,
    limiter: Limiter,
}

impl Flow {
    pub(super) const fn open(&self) -> Option<&Mismatch> {
        self.open.as_ref()
    }

    pub(super) fn step(&mut self, now: Mono, session: &SessionFact, per_hour: usize) {
        match mismatch(session) {
            None => (self.in_a_row, self.open) = (0, None),
            Some(found) => {
                self.in_a_row = self.in_a_row.saturating_add(1);
                if self.open.is_some() {
                    self.open = Some(found);
                } else if self.in_a_row == IN_A_ROW && self.limiter.may(now, per_hour) {
                    self.open = Some(found);
                }
            }
        }
    }
}

fn mismatch(session: &SessionFact) -> Option<Mismatch> {
    let stage = |stage| session.stage(stage);
    let (received, decoded) = (stage(Stage::Received)?, stage(Stage::Decoded)?);
    let out = decoded.count.saturating_add(decoded.lost);
    if received.count.abs_diff(out) > SLACK {
        return Some(Mismatch {
            of: Stage::Decoded,
            went_in: received.count,
            came_out: decoded.count,
            dropped: decoded.lost,
        });
    }
    let (published, consumed) = (stage(Stage::Published)?, stage(Stage::Consumed)?);
    // Waiting is bounded, and nothing is consumed that was not published.
    let waiting = published.count.saturating_sub(consumed.count);
    let invented = consumed.count.saturating_sub(published.count);
    (waiting > WAITING_MAX.saturating_add(SLACK) || invented > SLACK).then_some(Mismatch {
        of: Stage::Consumed,
        went_in: published.count,
        came_out: consumed.count,
        dropped: published.lost,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::State;
    use crate::domain::health::samples;

    fn looked(change: impl Fn(&mut SessionFact), looks: u32) -> Option<Mismatch> {
        let mut flow = Flow::default();
        let mut session = samples::session(State::Live);
        change(&mut session);
        for look in 0..looks {
            flow.step(Mono(u64::from(look) * 250), &session, 6);
        }
        flow.open().copied()
    }

    fn count(session: &mut SessionFact, stage: Stage, count: u64, lost: u64) {
        for fact in session.stages.iter_mut().filter(|fact| fact.stage == stage) {
            (fact.count, fact.lost) = (count, lost);
        }
    }

    #[test]
    fn in_is_out_and_dropped_and_waiting() {
        assert_eq!(looked(|_| {}, 9), None);
        let dropped = |session: &mut SessionFact| {
            count(session, Stage::Received, 2_000, 0);
            count(session, Stage::Decoded, 900, 1_100);
        };
        assert_eq!(looked(dropped, 9), None, "what is dropped openly adds up");
        let lost = |session: &mut SessionFact| count(session, Stage::Received, 2_000, 0);
        assert_eq!(looked(lost, 3), None, "not at once");
        let found = looked(lost, 4).unwrap();
        assert_eq!((found.of, found.went_in, found.came_out), (Stage::Decoded, 2_000, 900));
        let invented = |session: &mut SessionFact| count(session, Stage::Consumed, 5_000, 0);
        assert_eq!(looked(invented, 4).map(|found| found.of), Some(Stage::Consumed));
        let waiting = |session: &mut SessionFact| count(session, Stage::Published, 16_000, 0);
        assert_eq!(looked(waiting, 9), None, "so much may wait");
        let stuck = |session: &mut SessionFact| count(session, Stage::Published, 60_000, 0);
        assert!(looked(stuck, 9).is_some());
    }
}
