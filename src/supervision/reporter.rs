//! How an incarnation tells its supervisor that it is up or down.

use super::control::{Control, SupervisorId};
use super::exit::{ExitReason, HangKind};
use super::machine::{ChildId, Epoch, Event};
use tokio::sync::mpsc::UnboundedSender;

/// The way back to the supervisor, for one incarnation.
///
/// The channel has no bound of its own; what goes through it has: an incarnation sends at most one up,
/// one down and one hang per reading, and only the control loop starts incarnations.
#[derive(Clone)]
pub(super) struct Reporter {
    pub(super) control: UnboundedSender<Control>,
    pub(super) supervisor: SupervisorId,
    pub(super) child: ChildId,
    pub(super) epoch: Epoch,
}

impl Reporter {
    pub(super) fn up(&self) {
        self.send(Event::Up { child: self.child, epoch: self.epoch });
    }

    pub(super) fn down(&self, reason: ExitReason) {
        self.send(Event::Down { child: self.child, epoch: self.epoch, reason });
    }

    pub(super) fn hung(&self, kind: HangKind) {
        self.send(Event::Hung { child: self.child, epoch: self.epoch, kind });
    }

    fn send(&self, event: Event) {
        // A closed channel means that the tree has ended and nobody is left to be told.
        let _ = self.control.send(Control::Machine(self.supervisor, event));
    }
}
