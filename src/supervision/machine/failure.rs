//! What follows when a child is down: nothing, a restart plan, an automatic shutdown or a meltdown.

use super::child::{ChildState, StopWhy, exceeds};
use super::event::{Action, AdminError, AdminOutcome, ChildId, Note, Origin, Ticket};
use super::plan::{Plan, Stage};
use super::state::{Machine, Phase};
use crate::supervision::clock::Moment;
use crate::supervision::exit::ExitReason;
use crate::supervision::spec::{AutoShutdown, Restart, Strategy};
use std::collections::BTreeSet;

impl Machine {
    /// A live child is down. The caller has checked that the incarnation is the current one.
    pub(super) fn child_down(&mut self, id: ChildId, reason: ExitReason, now: Moment, out: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(&id) else { return };
        let (was, epoch, why) = (child.state, child.epoch, child.stop_why);
        let ticket = child.start_ticket.take();
        if was != ChildState::Stopping || reason.is_abnormal() {
            out.push(Action::Note(Note::ChildDown { child: id, epoch, reason: reason.clone() }));
        }
        if let Phase::Ending(_) = self.phase {
            answer(ticket, Err(AdminError::NotRunning), out);
            self.stopped_for_good(id, why, out);
            return;
        }
        match was {
            ChildState::Stopping => self.stopped_as_asked(id, why, ticket, out),
            ChildState::Starting => self.start_failed(id, reason, ticket, now, out),
            _ => self.ended_by_itself(id, reason, now, out),
        }
    }

    fn stopped_as_asked(
        &mut self,
        id: ChildId,
        why: Option<StopWhy>,
        ticket: Option<Ticket>,
        out: &mut Vec<Action>,
    ) {
        answer(ticket, Err(AdminError::StartFailed(ExitReason::Shutdown)), out);
        match why {
            Some(StopWhy::Bystander) => {
                let temporary = self.children.get(&id).is_some_and(|c| c.rules.restart == Restart::Temporary);
                if temporary {
                    self.set_state(id, ChildState::Stopped, None);
                    self.unplan(id);
                    self.forget(id, out);
                } else {
                    self.set_state(id, ChildState::Backoff, None);
                }
            }
            _ => self.stopped_for_good(id, why, out),
        }
    }

    /// Stopped by an operator or with the supervisor.
    fn stopped_for_good(&mut self, id: ChildId, why: Option<StopWhy>, out: &mut Vec<Action>) {
        let Some(StopWhy::Terminate(ticket)) = why else {
            // The parent may start the supervisor again: the mailbox keeps its mail until it is decided.
            self.set_state(id, ChildState::Stopped, None);
            return self.unplan(id);
        };
        self.settle(id, out);
        answer(Some(ticket), Ok(AdminOutcome::Done), out);
    }

    fn start_failed(
        &mut self,
        id: ChildId,
        reason: ExitReason,
        ticket: Option<Ticket>,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        if reason == ExitReason::Ignored {
            answer(ticket, Ok(AdminOutcome::Ignored(id)), out);
            self.settle(id, out);
            return;
        }
        if ticket.is_some() {
            // A start that somebody asked for is not retried: the asker decides.
            let added = self.children.get(&id).is_some_and(|c| c.rules.origin != Origin::Declared);
            answer(ticket, Err(AdminError::StartFailed(reason)), out);
            let first = self.children.get(&id).is_some_and(|c| c.epoch <= 1);
            self.set_state(id, ChildState::Stopped, None);
            self.unplan(id);
            if added && first {
                self.forget(id, out);
            } else {
                out.push(Action::Close { child: id });
            }
            return;
        }
        let first_start = self.phase == Phase::Booting && self.children.get(&id).is_some_and(|c| !c.booted);
        if first_start {
            let name = self.children.get(&id).map(|c| c.rules.name.clone()).unwrap_or_default();
            self.set_state(id, ChildState::Failed, None);
            self.end(ExitReason::StartFailed(format!("{name} {reason}")), out);
            return;
        }
        self.judge_failure(id, &reason, now, out);
    }

    fn ended_by_itself(&mut self, id: ChildId, reason: ExitReason, now: Moment, out: &mut Vec<Action>) {
        let Some(child) = self.children.get(&id) else { return };
        let restarts = match child.rules.restart {
            Restart::Permanent => true,
            Restart::Transient => reason.is_abnormal(),
            Restart::Temporary => false,
        };
        if restarts {
            self.judge_failure(id, &reason, now, out);
            return;
        }
        let significant = child.rules.significant;
        self.settle(id, out);
        if significant {
            self.consider_auto_shutdown(out);
        }
    }

    /// A child is not started again: closed or forgotten.
    pub(super) fn settle(&mut self, id: ChildId, out: &mut Vec<Action>) {
        self.set_state(id, ChildState::Stopped, None);
        self.unplan(id);
        if self.children.get(&id).is_some_and(|c| c.forgotten_at_end()) {
            self.forget(id, out);
        } else {
            out.push(Action::Close { child: id });
        }
    }

    fn consider_auto_shutdown(&mut self, out: &mut Vec<Action>) {
        // One that still waits for its first start has not ended either.
        let another_lives = self.children.values().any(|c| {
            c.rules.significant
                && (c.state.is_live() || matches!(c.state, ChildState::Backoff | ChildState::Waiting))
        });
        match self.auto_shutdown {
            AutoShutdown::Never => {}
            AutoShutdown::AllSignificant if another_lives => {}
            AutoShutdown::AllSignificant | AutoShutdown::AnySignificant => {
                self.end(ExitReason::Shutdown, out);
            }
        }
    }

