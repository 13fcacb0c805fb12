//! I5: once halted, nothing is submitted until somebody lifts it, across any crash. A drain is the same
//! until the end of the process.

use super::{Checker, Moment, View};
use plimsoll::domain::oms::{Effect, Event};

#[derive(Default)]
pub struct Latch {
    halted: bool,
    draining: bool,
}

impl Latch {
    fn row(&mut self, kind: &str) {
        match kind {
            "halt" => self.halted = true,
            "unhalt" | "cold_start" => self.halted = false,
            _ => {}
        }
    }
}

impl Checker for Latch {
    fn name(&self) -> &'static str {
        "I5 latch"
    }

    fn see(&mut self, moment: &Moment<'_>, view: &View<'_>) -> Result<(), String> {
        match moment {
            Moment::Told(Event::Halt { .. }) => self.halted = true,
            Moment::Told(Event::Drain { .. }) => self.draining = true,
            Moment::Effect(Effect::Persist(batch)) => batch.rows.iter().for_each(|row| self.row(row.kind)),
            Moment::Crashed => {
                (self.halted, self.draining) = (false, false);
                view.store.rows.iter().for_each(|row| self.row(&row.kind));
            }
            Moment::Effect(Effect::Submit(_, order)) if self.halted || self.draining => {
                let why = if self.halted { "halted" } else { "draining" };
                return Err(format!("{} is sent while {why}", order.get().client_order_id));
            }
            _ => {}
        }
        Ok(())
    }
}
