//! What a connector shows of its venue: the latest evidence of its sessions, and how often they were lost.

use crate::domain::losses::{LossCause, Losses};
use crate::venues::VenueEvidence;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// See the module's head. Clones are ends of the same readings.
#[derive(Debug, Clone, Default)]
pub struct VenueReadings {
    evidence: Arc<RwLock<Option<(VenueEvidence, Instant)>>>,
    losses: Losses,
}

impl VenueReadings {
    /// The latest copy; `None` before the first start.
    #[must_use]
    pub fn latest(&self) -> Option<VenueEvidence> {
        self.evidence.read().as_ref().map(|(evidence, _)| evidence.clone())
    }

    /// The same, and when it was written down: a cell that hangs writes nothing.
    #[must_use]
    pub fn latest_at(&self) -> Option<(VenueEvidence, Instant)> {
        self.evidence.read().clone()
    }

    /// How often the session was lost, by cause; every cause is there.
    #[must_use]
    pub fn losses(&self) -> BTreeMap<LossCause, u64> {
        self.losses.read()
    }

    pub(super) fn set(&self, evidence: VenueEvidence) {
        *self.evidence.write() = Some((evidence, crate::clock::monotonic()));
    }

    pub(super) fn lost(&self, cause: LossCause) {
        self.losses.note(cause);
    }
}
