//! The machine itself: its state, and the dispatch of events.

use super::child::{Child, ChildCounts, ChildState, ChildStatus, StopWhy, Window};
use super::event::{Action, ChildId, ChildRules, Epoch, Event, KillWhy, Note, Origin};
use super::plan::Plan;
use crate::supervision::clock::Moment;
use crate::supervision::exit::{ExitReason, HangKind};
use crate::supervision::spec::{AutoShutdown, Intensity, OnHang, Restart, Strategy, SupervisorSpec};
use std::collections::{BTreeMap, BTreeSet};

/// Where the supervisor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not started, or ended; no child lives.
    Down,
    /// The first start of the children is under way.
    Booting,
    /// Up.
    Running,
    /// Stopping all children, right to left; then down for this reason.
    Ending(ExitReason),
}

/// The decision core of one supervisor. Pure: time comes in with each event, effects go out as data,
/// the jitter is drawn from a seed.
#[derive(Debug, Clone)]
pub struct Machine {
    pub(super) strategy: Strategy,
    pub(super) intensity: Intensity,
    pub(super) auto_shutdown: AutoShutdown,
    pub(super) children_max: usize,
    pub(super) phase: Phase,
    pub(super) children: BTreeMap<ChildId, Child>,
    /// Children with an unfenced incarnation; the last is the first to stop.
    pub(super) live: BTreeSet<ChildId>,
    pub(super) deadlines: BTreeSet<(Moment, ChildId)>,
    pub(super) plans: Vec<Plan>,
    pub(super) window: Window,
    pub(super) next_id: u64,
    pub(super) rng: fastrand::Rng,
    changed: BTreeSet<ChildId>,
}

/// `on_event(state, event, now) -> actions`: the whole of supervision, as one function.
pub fn on_event(state: &mut Machine, event: Event, now: Moment) -> Vec<Action> {
    let mut out = Vec::new();
    state.dispatch(event, now, &mut out);
    state.advance(now, &mut out);
    out
}

impl Machine {
    /// A supervisor that is down and has no children; `seed` feeds the jitter.
    #[must_use]
    pub fn new(spec: &SupervisorSpec, seed: u64) -> Self {
        Self {
            strategy: spec.strategy,
            intensity: spec.intensity,
            auto_shutdown: spec.auto_shutdown,
            children_max: spec.children_max,
            phase: Phase::Down,
            children: BTreeMap::new(),
            live: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            plans: Vec::new(),
            window: Window::default(),
            next_id: 0,
            rng: fastrand::Rng::with_seed(seed),
            changed: BTreeSet::new(),
        }
    }

    /// Declares a child before the supervisor is started; start order is declaration order.
    pub fn declare(&mut self, rules: ChildRules) -> ChildId {
        let id = self.reserve();
        self.children.insert(id, Child::new(rules));
        id
    }

    /// Reserves the id of a child that will be started by [`super::AdminRequest::StartChild`].
    pub fn reserve(&mut self) -> ChildId {
        let id = ChildId(self.next_id);
        self.next_id = self.next_id.saturating_add(1);
        id
    }

    /// When [`Event::Tick`] is due next, if time alone can change anything.
    #[must_use]
    pub fn next_wake(&self) -> Option<Moment> {
        let deadline = self.deadlines.first().map(|(at, _)| *at);
        let plan = self
            .plans
            .iter()
            .filter(|plan| plan.stage == super::plan::Stage::Waiting)
            .map(|plan| plan.not_before)
            .min();
        match (deadline, plan) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// All children in start order.
    #[must_use]
    pub fn which_children(&self) -> Vec<ChildStatus> {
        self.children.iter().filter(|(_, c)| !c.gone).map(|(id, c)| status(*id, c)).collect()
    }

    /// One child, unless it is gone.
    #[must_use]
    pub fn child(&self, id: ChildId) -> Option<ChildStatus> {
        self.children.get(&id).filter(|c| !c.gone).map(|c| status(id, c))
    }

    /// Counts over all children.
    #[must_use]
    pub fn count_children(&self) -> ChildCounts {
        let visible = || self.children.values().filter(|c| !c.gone);
        ChildCounts {
            specs: visible().count(),
            active: visible().filter(|c| c.state.is_live()).count(),
            restarting: visible().filter(|c| c.state == ChildState::Backoff).count(),
        }
    }

    /// Whether no child lives and none will be started.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.phase == Phase::Down
    }

