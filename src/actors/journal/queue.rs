//! What waits to be written, and what is refused: pure, so that it can be tested without a disk.
//!
//! Intents may be refused, because nothing was sent yet. Evidence of what happened elsewhere may not: it waits, in
//! order, until the disk takes it. A snapshot whose author had not heard of every refusal is dropped, because it
//! would hold facts that never became durable; the rows beside it stand.

use super::mail::JournalAnswer;
use crate::domain::journal::{Batch, Ticket};
use std::collections::VecDeque;

/// Rows in one transaction. Beyond this, waiting for the disk is no longer what costs.
pub const GROUP_ROWS: usize = 512;
/// Rows that may wait for a disk that takes none.
pub const BACKLOG_ROWS_MAX: usize = 100_000;

/// More waits than may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{rows} rows of evidence wait for the disk; at most {BACKLOG_ROWS_MAX} may")]
pub(super) struct Overrun {
    pub(super) rows: usize,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// The session that may append.
    session: Option<u64>,
    waiting: VecDeque<Batch>,
    rows: usize,
    /// Why nothing can be written now.
    down: Option<String>,
    refusals: u64,
    answers: VecDeque<JournalAnswer>,
}

/// Rows of a batch, at least one: a batch of projections alone takes room as well.
fn weight(batch: &Batch) -> usize {
    batch.rows.len().max(1)
}

impl Queue {
    /// Lets a new session append.
    pub(super) fn begin(&mut self, session: u64) {
        self.close();
        self.answers.clear();
        (self.session, self.refusals) = (Some(session), 0);
        if self.down.is_some() {
            self.answers.push_back(JournalAnswer::Writable { session, writable: false });
        }
    }

    /// Lets nobody append and drops what waits; answers how many rows that was.
    pub(super) fn close(&mut self) -> usize {
        self.waiting.clear();
        self.session = None;
        std::mem::take(&mut self.rows)
    }

    /// Takes a batch, or refuses it.
    pub(super) fn push(&mut self, session: u64, batch: Batch) -> Result<(), Overrun> {
        if self.session != Some(session) {
            let why = "its session is over".to_owned();
            self.answers.push_back(JournalAnswer::Refused { session, ticket: batch.ticket, why });
            return Ok(());
        }
        let rows = self.rows.saturating_add(weight(&batch));
        let full = rows > BACKLOG_ROWS_MAX;
        match (&self.down, full, batch.refusable) {
            (Some(why), _, true) => {
                let why = why.clone();
                self.refuse(batch.ticket, why);
            }
            (None, true, true) => self.refuse(batch.ticket, "too much waits to be written".to_owned()),
            (_, true, false) => return Err(Overrun { rows }),
            (_, false, _) => {
                self.rows = rows;
                self.waiting.push_back(batch);
            }
        }
        Ok(())
    }

    fn refuse(&mut self, ticket: Ticket, why: String) {
        self.refusals = self.refusals.saturating_add(1);
        if let Some(session) = self.session {
            self.answers.push_back(JournalAnswer::Refused { session, ticket, why });
        }
    }

    /// Takes the next group, snapshots that may not be kept removed. What is not written comes back through
    /// [`Self::failed`].
    pub(super) fn group(&mut self, rows_max: usize) -> Vec<Batch> {
        let (mut taken, mut rows) = (Vec::new(), 0_usize);
        while let Some(next) = self.waiting.front() {
            let with_next = rows.saturating_add(weight(next));
            if with_next > rows_max && !taken.is_empty() {
                break;
            }
            let Some(mut batch) = self.waiting.pop_front() else { break };
            rows = with_next;
            if batch.snapshot.as_ref().is_some_and(|taken| taken.refusals_seen != self.refusals) {
                batch.snapshot = None;
            }
            taken.push(batch);
        }
        self.rows = self.rows.saturating_sub(rows);
        taken
    }

    /// A group was written.
    pub(super) fn written(&mut self, group: &[Batch]) {
        let Some((session, last)) = self.session.zip(group.last()) else { return };
        let durable = JournalAnswer::Durable { session, ticket: last.ticket };
        match self.answers.back_mut() {
            Some(answer @ JournalAnswer::Durable { .. }) => *answer = durable,
            Some(_) | None => self.answers.push_back(durable),
        }
    }

    /// One batch contradicts what is on record and was taken out.
    pub(super) fn contradicted(&mut self, batch: &Batch, why: String) {
        self.refuse(batch.ticket, why);
    }

    /// A group was not written, nor can anything be now: intents are refused, evidence waits at the front.
    pub(super) fn failed(&mut self, group: Vec<Batch>, why: &str) {
        let first = self.down.replace(why.to_owned()).is_none();
        let mut kept = VecDeque::new();
        for batch in group.into_iter().chain(std::mem::take(&mut self.waiting)) {
            if batch.refusable {
                self.refuse(batch.ticket, why.to_owned());
            } else {
                kept.push_back(batch);
            }
        }
        self.rows = kept.iter().map(weight).sum();
        self.waiting = kept;
        if let Some(session) = self.session.filter(|_| first) {
            self.answers.push_back(JournalAnswer::Writable { session, writable: false });
        }
    }

