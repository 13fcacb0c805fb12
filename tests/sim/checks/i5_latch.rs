//! I5: once halted, nothing is submitted until somebody lifts it, across any crash. A drain is the same
//! until the end of the process.

use super::{Checker, Moment, View};
use plimsoll::domain::oms::{Effect, Event};

#[derive(Default)]
pub struct Latch {
    halted: bool,
    /// The kill switch, which no crash releases.
    latched: bool,
    /// An operator paused, or allows only what reduces; nothing here says of itself that it only reduces.
    paused: bool,
    draining: bool,
}

impl Latch {
    fn row(&mut self, kind: &str, payload: &str) {
        match kind {
            "halt" => self.halted = true,
            "unhalt" => self.halted = false,
            "cold_start" => (self.halted, self.paused) = (false, false),
            "steer" => self.paused = payload.contains(r#""level":"paused""#),
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
            Moment::Told(Event::Killed { .. }) => self.latched = true,
            Moment::Told(Event::LatchCleared { .. }) => self.latched = false,
            Moment::Told(Event::Drain { .. }) => self.draining = true,
            Moment::Effect(Effect::Persist(batch)) => {
                batch.rows.iter().for_each(|row| self.row(row.kind, &row.payload));
            }
            Moment::Crashed => {
                (self.halted, self.paused, self.draining) = (false, false, false);
                view.store.rows.iter().for_each(|row| self.row(&row.kind, &row.payload));
            }
            Moment::Effect(Effect::Submit(_, order))
                if self.halted || self.latched || self.paused || self.draining =>
            {
                let why = match (self.latched, self.halted, self.paused) {
                    (true, _, _) => "the kill switch is engaged",
                    (_, true, _) => "halted",
                    (_, _, true) => "paused",
                    _ => "draining",
                };
                return Err(format!("{} is sent while {why}", order.get().client_order_id));
            }
            _ => {}
        }
        Ok(())
    }
}
