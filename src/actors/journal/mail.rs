//! The journal's messages.

use crate::db::TelemetryRow;
use crate::domain::control::ControlRow;
use crate::domain::journal::{Batch, Row, Seq, Ticket};
use crate::supervision::Port;
use actix::Message;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Begin a session: from here on batches of earlier sessions are refused.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<Session, JournalFailure>")]
pub struct OpenSession;

/// What a session begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Names the session; rises, and never repeats within a process.
    pub number: u64,
    /// The journal's tag, part of every venue client order id.
    pub tag: String,
    /// The newest state that was kept, and its row.
    pub snapshot: Option<(Seq, String)>,
    /// The last row. The chain is verified up to it.
    pub head: Seq,
}

/// Why the journal cannot be used. Trading must not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalFailure {
    /// Rows are lost or changed.
    #[error("the journal cannot be trusted: {why}")]
    Corrupt {
        /// What was found, with its runbook.
        why: String,
    },
    /// It cannot be read now.
    #[error("the journal cannot be read: {why}")]
    Unreadable {
        /// What was said.
        why: String,
    },
}

/// Read rows after a position, in order; at most `limit`.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<Vec<Row>, JournalFailure>")]
pub struct ReadRows {
    /// The position.
    pub after: Seq,
    /// Most rows.
    pub limit: u32,
}

/// Write batches, in order. Each becomes durable or is refused, and `done` hears of it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Append {
    /// The session in which they were decided.
    pub session: u64,
    /// The batches; their tickets rise.
    pub batches: Vec<Batch>,
    /// Who hears of it.
    pub done: Port<JournalAnswer>,
}

/// What became of batches. Answers come in the order of the tickets.
#[derive(Debug, Clone, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum JournalAnswer {
    /// Every batch up to this ticket is on the disk, or was refused before.
    Durable {
        /// Its session.
        session: u64,
        /// The last one.
        ticket: Ticket,
    },
    /// This one is not on the disk and never will be.
    Refused {
        /// Its session.
        session: u64,
        /// Which.
        ticket: Ticket,
        /// In words for the caller.
        why: String,
    },
    /// The journal cannot write now, or can again.
    Writable {
        /// The session.
        session: u64,
        /// Can it?
        writable: bool,
    },
}

/// Write measurements when nothing else waits. They may be lost.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct AppendTelemetry(pub Vec<TelemetryRow>);

/// Write what is known of requests that steered nothing else, when nothing else waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct AppendControls(pub Vec<ControlRow>);

/// Write one piece of the alert router's work, after everything of the order path that waits. Each is durable when
/// `done` hears of it; when `done` is dropped instead, it may or may not be.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct AppendAlerts {
    /// What.
    pub batch: Arc<Batch>,
    /// Hears that it is on the disk.
    pub done: oneshot::Sender<()>,
}
