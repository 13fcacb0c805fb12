//! The journal's cell: takes what waits, writes it in one transaction, answers everybody.
//!
//! It promises: what is called durable is on the disk (I3), rows are contiguous and chained (I9), answers come in the
//! order of the tickets, and whether it can write is known within the heartbeat (I10). The order management sends to
//! it. On a thread of its own, because the disk blocks; a hang ends the process, because a writer that wakes later
//! could write what nobody expects any more. When it dies, what waited is lost, and the order management starts over
//! with it: evidence is found again at the venues. A journal that cannot be trusted lets the cell start, so that the
//! process can say so, and refuses every session.

use super::alerts::AlertLane;
use super::mail::{Append, AppendTelemetry, JournalAnswer, JournalFailure, OpenSession, ReadRows, Session};
use super::queue::Queue;
use super::readings::{JournalReadings, JournalSettings};
use super::retention::Pruning;
use super::session::{self, Checked};
use super::upkeep::UPKEEP;
use crate::clock;
use crate::db::{DriftRow, Link, PerformanceWrite, TelemetryRow, WriteError, Writer};
use crate::domain::control::ControlRow;
use crate::domain::journal::{Batch, Row};
use crate::supervision::{Ctx, Fence, Port, TellError};
use actix::fut::{ActorFutureExt as _, ready};
use actix::{Actor, ActorContext, AsyncContext, Handler, Message, ResponseActFuture, WrapFuture as _};
use std::borrow::Borrow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Pause before a failed write is tried again, at first.
pub(super) const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(1);
/// Pause before a full mailbox is tried again.
const FULL_PAUSE: Duration = Duration::from_millis(2);
/// Measurements that may wait.
const TELEMETRY_MAX: usize = 10_000;

/// See the module's head.
pub struct Journal {
    pub(super) writer: Result<Writer, JournalFailure>,
    pub(super) settings: JournalSettings,
    pub(super) readings: JournalReadings,
    pub(super) fence: Fence,
    pub(super) queue: Queue,
    /// Who hears of the current session.
    pub(super) port: Option<Port<JournalAnswer>>,
    /// A flush is on its way.
    pub(super) flushing: bool,
    /// Answers wait for room in the receiver's mailbox.
    pub(super) answering: bool,
    pub(super) retry_after: Duration,
    pub(super) file_checked: bool,
    pub(super) sessions: Arc<AtomicU64>,
    pub(super) telemetry: VecDeque<TelemetryRow>,
    pub(super) controls: VecDeque<ControlRow>,
    pub(super) performance: VecDeque<PerformanceWrite>,
    pub(super) drift: BTreeMap<String, DriftRow>,
    pub(super) last_append: Instant,
    pub(super) last_write: Option<Instant>,
    pub(super) archive_again: Instant,
    pub(super) pruning: Pruning,
    pub(super) lane: AlertLane,
}

/// Write what waits.
#[derive(Message)]
#[rtype(result = "()")]
struct Flush;

impl Actor for Journal {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Err(failure) = &self.writer {
            tracing::error!(event = "journal_unusable", error = %failure, runbook = "journal_corrupt", "no trading");
        }
        if self.writer.is_ok() && self.beat().is_err() {
            self.retry_later(ctx);
        }
        self.show();
        self.look_at_disk();
        ctx.run_interval(UPKEEP, |journal, ctx| journal.upkeep(ctx));
    }

    fn stopped(&mut self, ctx: &mut Self::Context) {
        // What was sent before the end of the order management is written before ours.
        self.write_all(ctx);
        self.write_controls();
        self.write_drift();
        self.write_alerts_left();
        self.write_performance();
        self.deliver();
        if !self.queue.is_empty() {
            tracing::error!(
                rows = self.queue.rows(),
                runbook = "journal_writer_stalled",
                "rows were not written"
            );
        }
    }
}

impl Handler<OpenSession> for Journal {
    type Result = ResponseActFuture<Self, Result<Session, JournalFailure>>;

    fn handle(&mut self, _: OpenSession, ctx: &mut Self::Context) -> Self::Result {
        // Evidence of the session before is written if it can be; nothing of it is taken from here on.
        self.write_all(ctx);
        let dropped = self.queue.close();
        if dropped > 0 {
            tracing::warn!(rows = dropped, "evidence that the last session could not write was dropped");
        }
        let written = self.writer.as_ref().map_or_else(|_| Link::default(), Writer::head);
        let begun = match &self.writer {
            Ok(writer) => session::check(writer.dir().root().to_owned(), !self.file_checked),
            Err(failure) => Err(failure.clone()),
        };
        match begun {
            Ok(result) => {
                let result = async {
                    let lost = || JournalFailure::Unreadable { why: "the check was lost".to_owned() };
                    result.await.unwrap_or_else(|_| Err(lost()))
                };
                Box::pin(
                    result.into_actor(self).map(move |checked, journal, _| journal.open(checked, written)),
                )
            }
            Err(failure) => Box::pin(ready(Err(failure))),
        }
    }
}

