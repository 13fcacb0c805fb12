//! One child as its supervisor sees it.

use super::event::{ChildId, ChildRules, Epoch, Origin, Ticket};
use crate::supervision::clock::Moment;
use crate::supervision::spec::{Intensity, Restart};
use std::collections::VecDeque;

/// Why a child is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopWhy {
    /// A sibling failed; a plan will start it again.
    Bystander,
    /// An operator asked.
    Terminate(Ticket),
    /// The supervisor ends.
    Ending,
}

/// Where a child stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildState {
    /// Declared; its turn has not come.
    Waiting,
    /// An incarnation was started and is not up yet.
    Starting,
    /// An incarnation is up.
    Running,
    /// Down; a plan will start it.
    Backoff,
    /// Asked to stop.
    Stopping,
    /// Ended, terminated or declined; only a start of the supervisor or an operator brings it back.
    Stopped,
    /// Its failure brought the supervisor down.
    Failed,
}

impl ChildState {
    /// Whether an unfenced incarnation exists.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Stopping)
    }
}

/// A sliding window of restarts.
#[derive(Debug, Clone, Default)]
pub(super) struct Window(VecDeque<Moment>);

impl Window {
    /// Adds a restart at `now` and returns how many lie within the period, this one included.
    /// Holds at most `max_restarts + 1` entries: beyond that the answer is a meltdown anyway.
    pub(super) fn record(&mut self, now: Moment, limit: Intensity) -> usize {
        self.0.push_back(now);
        while self.0.front().is_some_and(|first| now.since(*first) > limit.period) {
            self.0.pop_front();
        }
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Whether `restarts` within the period exceed `limit`.
pub(super) fn exceeds(restarts: usize, limit: Intensity) -> bool {
    u32::try_from(restarts).map_or(true, |n| n > limit.max_restarts)
}

/// A child's record.
#[derive(Debug, Clone)]
pub(super) struct Child {
    pub(super) rules: ChildRules,
    pub(super) state: ChildState,
    pub(super) epoch: Epoch,
    /// Set while `Stopping`.
    pub(super) stop_why: Option<StopWhy>,
    /// The entry in the machine's deadline set, while `Starting` or `Stopping`.
    pub(super) deadline: Option<Moment>,
    /// Who waits for it to come up.
    pub(super) start_ticket: Option<Ticket>,
    /// Has been up since the supervisor was last started.
    pub(super) booted: bool,
    /// Start of the current run, while up.
    pub(super) up_since: Option<Moment>,
    /// Consecutive failures, for the backoff.
    pub(super) attempts: u32,
    /// Restarts of this child, for its own budget.
    pub(super) window: Window,
    /// A temporary declared child that has ended: invisible until the supervisor starts anew.
    pub(super) gone: bool,
}

impl Child {
    pub(super) fn new(rules: ChildRules) -> Self {
        Self {
            rules,
            state: ChildState::Waiting,
            epoch: 0,
            stop_why: None,
            deadline: None,
            start_ticket: None,
            booted: false,
            up_since: None,
            attempts: 0,
            window: Window::default(),
            gone: false,
        }
    }

    /// Back to the state before its first start, but for the epoch.
    pub(super) fn reset(&mut self) {
        let epoch = self.epoch;
        *self = Self { epoch, ..Self::new(self.rules.clone()) };
    }

    /// Whether its record goes with its final end.
    pub(super) fn forgotten_at_end(&self) -> bool {
        self.rules.restart == Restart::Temporary || self.rules.origin == Origin::Instance
    }
}

/// A child in the answer of [`super::Machine::which_children`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildStatus {
    /// Its id.
    pub id: ChildId,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: ChildState,
    /// Its current or last incarnation.
    pub epoch: Epoch,
}

/// Counts over all children, as OTP's count_children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChildCounts {
    /// Declared children, whatever their state.
    pub specs: usize,
    /// Children with a live incarnation.
    pub active: usize,
    /// Children that wait for a restart.
    pub restarting: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_window_slides_and_includes_its_edge() {
        let limit = Intensity::new(2, Duration::from_secs(5));
        let at = |s| Moment::from_origin(Duration::from_secs(s));
        let mut window = Window::default();
        assert_eq!(window.record(at(0), limit), 1);
        assert_eq!(window.record(at(5), limit), 2);
        assert_eq!(window.record(at(6), limit), 2);
        assert!(!exceeds(2, limit) && exceeds(3, limit));
    }
}
