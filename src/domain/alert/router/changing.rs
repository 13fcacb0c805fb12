//! The end of an alert: who hears of it, and how.
//!
//! Exactly the channels that have, or may have, a message about the alert hear of its end. Where the beginning could
//! not be said yet, one late message says both.

use super::super::condition::AlertKey;
use super::super::delivery::Delivery;
use super::super::fact::What;
use super::super::notice::{ClearedBy, Transition};
use super::super::record::Alert;
use super::core::Router;
use super::lane::Parcel;
use super::out::Out;

impl Router {
    /// Ends an alert.
    pub(super) fn clear(&mut self, key: &AlertKey, by: ClearedBy, why: &str, out: &mut Out) {
        let Some(mut alert) = self.open.remove(key) else { return };
        self.keys.remove(&alert.number);
        self.quiet.remove(key);
        self.follow(key, alert.cause.as_ref(), None);
        *self.counts.of(alert.severity) = self.counts.of(alert.severity).saturating_sub(1);
        (alert.cleared_at, alert.cleared_by) = (Some(out.now), Some(by));
        alert.escalation = None;
        alert.note(out.now, "cleared", if why.is_empty() { by.words() } else { why });
        let seq = alert.next_seq();
        let names: Vec<String> = self.lanes.keys().cloned().collect();
        let mut made = Vec::new();
        for name in names {
            made.extend(self.end_on(&name, &mut alert, seq, out));
        }
        self.statistics.note(&alert);
        let waits = made.iter().any(|delivery| !delivery.state.is_final()) || self.is_under_way(alert.number);
        out.fact(What::Cleared, None, &alert, made);
        if waits {
            self.closing.insert(alert.number, *alert);
        }
        self.root_is_over(key, out);
    }

    /// What one channel hears of an end: nothing, that it is over, or both at once.
    fn end_on(&mut self, name: &str, alert: &mut Alert, seq: u64, out: &Out) -> Vec<Delivery> {
        let Some(lane) = self.lanes.get_mut(name) else { return Vec::new() };
        let (was_told, flies) = (alert.told.contains(name), lane.flies(alert.number));
        let (waiting, within) = lane.take_of(alert.number);
        if !was_told && !flies && waiting.is_empty() && within == 0 {
            return Vec::new();
        }
        let transition =
            if was_told || flies { Transition::Clear } else { Transition::Late { undelivered_ms: 0 } };
        let mut end = Delivery::new((alert.number, &alert.id), seq, name, transition, out.now);
        // A receiver that is being left alone is left alone for this as well.
        end.next_at = waiting.iter().map(|one| one.next_at).max().unwrap_or(out.now).max(out.now);
        let mut made: Vec<Delivery> = waiting;
        for one in &mut made {
            one.supersede(&end.key);
        }
        made.push(end.clone());
        lane.push(Parcel::single(end));
        made
    }
}
