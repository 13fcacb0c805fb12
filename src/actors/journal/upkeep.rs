//! What the journal does beside writing: heartbeat, room on the disk, measurements, archive, what it shows. What leaves
//! the tables of alerts is the business of [`super::retention`].

use super::cell::{Journal, Trouble};
use crate::clock;
use crate::db::free_bytes;
use crate::domain::journal::Seq;
use crate::supervision::Ctx;
use std::time::{Duration, Instant};

/// How often it looks after itself.
pub(super) const UPKEEP: Duration = Duration::from_millis(500);
/// Without an append for this long, old rows may be archived.
const QUIET: Duration = Duration::from_secs(2);
/// Pause after a failed archive.
const ARCHIVE_PAUSE: Duration = Duration::from_secs(60);
/// Measurements that go out at once.
const TELEMETRY_SLICE: usize = 256;

impl Journal {
    /// Proves that a write can be made durable.
    pub(super) fn beat(&mut self) -> Result<(), Trouble> {
        let Ok(writer) = &mut self.writer else { return Err(Trouble::Later) };
        match writer.heartbeat() {
            Ok(()) => {
                self.last_write = Some(clock::monotonic());
                self.now_writable();
                Ok(())
            }
            Err(fault) => {
                self.now_down(Vec::new(), &fault);
                Err(Trouble::Later)
            }
        }
    }

    pub(super) fn upkeep(&mut self, ctx: &mut Ctx<Self>) {
        self.look_at_disk();
        if self.writer.is_err() || self.queue.down().is_some() || !self.queue.is_empty() {
            return;
        }
        self.write_controls();
        self.write_drift();
        self.write_telemetry();
        self.write_performance();
        let now = clock::monotonic();
        let proven = self.last_write.is_some_and(|at| {
            now.saturating_duration_since(at).saturating_add(UPKEEP) < self.settings.heartbeat
        });
        if !proven && self.beat().is_err() {
            self.deliver_or_wait(ctx);
            return self.retry_later(ctx);
        }
        self.prune(now);
        if now.saturating_duration_since(self.last_append) >= QUIET && now >= self.archive_again {
            self.archive(now);
        }
    }

    fn write_telemetry(&mut self) {
        let Ok(writer) = &mut self.writer else { return };
        let rows: Vec<_> = self.telemetry.drain(..self.telemetry.len().min(TELEMETRY_SLICE)).collect();
        if rows.is_empty() {
            return;
        }
        if let Err(fault) = writer.append_telemetry(&rows) {
            let dropped = u64::try_from(rows.len()).unwrap_or(u64::MAX);
            self.readings.change(|r| r.telemetry_dropped = r.telemetry_dropped.saturating_add(dropped));
            tracing::warn!(error = %fault, rows = dropped, "measurements were lost");
        }
    }

    fn archive(&mut self, now: Instant) {
        let Ok(writer) = &mut self.writer else { return };
        match writer.archive(self.settings.keep) {
            Ok(Some(archived)) => {
                tracing::info!(
                    event = "journal_archived",
                    file = archived.file,
                    last = archived.last.seq.0,
                    "moved"
                );
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = %error, runbook = "journal_corrupt", "old rows were not archived");
                self.archive_again = now.checked_add(ARCHIVE_PAUSE).unwrap_or(now);
            }
        }
    }

    pub(super) fn look_at_disk(&mut self) {
        let Ok(writer) = &self.writer else { return };
        let free = free_bytes(writer.dir().root()).ok();
        let low = free.is_some_and(|free| free < self.settings.disk_low_bytes);
        let was = self.readings.latest().disk_low;
        if low && !was {
            tracing::error!(
                event = "disk_low",
                free_bytes = free,
                runbook = "disk_low",
                "the disk is nearly full"
            );
        } else if was && !low {
            tracing::info!(event = "disk_low", free_bytes = free, "there is room again");
        }
        self.readings.change(|reading| (reading.free_bytes, reading.disk_low) = (free, low));
    }

    pub(super) fn show(&self) {
        let failure = match (&self.writer, self.queue.down()) {
            (Err(failure), _) => Some(failure.to_string()),
            (Ok(_), down) => down.map(str::to_owned),
        };
        let head = self.writer.as_ref().map_or_else(|_| Seq::default(), |writer| writer.head().seq);
        self.readings.change(|reading| {
            reading.writable = failure.is_none();
            reading.failure = failure;
            reading.last_write = self.last_write;
            reading.waiting_rows = self.queue.rows();
            reading.refusals = self.queue.refusals();
            reading.head = head;
        });
    }
}
