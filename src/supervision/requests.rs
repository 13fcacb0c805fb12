//! Children added, stopped, started again and forgotten while the tree runs.

use super::build::Kid;
use super::cell::AnyCell;
use super::control::{AdminReply, SupervisorId};
use super::exit::ExitReason;
use super::machine::{AdminError, AdminRequest, ChildId, ChildRules, Event, Origin, Ticket};
use super::runtime::{Queue, Runtime};
use super::spec::{AutoShutdown, check_name};
use std::sync::Arc;

impl Runtime {
    pub(super) fn start_child(
        &mut self,
        supervisor: &str,
        cell: AnyCell,
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
        let refused = check_name(&cell.name)
            .and_then(|()| cell.spec.validate(&path, auto_shutdown.unwrap_or(AutoShutdown::Never)));
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

    pub(super) fn admin(
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

    pub(super) fn request(
        &mut self,
        id: SupervisorId,
        request: AdminRequest,
        reply: AdminReply,
    ) -> Option<ExitReason> {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket = self.next_ticket.wrapping_add(1);
        self.replies.insert(ticket, reply);
        self.drain(Queue::from([(id, Event::Admin { ticket, request })]))
    }
}
