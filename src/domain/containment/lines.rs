//! An intent in the form that the journal writes: a row of facts and the table's line, in one transaction.

use super::intent::Intent;
use crate::domain::ids::{Correlation, IdError};
use crate::domain::journal::{Batch, IntentLine, NewRow, Ticket};
use crate::domain::time::WallMs;

/// The rows' kind. Each holds the whole record after its change.
pub const KIND: &str = "containment";

/// A record that cannot be written, which none of these is.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// Not as JSON.
    #[error("an intent cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// Not under a name.
    #[error("an intent cannot be named: {0}")]
    Name(#[from] IdError),
}

/// The transaction of an intent as it is at a moment.
///
/// # Errors
/// [`LineError`].
pub fn batch(intent: &Intent, ticket: Ticket, at: WallMs) -> Result<Batch, LineError> {
    let record = serde_json::to_string(intent)?;
    let correlation = Correlation::new(&format!("containment-{}", intent.number))?;
    let row = NewRow { kind: KIND, correlation, at, payload: record.clone() };
    let line = IntentLine {
        number: i64::try_from(intent.number).unwrap_or(i64::MAX),
        at_ms: intent.requested_at.0,
        is_open: !intent.state.is_final(),
        alert: intent.because.clone(),
        action: intent.action.word().to_owned(),
        record,
    };
    Ok(Batch { ticket, rows: vec![row], intents: vec![line], ..Batch::default() })
}
