//! The books of containment: reads what was under way when the process began, and hands every change of an intent to the
//! journal, in order, again where the journal lost it.
//!
//! It outlives the sentinel's incarnations. What waits for the disk is bounded; what finds no room is said in the log and
//! is found out after a restart, when its intent is verified anew.

use super::act::Books;
use crate::actors::journal::{Courier, Receipt};
use crate::clock;
use crate::domain::containment::{Intent, Restored, batch};
use crate::domain::journal::Ticket;
use crate::domain::time::WallMs;
use std::collections::BTreeMap;
use std::time::Duration;

/// Changes that may wait for the disk.
const WAITING_MAX: usize = 512;
/// Attempts at reading the database before containment begins without it.
const LOADS_MAX: u32 = 20;
/// Pause between them.
const LOAD_PAUSE: Duration = Duration::from_millis(250);

/// What became of a change that was handed over.
#[derive(Debug)]
pub(super) enum Handed {
    /// There is nowhere to write to.
    Nowhere,
    /// The journal's word will come here.
    Receipt(Receipt),
    /// It waits for another round, or found no room.
    Waits,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    courier: Option<Courier>,
    last: Ticket,
    /// The intent of each piece of work that is not known to be on disk.
    numbers: BTreeMap<Ticket, u64>,
    /// What was on disk has been read, or is known not to be readable.
    pub(super) is_loaded: bool,
}

impl Ledger {
    /// Another incarnation begins: nobody waits for the answers of before.
    pub(super) fn begin(&mut self, books: Option<&Books>) {
        match (&mut self.courier, books) {
            (Some(courier), _) => courier.renew(),
            (None, Some(books)) => self.courier = Some(Courier::new(books.journal.clone())),
            // Nothing is traded and nothing is written: there is nothing to read either.
            (None, None) => self.is_loaded = true,
        }
    }

    /// Hands a change over.
    pub(super) fn hand_over(&mut self, intent: &Intent, at: WallMs) -> Handed {
        let Some(courier) = &mut self.courier else { return Handed::Nowhere };
        if courier.len() >= WAITING_MAX {
            tracing::error!(
                event = "containment",
                number = intent.number,
                state = intent.state.word(),
                runbook = "journal_writer_stalled",
                "an intent is not written down: too much waits for the disk"
            );
            return Handed::Waits;
        }
        self.last = Ticket(self.last.0.saturating_add(1));
        match batch(intent, self.last, at) {
            Ok(batch) => {
                self.numbers.insert(self.last, intent.number);
                courier.hand_over(self.last, batch).map_or(Handed::Waits, Handed::Receipt)
            }
            Err(error) => {
                tracing::error!(event = "containment", %error, runbook = "alerting_degraded", "not written");
                Handed::Waits
            }
        }
    }

    /// The journal's word; the intent whose change is on disk now.
    pub(super) fn heard(&mut self, ticket: Ticket, round: u64, written: bool) -> Option<u64> {
        let courier = self.courier.as_mut()?;
        if courier.heard(ticket, round, written) { self.numbers.remove(&ticket) } else { None }
    }

    /// What the journal lost, handed over again.
    pub(super) fn again(&mut self) -> Vec<Receipt> {
        self.courier.as_mut().map(Courier::again).unwrap_or_default()
    }
}

/// What was on disk. A journal that is being opened is waited for; without one that can be read, numbers begin far beyond
/// any that it gave.
pub(super) async fn load(books: Books, window_ms: u64) -> Restored {
    for attempt in 1..=LOADS_MAX {
        let readers = books.readers.clone();
        let window = i64::try_from(window_ms).unwrap_or(i64::MAX);
        let since = WallMs(clock::wall_millis().saturating_sub(window));
        match tokio::task::spawn_blocking(move || readers.containment_to_restore(since)).await {
            Ok(Ok(restored)) => return restored,
            Ok(Err(error)) if attempt == LOADS_MAX => {
                tracing::error!(%error, runbook = "journal_corrupt", "containment begins without the database");
            }
            Ok(Err(_)) | Err(_) => tokio::time::sleep(LOAD_PAUSE).await,
        }
    }
    let last_number = u64::try_from(clock::wall_millis()).unwrap_or(0);
    Restored { last_number, intents: Vec::new() }
}