    /// Whether all children were acknowledged and the supervisor is not ending.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// Whether the supervisor is stopping its children in order to end.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Ending(_))
    }

    /// Children whose state changed since the last call, for the mirror that the snapshot reads.
    pub fn take_changed(&mut self) -> Vec<ChildStatus> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().filter_map(|id| self.children.get(&id).map(|c| status(id, c))).collect()
    }

    fn dispatch(&mut self, event: Event, now: Moment, out: &mut Vec<Action>) {
        match event {
            Event::Start => self.boot(now),
            Event::Up { child, epoch } => self.child_up(child, epoch, now, out),
            Event::Down { child, epoch, reason } => {
                if self.is_current(child, epoch) {
                    self.child_down(child, reason, now, out);
                }
            }
            Event::Hung { child, epoch, kind } => self.child_hung(child, epoch, kind, now, out),
            Event::Tick => self.expire(now, out),
            Event::Shutdown => self.end(ExitReason::Shutdown, out),
            Event::Kill => self.kill_all(out),
            Event::Admin { ticket, request } => self.admin(ticket, request, now, out),
        }
    }

    fn boot(&mut self, now: Moment) {
        if self.phase != Phase::Down {
            return;
        }
        self.phase = Phase::Booting;
        self.window.clear();
        for child in self.children.values_mut() {
            child.reset();
        }
        let members: BTreeSet<ChildId> = self.children.keys().copied().collect();
        self.changed.extend(&members);
        self.plans = vec![Plan::boot(members, now)];
    }

    fn child_up(&mut self, id: ChildId, epoch: Epoch, now: Moment, out: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(&id) else { return };
        if child.epoch != epoch || child.state != ChildState::Starting {
            return;
        }
        child.booted = true;
        child.up_since = Some(now);
        let ticket = child.start_ticket.take();
        self.set_state(id, ChildState::Running, None);
        if let Some(ticket) = ticket {
            out.push(Action::Answer { ticket, result: Ok(super::AdminOutcome::Up(id)) });
        }
    }

    fn child_hung(&mut self, id: ChildId, epoch: Epoch, kind: HangKind, now: Moment, out: &mut Vec<Action>) {
        let Some(child) = self.children.get(&id) else { return };
        // While starting or stopping the deadline of that phase decides, and it is always the shorter story.
        if child.epoch != epoch || child.state != ChildState::Running {
            return;
        }
        let reason = ExitReason::Hung(kind);
        match child.rules.on_hang {
            OnHang::Abort => out.push(Action::Abort { child: id, reason }),
            OnHang::Replace => {
                out.push(Action::Kill { child: id, epoch, why: KillWhy::Hung(kind) });
                self.child_down(id, reason, now, out);
            }
        }
    }

    fn expire(&mut self, now: Moment, out: &mut Vec<Action>) {
        while let Some((at, id)) = self.deadlines.first().copied() {
            if at > now {
                break;
            }
            self.deadlines.remove(&(at, id));
            let Some(child) = self.children.get_mut(&id) else { continue };
            child.deadline = None;
            let (epoch, state) = (child.epoch, child.state);
            let stopping = state == ChildState::Stopping;
            let why = if stopping { KillWhy::StopTimeout } else { KillWhy::StartTimeout };
            out.push(Action::Kill { child: id, epoch, why });
            if stopping {
                out.push(Action::Note(Note::StopTimedOut { child: id }));
                self.child_down(id, ExitReason::Killed, now, out);
            } else {
                self.child_down(id, ExitReason::StartTimeout, now, out);
            }
        }
    }

    fn is_current(&self, id: ChildId, epoch: Epoch) -> bool {
        self.children.get(&id).is_some_and(|c| c.epoch == epoch && c.state.is_live())
    }

    /// The one place where a child's state changes: it keeps the indexes true.
    pub(super) fn set_state(&mut self, id: ChildId, state: ChildState, deadline: Option<Moment>) {
        let Some(child) = self.children.get_mut(&id) else { return };
        if let Some(old) = child.deadline.take() {
            self.deadlines.remove(&(old, id));
        }
        child.deadline = deadline;
        if let Some(at) = deadline {
            self.deadlines.insert((at, id));
        }
        child.state = state;
        if state != ChildState::Stopping {
            child.stop_why = None;
        }
        if state != ChildState::Running {
            // Kept until the failure is judged; see `judge_failure`.
            child.up_since = child.up_since.filter(|_| state == ChildState::Backoff);
        }
        if state.is_live() {
            self.live.insert(id);
        } else {
            self.live.remove(&id);
        }
        self.changed.insert(id);
    }

    /// Starts the next incarnation of a child.
    pub(super) fn issue_start(&mut self, id: ChildId, now: Moment, out: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(&id) else { return };
        child.epoch = child.epoch.saturating_add(1);
        child.gone = false;
        let epoch = child.epoch;
        let deadline = child.rules.start_timeout.map(|timeout| now.after(timeout));
        self.set_state(id, ChildState::Starting, deadline);
        out.push(Action::Start { child: id, epoch });
    }

    /// Removes a child from the books, or hides it until the supervisor starts anew.
    pub(super) fn forget(&mut self, id: ChildId, out: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(&id) else { return };
        if child.rules.origin == Origin::Declared && child.rules.restart == Restart::Temporary {
            child.gone = true;
            out.push(Action::Close { child: id });
            return;
        }
        if let Some(deadline) = child.deadline {
            self.deadlines.remove(&(deadline, id));
        }
        self.children.remove(&id);
        self.live.remove(&id);
        out.push(Action::Forget { child: id });
    }

    /// Drops a child from every plan.
    pub(super) fn unplan(&mut self, id: ChildId) {
        for plan in &mut self.plans {
            plan.members.remove(&id);
        }
    }

    /// Asks a live child to stop, or fences it when its rules say so.
    pub(super) fn issue_stop(&mut self, id: ChildId, why: StopWhy, now: Moment, out: &mut Vec<Action>) {
        use crate::supervision::spec::Shutdown;
        let Some(child) = self.children.get_mut(&id) else { return };
        let (epoch, shutdown) = (child.epoch, child.rules.shutdown);
        let deadline = match shutdown {
            Shutdown::Graceful(within) => Some(now.after(within)),
            Shutdown::Infinity | Shutdown::BrutalKill => None,
        };
        self.set_state(id, ChildState::Stopping, deadline);
        if let Some(child) = self.children.get_mut(&id) {
            child.stop_why = Some(why);
        }
        if shutdown == Shutdown::BrutalKill {
            out.push(Action::Kill { child: id, epoch, why: KillWhy::Brutal });
            self.child_down(id, ExitReason::Killed, now, out);
        } else {
            out.push(Action::Stop { child: id, epoch });
        }
    }
}

fn status(id: ChildId, child: &Child) -> ChildStatus {
    ChildStatus { id, name: child.rules.name.clone(), state: child.state, epoch: child.epoch }
}
