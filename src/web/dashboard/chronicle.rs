//! Changes of state as they happen, for the line of time: a bounded list, youngest last.
//!
//! It begins with what the journal's last rows say and goes on with what the order management tells. Words of operators
//! and fills have tables of their own and are read from there.

use super::view::{Event, EventKind, Ms};
use crate::actors::oms::Stamped;
use crate::domain::journal::Row;
use crate::domain::oms::Change;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::VecDeque;

/// Events that are kept.
const KEPT: usize = 200;
/// Kinds of rows that tell of a change of state.
const KINDS: [&str; 8] =
    ["halt", "unhalt", "steer", "strategy", "cold_start", "warm_start", "loop_shutdown", "re_enable"];

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Chronicle(Mutex<VecDeque<Event>>);

impl Chronicle {
    /// What it holds, oldest first.
    pub(super) fn all(&self) -> Vec<Event> {
        self.0.lock().iter().cloned().collect()
    }

    /// Begins with rows of the journal, oldest first.
    pub(super) fn begin(&self, rows: &[Row]) {
        let told = rows.iter().filter(|row| KINDS.contains(&row.kind.as_str())).map(of_row);
        let mut events = self.0.lock();
        for event in told.collect::<Vec<_>>().into_iter().rev() {
            if events.len() < KEPT {
                events.push_front(event);
            }
        }
    }

    /// Notes what the order management told, where it is a change of state.
    pub(super) fn hear(&self, stamped: &Stamped) {
        let (kind, who, what, detail) = match &stamped.change {
            Change::Phase { phase, reason, actor, .. } => {
                (EventKind::State, actor.clone(), phase.word().replace('_', " "), reason.clone())
            }
            Change::Strategy { strategy, enabled } => {
                let what = if *enabled { "switched on" } else { "switched off" };
                (EventKind::Strategy, strategy.to_string(), what.to_owned(), String::new())
            }
            Change::Order(_) | Change::Fill { .. } | Change::Position(_) | Change::Balance(_) => return,
        };
        let event = Event { key: format!("s{}", stamped.id), at: stamped.at.0, kind, who, what, detail };
        let mut events = self.0.lock();
        if events.len() >= KEPT {
            events.pop_front();
        }
        events.push_back(event);
    }
}

fn of_row(row: &Row) -> Event {
    let payload: Value = serde_json::from_str(&row.payload).unwrap_or_default();
    let by = payload.get("by").unwrap_or(&payload);
    let text = |name: &str| by.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let level = payload.get("level").or_else(|| payload.get("verb")).and_then(Value::as_str);
    let what = match (row.kind.as_str(), level) {
        ("halt", _) => "halted".to_owned(),
        ("unhalt", _) => "halt lifted".to_owned(),
        (_, Some(level)) => level.replace('_', " "),
        (kind, None) => kind.replace('_', " "),
    };
    let at: Ms = row.at.0;
    Event {
        key: format!("j{}", row.seq.0),
        at,
        kind: EventKind::State,
        who: text("name"),
        what,
        detail: text("reason"),
    }
}