impl Handler<ReadRows> for Journal {
    type Result = Result<Vec<Row>, JournalFailure>;

    fn handle(&mut self, read: ReadRows, _: &mut Self::Context) -> Self::Result {
        let writer = self.writer.as_mut().map_err(|failure| failure.clone())?;
        Ok(writer.rows_after(read.after, read.limit)?)
    }
}

impl Handler<Append> for Journal {
    type Result = ();

    fn handle(&mut self, append: Append, ctx: &mut Self::Context) {
        self.port = Some(append.done);
        self.last_append = clock::monotonic();
        for batch in append.batches {
            if let Err(overrun) = self.queue.push(append.session, batch) {
                tracing::error!(error = %overrun, runbook = "journal_writer_stalled", "the journal gives up");
                return ctx.stop();
            }
        }
        self.deliver_or_wait(ctx);
        if !self.flushing && !self.queue.is_empty() && self.queue.down().is_none() {
            self.flushing = true;
            // Runs once the mail that waits now was read: what waited together is written together.
            ctx.notify(Flush);
        }
    }
}

impl Handler<Flush> for Journal {
    type Result = ();

    fn handle(&mut self, _: Flush, ctx: &mut Self::Context) {
        self.flushing = false;
        if self.queue.down().is_some() {
            return;
        }
        let written = self.write_group();
        self.deliver_or_wait(ctx);
        match written {
            Ok(()) if !self.queue.is_empty() => {
                self.flushing = true;
                ctx.notify(Flush);
            }
            Ok(()) => {}
            Err(Trouble::Later) => self.retry_later(ctx),
            Err(Trouble::Never) => ctx.stop(),
        }
    }
}

impl Handler<AppendTelemetry> for Journal {
    type Result = ();

    fn handle(&mut self, rows: AppendTelemetry, _: &mut Self::Context) {
        let room = TELEMETRY_MAX.saturating_sub(self.telemetry.len());
        let dropped = rows.0.len().saturating_sub(room);
        self.telemetry.extend(rows.0.into_iter().take(room));
        if dropped > 0 {
            let dropped = u64::try_from(dropped).unwrap_or(u64::MAX);
            self.readings.change(|r| r.telemetry_dropped = r.telemetry_dropped.saturating_add(dropped));
        }
    }
}

/// What follows from a write that failed.
pub(super) enum Trouble {
    /// It is tried again.
    Later,
    /// Trying again changes nothing.
    Never,
}

impl Journal {
    fn open(&mut self, checked: Checked, written: Link) -> Result<Session, JournalFailure> {
        let opened = self.try_open(checked, written);
        if let Err(failure) = &opened {
            tracing::error!(event = "journal_unusable", error = %failure, runbook = "journal_corrupt", "no trading");
            self.readings.change(|reading| reading.failure = Some(failure.to_string()));
        }
        opened
    }

    fn try_open(&mut self, checked: Checked, written: Link) -> Result<Session, JournalFailure> {
        let end = checked?;
        let writer = self.writer.as_mut().map_err(|failure| failure.clone())?;
        // Further than what was written when the check began is well: another session was opened meanwhile.
        if end.seq < written.seq || (end.seq == written.seq && end != written) {
            let (found, head) = (end.seq.0, written.seq.0);
            let why = format!(
                "the chain holds up to row {found}, but row {head} was written (runbook journal_corrupt)"
            );
            return Err(JournalFailure::Corrupt { why });
        }
        self.file_checked = true;
        if let Err(error) = writer.verified(end) {
            tracing::warn!(error = %error, "how far the chain was verified could not be noted");
        }
        let snapshot = writer.latest_snapshot()?.map(|kept| (kept.at.seq, kept.state));
        let number = self.sessions.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        let session = Session { number, tag: writer.tag().to_owned(), snapshot, head: writer.head().seq };
        self.queue.begin(number);
        tracing::info!(
            event = "journal_session",
            session = number,
            head = session.head.0,
            "verified and open"
        );
        self.show();
        Ok(session)
    }

    /// Writes everything that waits, as far as the disk takes it.
    fn write_all(&mut self, ctx: &mut Ctx<Self>) {
        while !self.queue.is_empty() && self.queue.down().is_none() {
            match self.write_group() {
                Ok(()) => {}
                Err(Trouble::Later) => return self.retry_later(ctx),
                Err(Trouble::Never) => return ctx.stop(),
            }
        }
    }

