//! Hands work to the journal in order, and hands it over again when the journal lost it.
//!
//! The journal writes what it takes in order and answers in order. When an answer never comes, because the journal
//! began anew, everything that is not known to be on disk is handed over once more, still in order, so that an older
//! record never replaces a younger one. A row of the journal may then stand twice; records are whole, so it changes
//! nothing.

use super::mail::AppendAlerts;
use crate::domain::journal::{Batch, Ticket};
use crate::supervision::{Port, TellError};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::oneshot;

/// See the module's head.
#[derive(Debug)]
pub(in crate::actors) struct Courier {
    journal: Port<AppendAlerts>,
    waiting: VecDeque<(Ticket, Arc<Batch>)>,
    /// Rises with every handing over anew; answers of before mean nothing.
    round: u64,
    /// The journal did not take something: nothing more is handed over until the next round.
    halted: bool,
}

/// The end at which the journal's word for one piece of work arrives.
pub(in crate::actors) type Receipt = (Ticket, u64, oneshot::Receiver<()>);

impl Courier {
    pub(in crate::actors) const fn new(journal: Port<AppendAlerts>) -> Self {
        Self { journal, waiting: VecDeque::new(), round: 0, halted: false }
    }

    /// Hands over a piece of work; `None` when it has to wait for the next round.
    pub(in crate::actors) fn hand_over(&mut self, ticket: Ticket, batch: Batch) -> Option<Receipt> {
        let batch = Arc::new(batch);
        self.waiting.push_back((ticket, Arc::clone(&batch)));
        if self.halted { None } else { self.tell(ticket, batch) }
    }

    fn tell(&mut self, ticket: Ticket, batch: Arc<Batch>) -> Option<Receipt> {
        let (done, receipt) = oneshot::channel();
        match self.journal.tell(AppendAlerts { batch, done }) {
            Ok(()) => Some((ticket, self.round, receipt)),
            Err(TellError::Full(_) | TellError::Closed(_)) => {
                self.halted = true;
                None
            }
        }
    }

    /// The journal's word, or that none will come. True when it is news that a piece is on disk.
    pub(in crate::actors) fn heard(&mut self, ticket: Ticket, round: u64, written: bool) -> bool {
        if round != self.round {
            return false;
        }
        if !written {
            self.halted = true;
            return false;
        }
        let known = self.waiting.iter().position(|(waiting, _)| *waiting == ticket);
        if let Some(place) = known {
            self.waiting.remove(place);
        }
        known.is_some()
    }

    /// Begins the next round, if something was not taken.
    pub(in crate::actors) fn again(&mut self) -> Vec<Receipt> {
        if !self.halted {
            return Vec::new();
        }
        self.halted = false;
        self.round = self.round.saturating_add(1);
        let all: Vec<(Ticket, Arc<Batch>)> = self.waiting.iter().cloned().collect();
        let mut receipts = Vec::new();
        for (ticket, batch) in all {
            match self.tell(ticket, batch) {
                Some(receipt) => receipts.push(receipt),
                None => break,
            }
        }
        receipts
    }

    /// Whoever waited for answers is gone: everything that is not known to be on disk is handed over again.
    pub(in crate::actors) const fn renew(&mut self) {
        self.halted = true;
    }

    /// Pieces that are not known to be on disk.
    pub(in crate::actors) fn len(&self) -> usize {
        self.waiting.len()
    }
}
