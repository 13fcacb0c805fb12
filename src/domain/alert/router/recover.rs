//! The router after a start: what stood, what waited, what was due meanwhile.

use super::super::delivery::{Delivery, DeliveryState, later};
use super::super::fact::What;
use super::super::notice::{IdempotencyKey, Notice};
use super::super::record::Alert;
use super::super::settings::Settings;
use super::super::{AlertKey, Condition, Locality};
use super::core::{Due, Router};
use super::event::Restored;
use super::lane::Parcel;
use super::out::Out;
use crate::domain::time::WallMs;
use std::collections::BTreeMap;

impl Router {
    /// A router that goes on where the one before it ended. Deadlines that passed meanwhile are met by the first tick,
    /// in their order.
    #[must_use]
    pub fn restore(settings: Settings, restored: Restored, now: WallMs) -> Self {
        let Restored { tag, last_number, last_word, alerts, deliveries, silences, channels, recent } =
            restored;
        let mut router = Self::empty(settings, tag);
        (router.last_number, router.last_word) = (last_number, last_word);
        for alert in &recent {
            router.statistics.note(alert);
        }
        for (channel, record) in channels {
            if router.lanes.get_mut(&channel).is_some_and(|lane| lane.restore(record)) {
                // It is judged, and where that is wanted tried, by the first tick: whoever repaired it has just begun
                // the process anew.
                router.agenda.insert((now, Due::Probe(channel)));
            }
        }
        for silence in silences {
            router.schedule_silence(&silence.id, silence.until);
            router.silences.insert(silence.id.clone(), silence);
        }
        for alert in alerts {
            router.take_up(alert, now);
        }
        router.agenda.insert((later(now, router.settings.grace_ms), Due::Grace));
        router.queue_again(deliveries, now);
        router
    }

    fn take_up(&mut self, alert: Alert, now: WallMs) {
        if !alert.is_open() {
            self.closing.insert(alert.number, alert);
            return;
        }
        *self.counts.of(alert.severity) = self.counts.of(alert.severity).saturating_add(1);
        let key = alert.key.clone();
        self.unconfirmed.insert(key.clone());
        self.keys.insert(alert.number, key.clone());
        if let Some(ack) = &alert.ack {
            self.agenda.insert((ack.until, Due::Ack(key.clone())));
        } else if let Some(at) = alert.escalation.as_ref().and_then(|escalation| escalation.next_at) {
            self.agenda.insert((at, Due::Escalate(key.clone())));
        }
        if alert.hidden.is_some() {
            // Whatever hid it may be gone: looked at once everything had time to be asserted again.
            self.agenda.insert((later(now, self.settings.grace_ms), Due::Outlived(key.clone())));
        }
        self.follow(&key, None, alert.cause.as_ref());
        self.open.insert(key, Box::new(alert));
    }

    /// Deliveries that were not settled wait again; a claim of the process before is void, and its message goes out
    /// again under the same key.
    fn queue_again(&mut self, deliveries: Vec<Delivery>, now: WallMs) {
        let mut members: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        let mut carriers = Vec::new();
        let (accepted, deliveries): (Vec<Delivery>, Vec<Delivery>) =
            deliveries.into_iter().partition(|delivery| delivery.state == DeliveryState::Accepted);
        self.ask_again(accepted);
        for mut delivery in deliveries {
            if delivery.state == DeliveryState::Claimed {
                delivery.state = DeliveryState::Pending;
                delivery.lease_until = None;
                delivery.next_at = now;
            }
            match delivery.within.clone() {
                Some(carrier) => members.entry(carrier.as_str().to_owned()).or_default().push(delivery),
                None => carriers.push(delivery),
            }
        }
        for delivery in carriers {
            let members = members.remove(delivery.key.as_str()).unwrap_or_default();
            self.queue(Parcel { delivery, members });
        }
        // Their carrier is settled or gone: each goes by itself.
        for mut delivery in members.into_values().flatten() {
            delivery.within = None;
            self.queue(Parcel::single(delivery));
        }
    }

    fn queue(&mut self, parcel: Parcel) {
        // A channel that is not configured any more gets nothing; its messages stay on record as they are.
        if let Some(lane) = self.lanes.get_mut(&parcel.delivery.channel) {
            lane.push(parcel);
        }
    }

    /// Messages from the file of last resort. What the database knows already is known; anything else becomes an alert
    /// of the past, whose condition has yet to be asserted again.
    pub(super) fn recovered(&mut self, notices: Vec<(IdempotencyKey, Notice)>, out: &mut Out) {
        for (key, notice) in notices {
            let channel = key.as_str().rsplit_once('.').map_or("", |(_, channel)| channel).to_owned();
            out.recovered.push(key.clone());
            let Some(number) =
                notice.alert_id.rsplit_once('-').and_then(|(_, digits)| digits.parse::<u64>().ok())
            else {
                continue;
            };
            self.last_number = self.last_number.max(number);
            let mut alert = match self.record(number).cloned() {
                Some(known) => known,
                None => of_notice(number, &notice),
            };
            if notice.cleared_at.is_some() && alert.is_open() {
                (alert.cleared_at, alert.cleared_by) = (notice.cleared_at, notice.cleared_by);
            }
            alert.note(
                out.now,
                "recovered",
                "from the file of last resort: the database could not be written",
            );
            let known = self.lanes.values().any(|lane| lane.holds(number));
            let mut made = Vec::new();
            if let Some(lane) = self.lanes.get_mut(&channel).filter(|_| !known) {
                let mut delivery = Delivery::new(
                    (number, &alert.id),
                    alert.seq,
                    &channel,
                    notice.transition.clone(),
                    out.now,
                );
                (delivery.key, delivery.spooled) = (key, true);
                lane.push(Parcel::single(delivery.clone()));
                made.push(delivery);
            }
            out.fact(What::Recovered, None, &alert, made);
            self.replace(alert, out.now);
        }
    }

    /// Puts a record where it belongs.
    fn replace(&mut self, alert: Alert, now: WallMs) {
        if let Some(key) = self.keys.remove(&alert.number)
            && let Some(old) = self.open.remove(&key)
        {
            self.follow(&key, old.cause.as_ref(), None);
            *self.counts.of(old.severity) = self.counts.of(old.severity).saturating_sub(1);
        }
        // Another alert stands under this key by now: this one is history.
        if alert.is_open() && self.open.contains_key(&alert.key) {
            self.closing.insert(alert.number, alert);
        } else {
            self.take_up(alert, now);
        }
    }
}

/// What a message tells of an alert that nothing else is known of.
fn of_notice(number: u64, notice: &Notice) -> Alert {
    let condition = Condition::new("", notice.scope.clone(), notice.reason.clone());
    let tag = notice.alert_id.rsplit_once('-').map_or("", |(tag, _)| tag);
    let mut alert = Alert::raised(number, tag, &condition, notice.raised_at, notice.raised_at);
    alert.key = AlertKey::new(&notice.code, &notice.scope);
    alert.severity = notice.severity;
    alert.locality = Locality::Local;
    alert.contained.clone_from(&notice.contained);
    alert.seq = 1;
    alert
}