    /// Writes one group; answers are noted, not yet sent.
    fn write_group(&mut self) -> Result<(), Trouble> {
        let group = self.queue.group(self.settings.group_rows);
        if group.is_empty() {
            return Ok(());
        }
        match self.commit(&group) {
            Ok(()) => {
                self.queue.written(&group);
                self.now_writable();
                Ok(())
            }
            Err(WriteError::Constraint { .. }) => self.one_by_one(group),
            Err(fault) => {
                self.now_down(group, &fault);
                Err(Trouble::Later)
            }
        }
    }

    /// One of them contradicts what is on record; the others must not suffer for it.
    fn one_by_one(&mut self, group: Vec<Batch>) -> Result<(), Trouble> {
        let mut left: VecDeque<Batch> = group.into();
        while let Some(batch) = left.pop_front() {
            match self.commit(std::slice::from_ref(&batch)) {
                Ok(()) => self.queue.written(std::slice::from_ref(&batch)),
                Err(fault @ WriteError::Constraint { .. }) if batch.refusable => {
                    tracing::error!(error = %fault, ticket = batch.ticket.0, "an intent contradicts the record");
                    self.queue.contradicted(&batch, fault.to_string());
                }
                Err(fault @ WriteError::Constraint { .. }) => {
                    tracing::error!(
                        error = %fault, ticket = batch.ticket.0, runbook = "journal_writer_stalled",
                        "evidence contradicts the record: starting over from what is on disk"
                    );
                    // What comes after it must not be written without it.
                    self.queue.close();
                    return Err(Trouble::Never);
                }
                Err(fault) => {
                    left.push_front(batch);
                    self.now_down(left.into(), &fault);
                    return Err(Trouble::Later);
                }
            }
        }
        self.now_writable();
        Ok(())
    }

    pub(super) fn commit<B: Borrow<Batch>>(&mut self, group: &[B]) -> Result<(), WriteError> {
        let unusable = |failure: &mut JournalFailure| WriteError::Other { says: failure.to_string() };
        let writer = self.writer.as_mut().map_err(unusable)?;
        if !self.fence.is_current() {
            return Err(WriteError::Other { says: "this incarnation is over".to_owned() });
        }
        let began = clock::monotonic();
        writer.append(group)?;
        let now = clock::monotonic();
        self.readings.commits().note(now.saturating_duration_since(began));
        self.last_write = Some(now);
        Ok(())
    }

    pub(super) fn now_writable(&mut self) {
        self.retry_after = RETRY_MIN;
        if self.queue.recovered() {
            tracing::info!(event = "journal_writable", writable = true, "the journal can write again");
        }
        self.show();
    }

    pub(super) fn now_down(&mut self, group: Vec<Batch>, fault: &WriteError) {
        if self.queue.down().is_none() {
            tracing::error!(
                event = "journal_writable", writable = false, error = %fault,
                runbook = "journal_writer_stalled", "the journal cannot write; new orders are refused"
            );
        }
        self.queue.failed(group, &fault.to_string());
        self.show();
    }

    pub(super) fn retry_later(&mut self, ctx: &mut Ctx<Self>) {
        let after = self.retry_after;
        self.retry_after = after.saturating_mul(2).min(RETRY_MAX);
        ctx.run_later(after, |journal, ctx| journal.retry(ctx));
    }

    fn retry(&mut self, ctx: &mut Ctx<Self>) {
        let written = match self.queue.is_empty() {
            true => self.beat(),
            false => self.write_group(),
        };
        self.deliver_or_wait(ctx);
        match written {
            Ok(()) if self.queue.down().is_none() => {}
            // Evidence is left: at once, as long as the disk takes it.
            Ok(()) => drop(ctx.run_later(Duration::ZERO, |journal, ctx| journal.retry(ctx))),
            Err(Trouble::Later) => self.retry_later(ctx),
            Err(Trouble::Never) => ctx.stop(),
        }
    }

    /// Sends what is owed, in order; what finds no room is tried again soon.
    pub(super) fn deliver_or_wait(&mut self, ctx: &mut Ctx<Self>) {
        if !self.deliver() && !self.answering {
            self.answering = true;
            ctx.run_later(FULL_PAUSE, |journal, ctx| {
                journal.answering = false;
                journal.deliver_or_wait(ctx);
            });
        }
    }

    fn deliver(&mut self) -> bool {
        let Some(port) = self.port.clone() else { return true };
        while let Some(answer) = self.queue.answers().pop_front() {
            match port.tell(answer) {
                Ok(()) => {}
                Err(TellError::Full(answer)) => {
                    self.queue.answers().push_front(answer);
                    return false;
                }
                // Its receiver is gone; the next one opens a session of its own.
                Err(TellError::Closed(_)) => self.queue.answers().clear(),
            }
        }
        true
    }
}