    /// Something was written and nothing waits any more: intents are taken again. True when that is news.
    pub(super) fn recovered(&mut self) -> bool {
        if self.down.is_none() || !self.waiting.is_empty() {
            return false;
        }
        self.down = None;
        if let Some(session) = self.session {
            self.answers.push_back(JournalAnswer::Writable { session, writable: true });
        }
        true
    }

    /// Why nothing can be written now.
    pub(super) fn down(&self) -> Option<&str> {
        self.down.as_deref()
    }

    /// Rows that wait.
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// Batches refused in this session.
    pub(super) const fn refusals(&self) -> u64 {
        self.refusals
    }

    /// Does nothing wait?
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Answers that are owed, in order. What cannot be delivered now stays.
    pub(super) fn answers(&mut self) -> &mut VecDeque<JournalAnswer> {
        &mut self.answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Correlation;
    use crate::domain::journal::{NewRow, Snapshot};
    use crate::domain::time::WallMs;

    fn batch(ticket: u64, rows: usize, refusable: bool) -> Batch {
        let row = NewRow {
            kind: "note",
            correlation: Correlation::new("c").unwrap(),
            at: WallMs(0),
            payload: "{}".to_owned(),
        };
        Batch { ticket: Ticket(ticket), rows: vec![row; rows], refusable, ..Batch::default() }
    }

    fn open() -> Queue {
        let mut queue = Queue::default();
        queue.begin(7);
        queue
    }

    fn tickets(group: &[Batch]) -> Vec<u64> {
        group.iter().map(|batch| batch.ticket.0).collect()
    }

    fn said(queue: &mut Queue) -> Vec<String> {
        let word = |answer| match answer {
            JournalAnswer::Durable { ticket, .. } => format!("durable {}", ticket.0),
            JournalAnswer::Refused { ticket, .. } => format!("refused {}", ticket.0),
            JournalAnswer::Writable { writable, .. } => format!("writable {writable}"),
        };
        queue.answers().drain(..).map(word).collect()
    }

    #[test]
    fn groups_are_whole_batches_in_order() {
        let mut queue = open();
        for ticket in 1..=5 {
            queue.push(7, batch(ticket, 200, false)).unwrap();
        }
        assert_eq!(tickets(&queue.group(512)), [1, 2]);
        assert_eq!(tickets(&queue.group(100)), [3], "a batch larger than a group goes alone");
        assert_eq!(tickets(&queue.group(512)), [4, 5]);
        assert_eq!((queue.rows(), queue.is_empty()), (0, true));
    }

    #[test]
    fn one_answer_covers_everything_before_it() {
        let mut queue = open();
        queue.written(&[batch(1, 1, false), batch(2, 1, false)]);
        queue.written(&[batch(3, 1, false)]);
        assert_eq!(said(&mut queue), ["durable 3"]);
    }

    #[test]
    fn a_failure_refuses_intents_and_keeps_evidence_in_order() {
        let mut queue = open();
        for (ticket, refusable) in [(1, true), (2, false), (3, true), (4, false)] {
            queue.push(7, batch(ticket, 1, refusable)).unwrap();
        }
        let group = queue.group(2);
        queue.failed(group, "full");
        queue.push(7, batch(5, 1, true)).unwrap();
        queue.push(7, batch(6, 1, false)).unwrap();
        assert_eq!(said(&mut queue), ["refused 1", "refused 3", "writable false", "refused 5"]);
        assert!(!queue.recovered(), "evidence waits");
        let group = queue.group(512);
        assert_eq!(tickets(&group), [2, 4, 6]);
        queue.written(&group);
        assert!(queue.recovered() && !queue.recovered());
        assert_eq!(said(&mut queue), ["durable 6", "writable true"]);
    }

    #[test]
    fn a_snapshot_that_did_not_hear_of_a_refusal_is_dropped() {
        let mut queue = open();
        let with = |ticket, refusals_seen| Batch {
            snapshot: Some(Snapshot { state: "{}".to_owned(), refusals_seen }),
            ..batch(ticket, 1, false)
        };
        queue.push(7, batch(1, 1, true)).unwrap();
        queue.push(7, with(2, 0)).unwrap();
        let group = queue.group(1);
        queue.failed(group, "full");
        queue.push(7, with(3, 1)).unwrap();
        let kept: Vec<bool> = queue.group(512).iter().map(|batch| batch.snapshot.is_some()).collect();
        assert_eq!(kept, [false, true]);
    }

    #[test]
    fn earlier_sessions_are_over() {
        let mut queue = open();
        queue.push(7, batch(1, 1, false)).unwrap();
        assert_eq!(queue.close(), 1, "a row was dropped");
        queue.begin(8);
        queue.push(7, batch(2, 1, false)).unwrap();
        assert!(queue.is_empty());
        assert!(matches!(queue.answers().pop_front(), Some(JournalAnswer::Refused { session: 7, .. })));
        queue.failed(Vec::new(), "full");
        queue.begin(9);
        assert_eq!(said(&mut queue), ["writable false"], "a new session hears how it is");
    }

    #[test]
    fn the_backlog_is_bounded() {
        let mut queue = open();
        queue.failed(Vec::new(), "full");
        for ticket in 0..10 {
            queue.push(7, batch(ticket, BACKLOG_ROWS_MAX / 10, false)).unwrap();
        }
        assert_eq!(queue.push(7, batch(11, 1, false)), Err(Overrun { rows: BACKLOG_ROWS_MAX + 1 }));
    }
}
