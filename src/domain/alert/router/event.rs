//! What the router is told, and what it wants done.

use super::super::condition::{AlertKey, Held};
use super::super::delivery::Delivery;
use super::super::fact::AlertFact;
use super::super::lines::ChannelRecord;
use super::super::notice::{IdempotencyKey, Notice};
use super::super::record::Alert;
use super::super::severity::Severity;
use super::super::silence::Silence;
use crate::domain::journal::Ticket;
use crate::domain::time::WallMs;
use std::sync::Arc;

/// Names an asker, for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplyTo(pub u64);

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Take an alert on. By id or by key.
    Ack {
        /// Which.
        alert: String,
        /// Who.
        by: String,
        /// Why.
        reason: String,
        /// For how long; the configured time when `None`.
        for_ms: Option<u64>,
    },
    /// Tell nobody of some alerts for a while.
    Silence {
        /// Pattern of codes.
        code: String,
        /// Pattern of scopes.
        scope: String,
        /// Who.
        by: String,
        /// Why.
        reason: String,
        /// For how long.
        for_ms: u64,
    },
    /// Tell of them again.
    Unsilence {
        /// The silence.
        id: String,
        /// Who.
        by: String,
    },
    /// Send a message that tests a channel.
    Test {
        /// Which.
        channel: String,
        /// Who.
        by: String,
    },
}

/// What an asker hears, once it is on disk.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The alert as it is now.
    Alert(Box<Alert>),
    /// The silence as it is now.
    Silence(Box<Silence>),
    /// The message that tests the channel.
    Test(Box<Delivery>),
    /// Nothing was done.
    Refused(Refusal),
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such alert stands.
    #[error("no alert {alert:?} stands")]
    NoAlert {
        /// As asked.
        alert: String,
    },
    /// No such silence holds.
    #[error("no silence {id:?} holds")]
    NoSilence {
        /// As asked.
        id: String,
    },
    /// No such channel.
    #[error("no channel {channel:?} is configured")]
    NoChannel {
        /// As asked.
        channel: String,
    },
    /// A silence of what must be told.
    #[error("{code} says that something may trade on stale truth: nothing may hide it")]
    NeverHidden {
        /// The code.
        code: String,
    },
    /// Too many silences.
    #[error("{max} silences hold already; end one first")]
    TooManySilences {
        /// As many as may.
        max: usize,
    },
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// Its provider has it.
    Accepted {
        /// The provider's name for it.
        provider_id: Option<String>,
    },
    /// Trying again may help.
    Temporary {
        /// Why.
        why: String,
        /// Not sooner.
        retry_after_ms: Option<u64>,
    },
    /// Trying again cannot help.
    Permanent {
        /// Why.
        why: String,
    },
}

/// What a provider said about a message that it accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It is still under way.
    Pending,
    /// It arrived.
    Delivered,
    /// It will not arrive.
    Failed {
        /// Why.
        why: String,
    },
    /// It could not be asked now.
    Unasked {
        /// Why.
        why: String,
    },
    /// It cannot be asked at all.
    NotOffered,
}

/// What was on disk when the process began.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restored {
    /// The journal's tag, the beginning of every id.
    pub tag: String,
    /// The last number that was given.
    pub last_number: u64,
    /// The last number of a silence or canary that was given.
    pub last_word: u64,
    /// Alerts that stand, and those that are over while messages about them wait.
    pub alerts: Vec<Alert>,
    /// Deliveries that are not settled, those among them that a provider is asked about.
    pub deliveries: Vec<Delivery>,
    /// Silences that have not ended.
    pub silences: Vec<Silence>,
    /// What is kept of each channel.
    pub channels: Vec<(String, ChannelRecord)>,
    /// The last alerts that are over, oldest first, for the statistics.
    pub recent: Vec<Alert>,
}

