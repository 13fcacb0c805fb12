//! The control loop: feeds events to the machines and performs what they decide.
//!
//! One loop for the whole tree, on one thread, never awaiting a child: starting is a command and its
//! acknowledgement an event, so a slow or failing start blocks nothing. It only routes; every decision
//! is the machine's.

use super::build::{Kid, KidKind, SupervisorNode, Supervisors};
use super::cell::Killed;
use super::control::{AdminReply, Control, SupervisorId};
use super::decl::SupervisorDecl;
use super::exit::ExitReason;
use super::machine::{
    Action, AdminError, AdminRequest, ChildId, ChildRules, Epoch, Event, KillWhy, Note, Origin, Ticket,
    on_event,
};
use super::pulse::Pulse;
use super::reporter::Reporter;
use super::seat::SharedArbiters;
use super::snapshot::{NodeCard, NodeState};
use super::tree::{BuildError, Emergency, Ended, Progress, Shared};
use super::{build, panics};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

const ROOT: SupervisorId = SupervisorId(0);

type Queue = VecDeque<(SupervisorId, Event)>;

/// See the module's head.
pub(super) struct Runtime {
    shared: Arc<Shared>,
    control: UnboundedSender<Control>,
    events: UnboundedReceiver<Control>,
    supervisors: Supervisors,
    arbiters: SharedArbiters,
    /// Incarnations whose stuck threads were given up and have not come back.
    abandoned: Vec<Arc<Pulse>>,
    replies: BTreeMap<Ticket, AdminReply>,
    next_ticket: u64,
    emergency: Option<Emergency>,
    forced: bool,
    ending: bool,
}

impl Runtime {
    pub(super) fn build(
        root: SupervisorDecl,
        shared: Arc<Shared>,
        control: UnboundedSender<Control>,
        events: UnboundedReceiver<Control>,
    ) -> Result<Self, BuildError> {
        let supervisors = build::tree(root, &shared)?;
        Ok(Self {
            shared,
            control,
            events,
            supervisors,
            arbiters: SharedArbiters::default(),
            abandoned: Vec::new(),
            replies: BTreeMap::new(),
            next_ticket: 0,
            emergency: None,
            forced: false,
            ending: false,
        })
    }

