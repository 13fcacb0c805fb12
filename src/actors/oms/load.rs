//! Rebuilds the order management's state from the journal: the latest snapshot, then every later row.

use super::wiring::OmsPlan;
use crate::actors::journal::{Journal, JournalFailure, OpenSession, ReadRows};
use crate::domain::journal::{Row, Seq};
use crate::domain::oms::{Fact, Oms};
use crate::supervision::{AskError, Handle};
use std::time::Duration;

/// Rows read at once.
const PAGE: u32 = 5_000;
/// Opening verifies the chain since the last verified point.
const OPEN_WITHIN: Duration = Duration::from_secs(50);
/// One page.
const PAGE_WITHIN: Duration = Duration::from_secs(10);

/// The state, and the session in which it may be written on.
pub(super) struct Loaded {
    pub(super) core: Oms,
    pub(super) session: u64,
}

/// Why it is not loaded.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotLoaded {
    /// Rows are lost, changed or do not fit each other. Trying again changes nothing.
    #[error("{0}")]
    Corrupt(String),
    /// It may go better next time.
    #[error("{0}")]
    Unreadable(String),
}

impl From<JournalFailure> for NotLoaded {
    fn from(failure: JournalFailure) -> Self {
        match failure {
            JournalFailure::Corrupt { why } => Self::Corrupt(why),
            JournalFailure::Unreadable { why } => Self::Unreadable(why),
        }
    }
}

impl From<AskError> for NotLoaded {
    fn from(error: AskError) -> Self {
        Self::Unreadable(format!("the journal did not answer: {error}"))
    }
}

/// Loads it.
///
/// # Errors
/// [`NotLoaded`].
pub(super) async fn load(journal: Handle<Journal>, plan: OmsPlan) -> Result<Loaded, NotLoaded> {
    let began = crate::clock::monotonic();
    let opened = journal.ask(OpenSession, OPEN_WITHIN).await??;
    let mut settings = plan.settings;
    settings.tag.clone_from(&opened.tag);
    let (mut core, mut at) = match &opened.snapshot {
        Some((seq, state)) => {
            let refused = |error| NotLoaded::Corrupt(format!("snapshot at row {}: {error}", seq.0));
            (Oms::restore(settings, state).map_err(refused)?, *seq)
        }
        None => (Oms::new(settings).map_err(|error| NotLoaded::Corrupt(error.to_string()))?, Seq(0)),
    };
    let from = at;
    while at < opened.head {
        let rows = journal.ask(ReadRows { after: at, limit: PAGE }, PAGE_WITHIN).await??;
        let Some(last) = rows.last().map(|row| row.seq) else {
            let why = format!("rows after {} are missing; the journal's head is {}", at.0, opened.head.0);
            return Err(NotLoaded::Corrupt(why));
        };
        for row in &rows {
            let refused = |error| NotLoaded::Corrupt(format!("row {}: {error}", row.seq.0));
            replay(&mut core, row).map_err(refused)?;
        }
        at = last;
    }
    tracing::info!(
        event = "journal_replayed",
        snapshot = from.0,
        head = at.0,
        took_seconds = crate::clock::monotonic().saturating_duration_since(began).as_secs_f64(),
        "the order management's state is rebuilt"
    );
    Ok(Loaded { core, session: opened.number })
}

fn replay(core: &mut Oms, row: &Row) -> Result<(), String> {
    match Fact::from_row(&row.kind, &row.payload).map_err(|error| error.to_string())? {
        Some(fact) => core.apply(&fact, row.at).map_err(|error| error.to_string()),
        None => Ok(()),
    }
}
