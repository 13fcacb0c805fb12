//! Old alerts, silences and intents leave their tables a piece at a time, when nothing of the order path waits.
//!
//! What may leave is decided by [`crate::domain::alert::may_go`]; a piece is small enough to be between two orders.

use super::cell::Journal;
use crate::clock;
use crate::domain::time::WallMs;
use std::time::{Duration, Instant};

/// After everything was looked at.
const REST: Duration = Duration::from_secs(600);
/// After a piece that could not be written.
const TROUBLE_PAUSE: Duration = Duration::from_secs(60);

/// Where the looking is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pruning {
    after: i64,
    again: Instant,
}

impl Pruning {
    pub(super) const fn from(now: Instant) -> Self {
        Self { after: 0, again: now }
    }
}

impl Journal {
    /// Takes out one piece, if it is time.
    pub(super) fn prune(&mut self, now: Instant) {
        let Ok(writer) = &mut self.writer else { return };
        if now < self.pruning.again || !self.fence.is_current() {
            return;
        }
        let later = |pause: Duration| now.checked_add(pause).unwrap_or(now);
        let keep = i64::try_from(self.settings.keep_alerts.as_millis()).unwrap_or(i64::MAX);
        let before = WallMs(clock::wall_millis().saturating_sub(keep));
        match writer.prune(before, self.pruning.after) {
            Ok(pruned) => {
                if pruned.rows() > 0 {
                    tracing::info!(
                        event = "alerts_pruned",
                        alerts = pruned.alerts,
                        deliveries = pruned.deliveries,
                        silences = pruned.silences,
                        intents = pruned.intents,
                        "what was over and old has left the tables"
                    );
                }
                self.pruning = match pruned.next {
                    Some(after) => Pruning { after, again: now },
                    // Something left: what it was the root of, or what was behind it, may follow at once.
                    None if pruned.rows() > 0 => Pruning::from(now),
                    None => Pruning { after: 0, again: later(REST) },
                };
            }
            Err(error) => {
                tracing::warn!(error = %error, "old alerts were not taken out");
                self.pruning.again = later(TROUBLE_PAUSE);
            }
        }
    }
}