    /// Runs until the root is down and its background tasks have ended.
    pub(super) async fn run(mut self) {
        if let Some(root) = self.supervisors.get(ROOT) {
            root.card.started(1, self.shared.clock.now());
        }
        let mut down = self.guarded(|this| this.drain(Queue::from([(ROOT, Event::Start)])));
        while down.is_none() {
            let wake = self.supervisors.next_wake();
            let clock = self.shared.clock;
            let sleep = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(clock.instant(at)).await,
                    None => std::future::pending().await,
                }
            };
            let message = tokio::select! {
                biased;
                message = self.events.recv() => message,
                () = sleep => None,
            };
            // The time is looked at after every message, too: a flood of them must not starve the timers.
            down = self.guarded(|this| message.and_then(|m| this.hear(m)).or_else(|| this.tick()));
        }
        self.conclude(down.unwrap_or(ExitReason::Killed)).await;
    }

    /// A bug in this loop must end the process in good order, not leave a tree without a supervisor.
    fn guarded(&mut self, step: impl FnOnce(&mut Self) -> Option<ExitReason>) -> Option<ExitReason> {
        match panics::guarded(|| step(self)) {
            Ok(down) => down,
            Err(payload) => {
                let report = panics::report(payload, "control loop");
                self.raise(Emergency::ControlPanicked(report.to_string()));
                Some(ExitReason::Killed)
            }
        }
    }

    fn hear(&mut self, message: Control) -> Option<ExitReason> {
        match message {
            Control::Machine(supervisor, event) => self.drain(Queue::from([(supervisor, event)])),
            Control::Ping(ping) => {
                self.shared.watchdog.pong(ping);
                None
            }
            Control::Shutdown => {
                self.begin_end();
                self.drain(Queue::from([(ROOT, Event::Shutdown)]))
            }
            Control::Kill => {
                self.forced = true;
                self.name_the_late();
                self.drain(Queue::from([(ROOT, Event::Kill)]))
            }
            Control::StartChild { supervisor, cell, origin, reply } => {
                self.start_child(&supervisor, cell, origin, reply)
            }
            Control::Admin { path, request, reply } => self.admin(&path, request, reply),
            Control::Inject { path, fault, reply } => {
                let found = self.supervisors.find_child(&path);
                let kid = found.and_then(|(id, child)| self.supervisors.kid(id, child));
                let hit = match kid.map(|kid| &kid.kind) {
                    Some(KidKind::Cell(cell, _)) => cell.inject(fault),
                    Some(KidKind::Supervisor(_)) | None => false,
                };
                tracing::warn!(event = "fault_injected", actor.path = path, fault = ?fault, hit);
                // The asker may have gone.
                let _ = reply.send(hit);
                None
            }
            Control::Children { supervisor, reply } => {
                let children = self.supervisors.find(&supervisor).and_then(|id| self.supervisors.get(id));
                let answer = children.map(|n| (n.machine.which_children(), n.machine.count_children()));
                // The asker may have gone.
                let _ = reply.send(answer);
                None
            }
            #[cfg(test)]
            Control::Panic => panic!("asked to"),
        }
    }

    fn tick(&mut self) -> Option<ExitReason> {
        let now = self.shared.clock.now();
        let due = self.supervisors.due(now);
        self.drain(due.into_iter().map(|id| (id, Event::Tick)).collect())
    }

    /// Feeds events until none is left; answers when the root is down.
    fn drain(&mut self, mut queue: Queue) -> Option<ExitReason> {
        let mut down = None;
        while let Some((id, event)) = queue.pop_front() {
            let now = self.shared.clock.now();
            let Some(node) = self.supervisors.get_mut(id) else { continue };
            let actions = on_event(&mut node.machine, event, now);
            for action in actions {
                self.perform(id, action, &mut queue, &mut down);
            }
            self.mirror(id);
            if id == ROOT && self.supervisors.get(ROOT).is_some_and(|root| root.machine.is_ending()) {
                self.begin_end();
            }
        }
        down
    }

    fn perform(
        &mut self,
        id: SupervisorId,
        action: Action,
        queue: &mut Queue,
        down: &mut Option<ExitReason>,
    ) {
        match action {
            Action::Start { child, epoch } => self.start(id, child, epoch, queue),
            Action::Stop { child, epoch } => {
                let Some(kid) = self.supervisors.kid_mut(id, child) else { return };
                tracing::debug!(actor.path = kid.card.path(), actor.epoch = epoch, "asked to stop");
                match &mut kid.kind {
                    KidKind::Cell(cell, _) => cell.stop(epoch),
                    KidKind::Supervisor(below) => queue.push_back((*below, Event::Shutdown)),
                }
            }
            Action::Kill { child, epoch, why } => self.kill(id, child, epoch, why, queue),
            Action::Close { child } => self.supervisors.each_cell_below(id, child, &mut |cell| cell.close()),
            Action::Forget { child } => {
                self.supervisors.each_cell_below(id, child, &mut |cell| cell.drop_for_good());
                if let Some(kid) = self.supervisors.remove_kid(id, child) {
                    self.shared.cards.remove(&kid.card);
                }
            }
            Action::Abort { child, reason } => {
                let path =
                    self.supervisors.kid(id, child).map_or_else(String::new, |k| k.card.path().to_owned());
                self.raise(Emergency::ChildHung(format!("{path} {reason}")));
                *down = Some(ExitReason::Killed);
            }
            Action::Answer { ticket, result } => {
                if let Some(reply) = self.replies.remove(&ticket) {
                    // The asker may have gone.
                    let _ = reply.send(result);
                }
            }
            Action::Note(note) => self.note(id, &note),
            Action::Up => self.supervisor_up(id, queue),
            Action::Down(reason) => match self.supervisors.get(id).and_then(|n| n.parent) {
                Some((parent, child)) => {
                    let epoch = self.supervisors.get(id).map_or(0, |n| n.epoch);
                    queue.push_back((parent, Event::Down { child, epoch, reason }));
                }
                None => *down = Some(reason),
            },
        }
    }

    fn start(&mut self, id: SupervisorId, child: ChildId, epoch: Epoch, queue: &mut Queue) {
        let now = self.shared.clock.now();
        self.shared.coarse.advance(now);
        let reporter = Reporter { control: self.control.clone(), supervisor: id, child, epoch };
        let Some(kid) = self.supervisors.kid_mut(id, child) else { return };
        kid.card.started(epoch, now);
        tracing::debug!(event = "actor_starting", actor.path = kid.card.path(), actor.epoch = epoch);
        match &mut kid.kind {
            KidKind::Cell(cell, limits) => match cell.start(epoch, reporter.clone(), &mut self.arbiters) {
                Ok(pulse) => self.shared.watchdog.watch(pulse, *limits, reporter, now),
                Err(why) => {
                    let reason = ExitReason::StartFailed(why);
                    queue.push_back((id, Event::Down { child, epoch, reason }));
                }
            },
            KidKind::Supervisor(below) => {
                let below = *below;
                if let Some(node) = self.supervisors.get_mut(below) {
                    node.epoch = epoch;
                }
                queue.push_back((below, Event::Start));
            }
        }
    }

    fn kill(&mut self, id: SupervisorId, child: ChildId, epoch: Epoch, why: KillWhy, queue: &mut Queue) {
        let Some(kid) = self.supervisors.kid_mut(id, child) else { return };
        tracing::warn!(
            event = "actor_killed", actor.path = kid.card.path(), actor.epoch = epoch,
            actor.metadata = ?kid.card.metadata(), actor.state = ?kid.card.state(), why = ?why, "fenced"
        );
        let killed = match &mut kid.kind {
            KidKind::Cell(cell, _) => cell.kill(epoch, why),
            KidKind::Supervisor(below) => {
                queue.push_back((*below, Event::Kill));
                Killed::Free
            }
        };
        match killed {
            Killed::Free => {}
            Killed::GaveUpThread(pulse) => self.gave_up(pulse),
            Killed::SharedIsStuck(name, pulse) => {
                if let Some(generation) = self.arbiters.abandon(&name) {
                    self.gave_up(pulse);
                    self.move_neighbours(&name, generation, queue);
                }
            }
        }
    }

    /// Everybody on a stuck shared thread starts anew on its successor.
    fn move_neighbours(&mut self, name: &str, generation: u64, queue: &mut Queue) {
        for (id, child, epoch) in self.supervisors.living_on(name, generation) {
            let Some(kid) = self.supervisors.kid_mut(id, child) else { continue };
            if let KidKind::Cell(cell, _) = &mut kid.kind {
                cell.kill(epoch, KillWhy::Brutal);
                queue.push_back((id, Event::Down { child, epoch, reason: ExitReason::ThreadLost }));
            }
        }
    }

    fn gave_up(&mut self, pulse: Arc<Pulse>) {
        self.abandoned.retain(|pulse| !pulse.is_over());
        self.abandoned.push(pulse);
        let stuck = self.abandoned.len();
        if stuck > self.shared.options.abandoned_threads_max {
            self.raise(Emergency::TooManyAbandonedThreads(stuck));
            self.forced = true;
            // The tree is ended at the next turn: a kill from here would change machines under the caller.
            let _ = self.control.send(Control::Kill);
        }
    }

    fn supervisor_up(&mut self, id: SupervisorId, queue: &mut Queue) {
        let Some(node) = self.supervisors.get(id) else { return };
        match node.parent {
            Some((parent, child)) => queue.push_back((parent, Event::Up { child, epoch: node.epoch })),
            None => {
                node.card.moved(NodeState::Running, self.shared.clock.now());
                tracing::info!(event = "tree_up", actor.path = node.card.path());
                self.shared.progress.send_replace(Progress::Up);
            }
        }
    }

    fn note(&mut self, id: SupervisorId, note: &Note) {
        let now = self.shared.clock.now();
        let card = |child: ChildId| self.supervisors.kid(id, child).map(|k| Arc::clone(&k.card));
        match note {
            Note::ChildDown { child, epoch, reason } => {
                let Some(card) = card(*child) else { return };
                if reason.is_abnormal() {
                    card.failed(reason.to_string(), now);
                    tracing::warn!(event = "actor_down", actor.path = card.path(), actor.epoch = epoch, reason = %reason);
                } else {
                    tracing::info!(event = "actor_down", actor.path = card.path(), actor.epoch = epoch, reason = %reason);
                }
            }
            Note::RestartScheduled { child, attempt, delay } => {
                let Some(card) = card(*child) else { return };
                tracing::warn!(
                    event = "actor_restarted",
                    actor.path = card.path(),
                    attempt,
                    delay_seconds = delay.as_secs_f64(),
                    "restart scheduled"
                );
            }
            Note::StopTimedOut { child } => {
                let Some(card) = card(*child) else { return };
                tracing::warn!(
                    event = "stop_timed_out", actor.path = card.path(), actor.metadata = ?card.metadata(),
                    actor.state = ?card.state(), "did not stop in time"
                );
            }
            Note::Meltdown { child, restarts, message } => {
                let path = card(*child).map_or_else(String::new, |card| card.path().to_owned());
                tracing::error!(
                    event = "supervisor_meltdown",
                    actor.path = path,
                    restarts,
                    reason = message,
                    runbook = "supervisor_meltdown",
                    "restart intensity exceeded"
                );
                if id == ROOT {
                    self.raise(Emergency::Meltdown(message.clone()));
                }
            }
        }
    }

    /// Runs the emergency handler at once, the first time.
    fn raise(&mut self, emergency: Emergency) {
        if self.emergency.is_some() {
            return;
        }
        tracing::error!(event = "emergency", emergency = %emergency, "running the emergency handler");
        let handler = Arc::clone(&self.shared.options.on_emergency);
        if panics::guarded(|| handler(&emergency)).is_err() {
            tracing::error!("the emergency handler panicked");
        }
        self.emergency = Some(emergency);
    }

    fn mirror(&mut self, id: SupervisorId) {
        let now = self.shared.clock.now();
        let Some(node) = self.supervisors.get_mut(id) else { return };
        for status in node.machine.take_changed() {
            if let Some(kid) = node.kids.get(&status.id) {
                kid.card.moved(NodeState::from(status.state), now);
            }
        }
    }

    fn start_child(
        &mut self,
        supervisor: &str,
        cell: super::cell::AnyCell,
        origin: Origin,
        reply: AdminReply,
    ) -> Option<ExitReason> {
        let Some(id) = self.supervisors.find(supervisor) else {
            let _ = reply.send(Err(AdminError::NotFound));
            return None;
        };
        let rules = ChildRules::worker(&cell.name, &cell.spec, origin);
        let path = format!("{supervisor}/{}", cell.name);
        let auto_shutdown = self.supervisors.get(id).map(|n| n.spec.auto_shutdown);
        let refused = super::spec::check_name(&cell.name)
            .and_then(|()| cell.spec.validate(&path, auto_shutdown.unwrap_or(super::AutoShutdown::Never)));
        if let Err(error) = refused {
            let _ = reply.send(Err(AdminError::StartFailed(ExitReason::StartFailed(error.to_string()))));
            return None;
        }
        let child = self.supervisors.get_mut(id)?.machine.reserve();
        let kid = Kid::cell(path, cell, &self.shared);
        let card = Arc::clone(&kid.card);
        self.shared.cards.add(Arc::clone(&card));
        self.supervisors.get_mut(id)?.kids.insert(child, kid);
        let down = self.request(id, AdminRequest::StartChild(child, rules), reply);
        let accepted = self.supervisors.get(id).is_some_and(|n| n.machine.child(child).is_some());
        if !accepted && self.supervisors.remove_kid(id, child).is_some() {
            self.shared.cards.remove(&card);
        }
        down
    }

    fn admin(
        &mut self,
        path: &str,
        request: fn(ChildId) -> AdminRequest,
        reply: AdminReply,
    ) -> Option<ExitReason> {
        match self.supervisors.find_child(path) {
            Some((id, child)) => self.request(id, request(child), reply),
            None => {
                let _ = reply.send(Err(AdminError::NotFound));
                None
            }
        }
    }

    fn request(&mut self, id: SupervisorId, request: AdminRequest, reply: AdminReply) -> Option<ExitReason> {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket = self.next_ticket.wrapping_add(1);
        self.replies.insert(ticket, reply);
        self.drain(Queue::from([(id, Event::Admin { ticket, request })]))
    }

    fn begin_end(&mut self) {
        if self.ending {
            return;
        }
        self.ending = true;
        self.shared.progress.send_replace(Progress::Ending);
        self.shared.tasks.cancel_all();
        if let Some(root) = self.supervisors.get(ROOT) {
            root.card.moved(NodeState::Stopping, self.shared.clock.now());
        }
    }

    /// Names everything that is not down when the grace is over.
    fn name_the_late(&self) {
        let late = |card: &Arc<NodeCard>| {
            matches!(card.state(), NodeState::Running | NodeState::Starting | NodeState::Stopping)
        };
        let now = self.shared.clock.now();
        for card in self.shared.cards.all().iter().filter(|card| late(card)) {
            tracing::warn!(
                event = "shutdown_late", actor.path = card.path(), actor.metadata = ?card.metadata(),
                actor.state = ?card.state(), actor.age_seconds = card.node(now).age_seconds,
                "did not stop within the grace"
            );
        }
    }

    /// The root is down: background tasks get the rest of the grace, then every mailbox is closed for
    /// good, so that nobody waits for an answer that cannot come.
    async fn conclude(mut self, reason: ExitReason) {
        self.begin_end();
        if self.emergency.is_none() && !self.forced {
            self.wait_for_tasks().await;
        }
        self.forced |= self.shared.tasks.running() > 0;
        self.shared.tasks.abort_rest();
        self.supervisors.every_cell(&mut |cell| cell.drop_for_good());
        self.arbiters.stop_all();
        self.shared.watchdog.stop();
        let now = self.shared.clock.now();
        for card in self.shared.cards.all() {
            // After an emergency the machines were not led to their end; what they knew is over all the same.
            if card.state() != NodeState::Failed {
                card.moved(NodeState::Stopped, now);
            }
        }
        let ended = match (self.emergency.take(), reason) {
            (Some(emergency), _) => Ended::Emergency(emergency),
            (None, ExitReason::StartFailed(why)) => Ended::StartFailed(why),
            (None, _) => Ended::Shutdown { forced: self.forced },
        };
        if let Some(SupervisorNode { card, .. }) = self.supervisors.get(ROOT) {
            let failed = !matches!(ended, Ended::Shutdown { .. });
            card.moved(if failed { NodeState::Failed } else { NodeState::Stopped }, now);
            tracing::info!(event = "tree_ended", actor.path = card.path(), ended = ?ended);
        }
        self.shared.progress.send_replace(Progress::Ended(ended));
    }

    /// Each task has its own time; a kill from outside cuts it short.
    async fn wait_for_tasks(&mut self) {
        let limit = self.shared.tasks.longest_shutdown();
        let tasks = Arc::clone(&self.shared.tasks);
        let ended = tokio::time::timeout(limit, tasks.all_ended());
        tokio::pin!(ended);
        loop {
            tokio::select! {
                biased;
                _ = &mut ended => return,
                message = self.events.recv() => match message {
                    Some(Control::Kill) | None => {
                        self.forced = true;
                        return;
                    }
                    Some(Control::Ping(ping)) => self.shared.watchdog.pong(ping),
                    // Nobody is left whom it could concern; dropped replies answer `NotRunning`.
                    Some(_) => {}
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Ended, Tree, TreeOptions, Watching, supervisor};
    use super::{Control, Emergency};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_panic_in_the_control_loop_is_an_emergency() {
        actix_rt::System::new().block_on(async {
            let handled = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&handled);
            let on_emergency = Arc::new(move |_: &Emergency| {
                counter.fetch_add(1, Ordering::Relaxed);
            });
            let options = TreeOptions { watching: Watching::Manual, on_emergency, ..TreeOptions::default() };
            let tree = Tree::start(supervisor("root"), options).unwrap();
            tree.up().await.unwrap();
            tree.control().send(Control::Panic).ok().unwrap();
            let ended = tree.ended().await;
            assert!(matches!(ended, Ended::Emergency(Emergency::ControlPanicked(_))), "{ended:?}");
            assert_eq!(handled.load(Ordering::Relaxed), 1);
        });
    }
}
