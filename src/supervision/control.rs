//! What the control loop listens to.

use super::cell::AnyCell;
use super::machine::Origin;
use super::machine::{AdminError, AdminOutcome, AdminRequest, ChildCounts, ChildId, ChildStatus, Event};
use super::pulse::Fault;
use tokio::sync::oneshot;

/// A supervisor within one tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SupervisorId(pub(super) usize);

pub(super) type AdminReply = oneshot::Sender<Result<AdminOutcome, AdminError>>;

/// See the module's head.
pub(super) enum Control {
    /// An incarnation reports.
    Machine(SupervisorId, Event),
    /// The watchdog asks whether the loop turns.
    Ping(u64),
    /// End in good order.
    Shutdown,
    /// The time for a good end is over.
    Kill,
    /// Add and start a child.
    StartChild { supervisor: String, cell: AnyCell, origin: Origin, reply: AdminReply },
    /// Terminate, restart or delete the child at a path.
    Admin { path: String, request: fn(ChildId) -> AdminRequest, reply: AdminReply },
    /// Make the actor at a path fail on purpose; false when none lives there.
    Inject { path: String, fault: Fault, reply: oneshot::Sender<bool> },
    /// OTP's which_children and count_children.
    Children { supervisor: String, reply: oneshot::Sender<Option<(Vec<ChildStatus>, ChildCounts)>> },
    /// Kills the control loop's own step, to prove the guard around it.
    #[cfg(test)]
    Panic,
}