/// What the router is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// What changed about the conditions: those that came and went, those that hold, those that do not any more.
    Observed {
        /// Came and went between two looks.
        blips: Vec<Held>,
        /// Hold.
        holding: Vec<Held>,
        /// Hold no longer.
        ended: Vec<AlertKey>,
    },
    /// Time has passed.
    Tick,
    /// Somebody asks.
    Asked {
        /// Whom to answer.
        reply: ReplyTo,
        /// What.
        ask: Ask,
    },
    /// What was to be committed is on disk.
    Committed {
        /// Which.
        ticket: Ticket,
    },
    /// What could not be committed in time is in the file of last resort.
    Spooled {
        /// Which.
        ticket: Ticket,
    },
    /// An attempt ended.
    Sent {
        /// On which channel.
        channel: String,
        /// Which delivery.
        key: IdempotencyKey,
        /// How.
        outcome: Outcome,
    },
    /// A provider was asked about a message.
    Confirmed {
        /// On which channel.
        channel: String,
        /// Which delivery.
        key: IdempotencyKey,
        /// What it said.
        answer: Word,
    },
    /// Messages were found in the file of last resort that the database may not know.
    Recovered {
        /// Each with its key, whose last part names the channel.
        notices: Vec<(IdempotencyKey, Notice)>,
    },
}

/// What is to be committed in one transaction.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Work {
    /// Names it in the answer.
    pub ticket: Ticket,
    /// When it was decided.
    pub at: WallMs,
    /// Rows of the journal, in order.
    pub facts: Vec<AlertFact>,
    /// Alerts as they are now.
    pub alerts: Vec<Alert>,
    /// Deliveries as they are now.
    pub deliveries: Vec<Delivery>,
    /// Silences as they are now.
    pub silences: Vec<Silence>,
    /// Channels as they are now.
    pub channels: Vec<(String, ChannelRecord)>,
    /// What will be answered once it is on disk.
    pub answers: Vec<(ReplyTo, Answer)>,
}

impl Work {
    /// Is there nothing to be written?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
            && self.alerts.is_empty()
            && self.deliveries.is_empty()
            && self.answers.is_empty()
    }
}

/// What the router wants done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Write this; then [`Event::Committed`].
    Commit(Arc<Work>),
    /// Send this; then [`Event::Sent`].
    Send {
        /// On which channel.
        channel: String,
        /// Under which key.
        key: IdempotencyKey,
        /// What.
        notice: Box<Notice>,
    },
    /// Ask the provider what became of a message; then [`Event::Confirmed`]. Asking changes nothing anywhere, so it
    /// waits for no disk and may be repeated.
    Confirm {
        /// On which channel.
        channel: String,
        /// Which delivery.
        key: IdempotencyKey,
        /// The provider's name for it.
        provider_id: String,
    },
    /// Write this to the file of last resort; then [`Event::Spooled`].
    Spool {
        /// What could not be committed.
        ticket: Ticket,
        /// The messages in it.
        notices: Vec<(IdempotencyKey, Notice)>,
    },
    /// What went to the file of last resort is in the database now.
    Unspool {
        /// Which.
        keys: Vec<IdempotencyKey>,
    },
    /// Answer.
    Reply {
        /// Whom.
        to: ReplyTo,
        /// What.
        answer: Answer,
    },
    /// These alerts are on disk as they are here.
    Changed {
        /// In order.
        alerts: Vec<Alert>,
    },
    /// A channel fails, or works again.
    Degraded {
        /// Which.
        channel: String,
        /// Why; `None` when it works.
        why: Option<String>,
    },
}

/// How a channel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelReading {
    /// Its name.
    pub name: String,
    /// When it last took a message; where its provider can be asked, when that last said that one had arrived.
    pub last_ok: Option<WallMs>,
    /// Failures since then.
    pub failures: u32,
    /// What the last failure was.
    pub last_error: Option<String>,
    /// Messages that wait.
    pub waiting: usize,
    /// Since when the oldest of them waits.
    pub oldest: Option<WallMs>,
    /// An attempt is under way, or its outcome is being written.
    pub busy: bool,
    /// Until when its limits hold messages back.
    pub held_until: Option<WallMs>,
}

/// How many alerts stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenCounts {
    /// Info.
    pub info: usize,
    /// Warning.
    pub warning: usize,
    /// Critical.
    pub critical: usize,
}

impl OpenCounts {
    /// All.
    #[must_use]
    pub const fn all(&self) -> usize {
        self.info.saturating_add(self.warning).saturating_add(self.critical)
    }

    pub(super) const fn of(&mut self, severity: Severity) -> &mut usize {
        match severity {
            Severity::Info => &mut self.info,
            Severity::Warning => &mut self.warning,
            Severity::Critical => &mut self.critical,
        }
    }
}