    /// A failure that calls for a restart: counts it, melts down, or plans.
    fn judge_failure(&mut self, id: ChildId, reason: &ExitReason, now: Moment, out: &mut Vec<Action>) {
        let intensity = self.intensity;
        let Some(child) = self.children.get_mut(&id) else { return };
        let ran = child.up_since.take().map(|since| now.since(since));
        if ran.is_some_and(|ran| ran >= child.rules.backoff.reset_after) {
            child.attempts = 0;
        }
        if reason.counts() {
            let mut spent = self.window.record(now, intensity);
            let mut melts = exceeds(spent, intensity);
            let mut limit = intensity;
            if let Some(own) = child.rules.intensity {
                let restarts = child.window.record(now, own);
                if !melts && exceeds(restarts, own) {
                    (spent, limit, melts) = (restarts, own, true);
                }
            }
            if melts {
                let message = format!(
                    "{} {reason}: {spent} failures within {:?}, at most {} restarts are allowed",
                    child.rules.name, limit.period, limit.max_restarts
                );
                self.set_state(id, ChildState::Failed, None);
                out.push(Action::Note(Note::Meltdown {
                    child: id,
                    restarts: spent,
                    message: message.clone(),
                }));
                self.end(ExitReason::Escalated(message), out);
                return;
            }
        }
        child.attempts = child.attempts.saturating_add(1);
        let attempt = child.attempts;
        let delay = child.rules.backoff.delay(attempt, self.rng.f64());
        self.set_state(id, ChildState::Backoff, None);
        out.push(Action::Note(Note::RestartScheduled { child: id, attempt, delay }));
        self.plan_restart(id, now.after(delay));
    }

    fn plan_restart(&mut self, id: ChildId, not_before: Moment) {
        if self.strategy == Strategy::OneForOne {
            self.unplan(id);
            self.plans.push(Plan::restart(BTreeSet::from([id]), not_before));
            return;
        }
        let mut plan = Plan::restart(self.group_of(id), not_before);
        for old in std::mem::take(&mut self.plans) {
            let unsettled = |m: &ChildId| {
                self.children
                    .get(m)
                    .is_some_and(|c| !matches!(c.state, ChildState::Running | ChildState::Stopped))
            };
            plan.members.extend(old.members.iter().copied().filter(unsettled));
            plan.boot |= old.boot;
            plan.not_before = plan.not_before.max(old.not_before);
        }
        self.plans.push(plan);
    }

    /// Who restarts with `id`: those that run, wait for a restart or have not had their turn.
    fn group_of(&self, id: ChildId) -> BTreeSet<ChildId> {
        let from = match self.strategy {
            Strategy::OneForAll => ChildId(0),
            Strategy::OneForOne | Strategy::RestForOne => id,
        };
        self.children
            .range(from..)
            .filter(|(_, c)| !c.gone && !matches!(c.state, ChildState::Stopped | ChildState::Failed))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Carries every plan, and the end, as far as it can go without waiting.
    pub(super) fn advance(&mut self, now: Moment, out: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Down) {
            return;
        }
        if !matches!(self.phase, Phase::Ending(_)) {
            let mut index = 0;
            while index < self.plans.len() {
                self.drive(index, now, out);
                if matches!(self.phase, Phase::Ending(_)) {
                    break;
                }
                index += 1;
            }
        }
        if matches!(self.phase, Phase::Ending(_)) {
            self.drive_end(now, out);
            return;
        }
        self.plans.retain(|plan| !plan.members.is_empty());
        if self.phase == Phase::Booting && !self.plans.iter().any(|plan| plan.boot) {
            self.phase = Phase::Running;
            out.push(Action::Up);
        }
    }

    fn drive(&mut self, index: usize, now: Moment, out: &mut Vec<Action>) {
        loop {
            let Some(plan) = self.plans.get(index) else { return };
            match plan.stage {
                Stage::Stopping => {
                    let last = plan.members.iter().rev().copied().find(|m| self.live.contains(m));
                    match last.and_then(|m| self.children.get(&m).map(|c| (m, c.state))) {
                        Some((_, ChildState::Stopping)) => return,
                        Some((member, _)) => self.issue_stop(member, StopWhy::Bystander, now, out),
                        None => self.set_stage(index, Stage::Waiting),
                    }
                }
                Stage::Waiting if plan.not_before > now => return,
                Stage::Waiting => self.set_stage(index, Stage::Starting),
                Stage::Starting => {
                    let Some(first) = plan.members.first().copied() else { return };
                    match self.children.get(&first).map(|c| c.state) {
                        Some(ChildState::Waiting | ChildState::Backoff) => {
                            self.issue_start(first, now, out);
                            return;
                        }
                        Some(ChildState::Starting | ChildState::Stopping) => return,
                        _ => self.drop_member(index, first),
                    }
                }
            }
        }
    }

    fn set_stage(&mut self, index: usize, stage: Stage) {
        if let Some(plan) = self.plans.get_mut(index) {
            plan.stage = stage;
        }
    }

    fn drop_member(&mut self, index: usize, id: ChildId) {
        if let Some(plan) = self.plans.get_mut(index) {
            plan.members.remove(&id);
        }
    }
}

pub(super) fn answer(
    ticket: Option<Ticket>,
    result: Result<AdminOutcome, AdminError>,
    out: &mut Vec<Action>,
) {
    if let Some(ticket) = ticket {
        out.push(Action::Answer { ticket, result });
    }
}
