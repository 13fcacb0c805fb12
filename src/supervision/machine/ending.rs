//! How a supervisor ends: in reverse order, each child within its time, or all at once.

use super::child::{ChildState, StopWhy};
use super::event::{Action, AdminError, ChildId, KillWhy, Origin};
use super::failure::answer;
use super::state::{Machine, Phase};
use crate::supervision::clock::Moment;
use crate::supervision::exit::ExitReason;

impl Machine {
    /// Begins to end. The first reason stands: a shutdown during a meltdown stays a meltdown.
    pub(super) fn end(&mut self, reason: ExitReason, out: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Down | Phase::Ending(_)) {
            return;
        }
        self.phase = Phase::Ending(reason);
        self.plans.clear();
        let idle: Vec<ChildId> = self
            .children
            .iter()
            .filter(|(_, c)| matches!(c.state, ChildState::Waiting | ChildState::Backoff))
            .map(|(id, _)| *id)
            .collect();
        for id in idle {
            let ticket = self.children.get_mut(&id).and_then(|c| c.start_ticket.take());
            answer(ticket, Err(AdminError::NotRunning), out);
            self.set_state(id, ChildState::Stopped, None);
        }
    }

    /// Stops the right-most live child; reports when none is left.
    pub(super) fn drive_end(&mut self, now: Moment, out: &mut Vec<Action>) {
        while let Some(last) = self.live.last().copied() {
            match self.children.get(&last).map(|c| c.state) {
                Some(ChildState::Stopping) => return,
                Some(_) => self.issue_stop(last, StopWhy::Ending, now, out),
                None => {
                    self.live.remove(&last);
                }
            }
        }
        let Phase::Ending(reason) = std::mem::replace(&mut self.phase, Phase::Down) else { return };
        self.drop_added(out);
        out.push(Action::Down(reason));
    }

    /// Fences every child at once, right to left.
    pub(super) fn kill_all(&mut self, out: &mut Vec<Action>) {
        if self.phase == Phase::Down {
            return;
        }
        self.end(ExitReason::Killed, out);
        while let Some(last) = self.live.last().copied() {
            let Some(child) = self.children.get_mut(&last) else { break };
            let (epoch, why, ticket) = (child.epoch, child.stop_why, child.start_ticket.take());
            answer(ticket, Err(AdminError::NotRunning), out);
            if let Some(StopWhy::Terminate(ticket)) = why {
                answer(Some(ticket), Err(AdminError::NotRunning), out);
            }
            out.push(Action::Kill { child: last, epoch, why: KillWhy::Brutal });
            self.set_state(last, ChildState::Stopped, None);
        }
        self.phase = Phase::Down;
        self.drop_added(out);
        out.push(Action::Down(ExitReason::Killed));
    }

    /// Children that were added at run time are lost with their supervisor, as in OTP.
    fn drop_added(&mut self, out: &mut Vec<Action>) {
        let added: Vec<ChildId> = self
            .children
            .iter()
            .filter(|(_, c)| c.rules.origin != Origin::Declared)
            .map(|(id, _)| *id)
            .collect();
        for id in added {
            self.forget(id, out);
        }
    }
}
