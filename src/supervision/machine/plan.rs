//! A restart plan: which children stop, when the group may start, and in what order.
//!
//! Under one_for_one each failed child has a plan of its own, so that a slow start never holds up a
//! sibling's. Under the group strategies there is at most one plan, and a failure during it widens it:
//! that is what keeps the start order left to right when children fail while their group restarts.

use super::event::ChildId;
use crate::supervision::clock::Moment;
use std::collections::BTreeSet;

/// How far a plan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Members that still live are stopped, right to left.
    Stopping,
    /// Nobody lives; waiting for the time to come.
    Waiting,
    /// Members are started, left to right, each acknowledged before the next.
    Starting,
}

/// See the module's head.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) members: BTreeSet<ChildId>,
    pub(super) not_before: Moment,
    pub(super) stage: Stage,
    /// Part of the supervisor's own start: it is up when no such plan is left.
    pub(super) boot: bool,
}

impl Plan {
    /// The supervisor's own start.
    pub(super) fn boot(members: BTreeSet<ChildId>, now: Moment) -> Self {
        Self { members, not_before: now, stage: Stage::Starting, boot: true }
    }

    /// A restart of `members` not before `not_before`.
    pub(super) fn restart(members: BTreeSet<ChildId>, not_before: Moment) -> Self {
        Self { members, not_before, stage: Stage::Stopping, boot: false }
    }
}
