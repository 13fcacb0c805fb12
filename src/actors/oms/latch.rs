//! Where the order management meets the kill switch's latch and the lease on the truth: what is told, lifted, engaged.
//!
//! The latch is the truth. The order management follows it, and never believes in a reset that the latch does not show.

use super::cell::OmsCell;
use crate::domain::kill_switch::{Cause, LatchRecord};
use crate::domain::oms::{Actor as By, Answer, Event, Refusal, RefusalKind, ReplyTo};
use crate::supervision::Ctx;

/// Who engaged it and why, as the journal says it.
pub(super) fn engaged_by(record: &LatchRecord) -> By {
    let cause = record.cause.map_or("kill", Cause::word);
    By { name: record.actor.clone(), reason: format!("kill switch ({cause}): {}", record.reason) }
}

impl OmsCell {
    /// What the latch says at the beginning of this incarnation.
    pub(super) fn look_at_latch(&mut self, ctx: &mut Ctx<Self>) {
        self.wires.kill.begin_anew();
        let view = self.wires.kill.view();
        if view.engaged {
            self.step(Event::Killed { by: engaged_by(&view.record) }, ctx);
        }
    }

    /// Tells the machine whether somebody has judged lately that what it knows is true.
    pub(super) fn look_at_lease(&mut self, ctx: &mut Ctx<Self>) {
        let held = self.wires.lease.holds(crate::clock::monotonic());
        if self.leased.replace(held) != Some(held) {
            self.step(Event::Lease { held }, ctx);
        }
    }

    /// Somebody says that the latch was reset. It may have been engaged again since.
    pub(super) fn latch_cleared(&mut self, reply: Option<ReplyTo>, ctx: &mut Ctx<Self>) {
        let view = self.wires.kill.view();
        if !view.engaged {
            return self.step(Event::LatchCleared { reply }, ctx);
        }
        self.step(Event::Killed { by: engaged_by(&view.record) }, ctx);
        if let Some(to) = reply {
            let detail = format!("generation={}, reason={}", view.generation, view.record.reason);
            let kind = RefusalKind::Conflict;
            self.answer(to, Answer::Refused(Refusal { code: "ENGAGED_AGAIN", detail, kind }));
        }
    }

    /// A cold start lifts the latch; the disk may take its time, so it is waited for elsewhere. News of it comes as of
    /// every reset.
    pub(super) fn lift_latch(&self, by: &By) {
        let (kill, by) = (self.wires.kill.clone(), by.clone());
        let generation = kill.view().generation;
        let lifted = std::thread::Builder::new().name("lift-latch".to_owned()).spawn(move || {
            let reason = format!("cold start: {}", by.reason);
            if let Err(refused) = kill.reset(generation, &by.name, &reason, &[]) {
                tracing::error!(why = %refused, runbook = "kill_switch_engaged", "the latch was not lifted");
            }
        });
        if let Err(error) = lifted {
            tracing::error!(%error, runbook = "kill_switch_engaged", "the latch was not lifted");
        }
    }

    /// Engages it from here, without waiting for the disk.
    pub(super) fn engage_latch(&self, cause: Cause, reason: &str) {
        self.wires.kill.engage_now(cause, "plimsoll", reason);
    }
}
