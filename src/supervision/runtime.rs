//! The control loop: feeds events to the machines and performs what they decide.
//!
//! One loop for the whole tree, on one thread, never awaiting a child: starting is a command and its
//! acknowledgement an event, so a slow or failing start blocks nothing. It only routes; every decision
//! is the machine's.

use super::build::{KidKind, Supervisors};
use super::cell::Killed;
use super::control::{AdminReply, Control, SupervisorId};
use super::decl::SupervisorDecl;
use super::exit::ExitReason;
use super::machine::{Action, ChildId, Epoch, Event, KillWhy, Ticket, on_event};
use super::pulse::Pulse;
use super::reporter::Reporter;
use super::seat::SharedArbiters;
use super::snapshot::NodeState;
use super::tree::{BuildError, Emergency, Progress, Shared};
use super::{build, panics};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

pub(super) const ROOT: SupervisorId = SupervisorId(0);

pub(super) type Queue = VecDeque<(SupervisorId, Event)>;

/// See the module's head.
pub(super) struct Runtime {
    pub(super) shared: Arc<Shared>,
    pub(super) control: UnboundedSender<Control>,
    pub(super) events: UnboundedReceiver<Control>,
    pub(super) supervisors: Supervisors,
    pub(super) arbiters: SharedArbiters,
    /// Incarnations whose stuck threads were given up and have not come back.
    abandoned: Vec<Arc<Pulse>>,
    pub(super) replies: BTreeMap<Ticket, AdminReply>,
    pub(super) next_ticket: u64,
    pub(super) emergency: Option<Emergency>,
    pub(super) forced: bool,
    pub(super) ending: bool,
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
    pub(super) fn drain(&mut self, mut queue: Queue) -> Option<ExitReason> {
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
                queue.push_back((id, Event::Down { child, epoch, reason: ExitReason::Moved }));
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

    fn mirror(&mut self, id: SupervisorId) {
        let now = self.shared.clock.now();
        let Some(node) = self.supervisors.get_mut(id) else { return };
        for status in node.machine.take_changed() {
            if let Some(kid) = node.kids.get(&status.id) {
                kid.card.moved(NodeState::from(status.state), now);
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
