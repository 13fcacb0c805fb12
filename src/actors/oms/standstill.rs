//! What the order management does when its journal cannot be trusted: it lives, says so, and takes nothing.
//!
//! Ending the process would hide the state from the operator, and a restart would change nothing. Nothing is
//! repaired or deleted here; the runbook says how a person decides.

use super::cell::OmsCell;
use super::readings::{OmsView, VenueGate};
use crate::actors::run_control::Word;
use crate::domain::kill_switch::Cause;
use crate::domain::oms::{Answer, Event, Phase, Refusal, RefusalKind};
use crate::domain::time::WallMs;

/// The alert's code, which is the runbook's name as well.
const CODE: &str = "journal_corrupt";

impl OmsCell {
    /// Halts before anything began.
    pub(super) fn stand_still(&mut self, why: String) {
        self.show.raise(CODE, "journal".to_owned(), why.clone());
        self.engage_latch(Cause::JournalFault, &why);
        let closed = |venue: &crate::domain::ids::VenueId| VenueGate {
            venue: venue.clone(),
            open: false,
            reason: "the journal cannot be trusted".to_owned(),
        };
        self.readings.set_view(OmsView {
            phase: Phase::Halted,
            reason: format!("{why}; runbook {CODE}"),
            actor: "plimsoll".to_owned(),
            since: WallMs(crate::clock::wall_millis()),
            version: 1,
            gates: self.plan.symbols.keys().map(closed).collect(),
            alerts: self.show.alerts(),
            ..OmsView::default()
        });
    }

    /// Answers whoever waits; venue mail changes nothing, because nothing may be decided on a broken record.
    pub(super) fn refuse_standing(&mut self, event: Event) {
        let event = match event {
            Event::Noted { event, .. } => *event,
            event => event,
        };
        let reply = match event {
            Event::Submit { reply, .. }
            | Event::Cancel { reply, .. }
            | Event::CancelAll { reply, .. }
            | Event::Replace { reply, .. }
            | Event::Resolve { reply, .. }
            | Event::SwitchStrategy { reply, .. }
            | Event::Steer { reply, .. }
            | Event::LatchCleared { reply }
            | Event::Explain { reply, .. }
            | Event::ReEnable { reply, .. }
            | Event::Restrain { reply, .. }
            | Event::Release { reply, .. }
            | Event::Grant { reply, .. } => reply,
            Event::Drain { .. } => {
                if !self.wires.run.say(Word::Drained { left_over: Vec::new() }) {
                    tracing::error!("the process did not take a word of the order management");
                }
                None
            }
            _ => None,
        };
        if let Some(to) = reply {
            let detail = format!("runbook={CODE}");
            let kind = RefusalKind::Unavailable;
            self.answer(to, Answer::Refused(Refusal { code: "JOURNAL_CORRUPT", detail, kind }));
        }
    }
}
