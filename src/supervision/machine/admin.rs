//! Starting, terminating, restarting and deleting children of a running supervisor.

use super::child::{Child, ChildState, StopWhy};
use super::event::{Action, AdminError, AdminOutcome, AdminRequest, ChildId, ChildRules, Ticket};
use super::failure::answer;
use super::state::{Machine, Phase};
use crate::supervision::clock::Moment;

impl Machine {
    pub(super) fn admin(
        &mut self,
        ticket: Ticket,
        request: AdminRequest,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        // While the supervisor starts, only its own order of starting counts: nobody may jump the queue.
        let starts = matches!(request, AdminRequest::StartChild(..) | AdminRequest::RestartChild(_));
        let ready = self.phase == Phase::Running || (self.phase == Phase::Booting && !starts);
        if !ready {
            answer(Some(ticket), Err(AdminError::NotRunning), out);
            return;
        }
        let refused = match request {
            AdminRequest::StartChild(id, rules) => self.start_child(ticket, id, rules, now, out),
            AdminRequest::TerminateChild(id) => self.terminate_child(ticket, id, now, out),
            AdminRequest::RestartChild(id) => self.restart_child(ticket, id, now, out),
            AdminRequest::DeleteChild(id) => self.delete_child(ticket, id, out),
        };
        if let Err(error) = refused {
            answer(Some(ticket), Err(error), out);
        }
    }

    fn start_child(
        &mut self,
        ticket: Ticket,
        id: ChildId,
        rules: ChildRules,
        now: Moment,
        out: &mut Vec<Action>,
    ) -> Result<(), AdminError> {
        let visible = self.children.values().filter(|c| !c.gone);
        if self.children.len() >= self.children_max {
            return Err(AdminError::TooMany(self.children_max));
        }
        // Instances carry numbers in their names, made unique by whoever makes them; looking through
        // all of them would make starting n instances cost n squared.
        let numbered = rules.origin == super::Origin::Instance;
        if !numbered && visible.into_iter().any(|c| c.rules.name == rules.name) {
            return Err(AdminError::AlreadyPresent(rules.name));
        }
        let mut child = Child::new(rules);
        child.start_ticket = Some(ticket);
        self.children.insert(id, child);
        self.issue_start(id, now, out);
        Ok(())
    }

    fn terminate_child(
        &mut self,
        ticket: Ticket,
        id: ChildId,
        now: Moment,
        out: &mut Vec<Action>,
    ) -> Result<(), AdminError> {
        let child = self.children.get_mut(&id).filter(|c| !c.gone).ok_or(AdminError::NotFound)?;
        match child.state {
            ChildState::Starting | ChildState::Running => {
                self.unplan(id);
                self.issue_stop(id, StopWhy::Terminate(ticket), now, out);
            }
            ChildState::Stopping => {
                // A bystander on its way down: it now stays down.
                let before = child.stop_why.replace(StopWhy::Terminate(ticket));
                self.unplan(id);
                if let Some(StopWhy::Terminate(earlier)) = before {
                    answer(Some(earlier), Ok(AdminOutcome::Done), out);
                }
            }
            ChildState::Waiting | ChildState::Backoff | ChildState::Stopped | ChildState::Failed => {
                let waiting = child.start_ticket.take();
                answer(waiting, Err(AdminError::NotRunning), out);
                self.settle(id, out);
                answer(Some(ticket), Ok(AdminOutcome::Done), out);
            }
        }
        Ok(())
    }

    fn restart_child(
        &mut self,
        ticket: Ticket,
        id: ChildId,
        now: Moment,
        out: &mut Vec<Action>,
    ) -> Result<(), AdminError> {
        let child = self.children.get_mut(&id).filter(|c| !c.gone).ok_or(AdminError::NotFound)?;
        must_be_down(child.state)?;
        child.start_ticket = Some(ticket);
        self.issue_start(id, now, out);
        Ok(())
    }

    fn delete_child(&mut self, ticket: Ticket, id: ChildId, out: &mut Vec<Action>) -> Result<(), AdminError> {
        let child = self.children.get(&id).filter(|c| !c.gone).ok_or(AdminError::NotFound)?;
        must_be_down(child.state)?;
        self.children.remove(&id);
        out.push(Action::Forget { child: id });
        answer(Some(ticket), Ok(AdminOutcome::Done), out);
        Ok(())
    }
}

/// Only a child that is down and not about to start can be started or deleted by hand.
const fn must_be_down(state: ChildState) -> Result<(), AdminError> {
    match state {
        ChildState::Stopped | ChildState::Failed => Ok(()),
        ChildState::Backoff | ChildState::Waiting => Err(AdminError::Restarting),
        ChildState::Starting | ChildState::Running | ChildState::Stopping => Err(AdminError::Running),
    }
}
