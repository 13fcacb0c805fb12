//! What became of a message: delivered, tried again, given up; and whether its channel still works.

use super::super::delivery::{Delivery, DeliveryState, later};
use super::super::fact::What;
use super::super::notice::{IdempotencyKey, Transition};
use super::super::record::Alert;
use super::core::{Due, Router};
use super::event::{Effect, Outcome};
use super::lane::{Lane, Parcel};
use super::out::Out;
use crate::domain::time::WallMs;

impl Router {
    /// An attempt ended.
    pub(super) fn settle(&mut self, channel: &str, key: &IdempotencyKey, outcome: Outcome, out: &mut Out) {
        let Some(mut lane) = self.lanes.remove(channel) else { return };
        let mut numbers = Vec::new();
        // The answer of a claim that was given up meanwhile changes nothing: its successor has the same key.
        if let Some(parcel) = lane.flight.take_if(|parcel| parcel.delivery.key == *key) {
            out.recording.insert(channel.to_owned());
            out.channels.insert(channel.to_owned());
            numbers.extend(parcel.all().map(|delivery| delivery.number));
            match outcome {
                Outcome::Delivered => {
                    lane.works(out.now);
                    self.arrived(parcel, DeliveryState::Delivered, out);
                }
                Outcome::Accepted { provider_id } => {
                    self.accepted(channel, parcel, provider_id, &mut lane, out);
                }
                Outcome::Temporary { why, retry_after_ms } => {
                    self.failed_for_now(parcel, &why, retry_after_ms, &mut lane, out);
                }
                Outcome::Permanent { why } => self.failed_for_good(parcel, &why, &mut lane, out),
            }
            self.judge(channel, &mut lane, out);
        }
        self.lanes.insert(channel.to_owned(), lane);
        for number in numbers {
            self.hurry(number, out);
            self.let_go(number);
        }
    }

    /// Is a message about an alert waiting, on its way, or being asked about?
    pub(super) fn is_under_way(&self, number: u64) -> bool {
        self.lanes.values().any(|lane| lane.holds(number))
            || self.confirming.values().any(|parcel| parcel.tells_of(number))
    }

    /// An alert that nobody has and of which nothing is under way goes to whoever comes next in its policy at once: a
    /// deadline was meant for people who do not answer, not for messages that do not arrive.
    pub(super) fn hurry(&mut self, number: u64, out: &mut Out) {
        let Some(key) = self.keys.get(&number).cloned() else { return };
        if self.is_under_way(number) {
            return;
        }
        let Some(alert) = self.open.get_mut(&key) else { return };
        let free = alert.ack.is_none() && alert.hidden.is_none() && alert.told.is_empty();
        if !free || !alert.escalation.as_mut().is_some_and(|escalation| escalation.hurry(out.now)) {
            return;
        }
        alert.note(out.now, "hurried", "nobody could be told: whoever comes next is told now");
        out.touch(alert);
        self.agenda.insert((out.now, Due::Escalate(key)));
    }

    /// Forgets an alert that is over once no message about it waits.
    pub(super) fn let_go(&mut self, number: u64) {
        if self.closing.contains_key(&number) && !self.is_under_way(number) {
            self.closing.remove(&number);
        }
    }

    /// Claims whose time is over are given up, as if the channel had not answered.
    pub(super) fn leases(&mut self, out: &mut Out) {
        let over = |lane: &Lane| {
            let claim = lane.flight.as_ref().and_then(|parcel| parcel.delivery.lease_until);
            claim.is_some_and(|until| until <= out.now)
        };
        let given_up: Vec<(String, IdempotencyKey)> = self
            .lanes
            .iter()
            .filter(|(_, lane)| over(lane))
            .filter_map(|(name, lane)| Some((name.clone(), lane.flight.as_ref()?.delivery.key.clone())))
            .collect();
        for (channel, key) in given_up {
            let why = "no answer before the claim ended".to_owned();
            self.settle(&channel, &key, Outcome::Temporary { why, retry_after_ms: None }, out);
        }
    }

    /// A message is at its receiver, or at its provider.
    pub(super) fn arrived(&mut self, parcel: Parcel, state: DeliveryState, out: &mut Out) {
        let Parcel { delivery, members } = parcel;
        for mut one in std::iter::once(delivery).chain(members) {
            one.state = state;
            one.lease_until = None;
            one.delivered_at = Some(out.now);
            let (number, channel, word) = (one.number, one.channel.clone(), one.transition.word());
            let told = |alert: &mut Alert, now: WallMs| {
                alert.told.insert(channel.clone());
                alert.first_told_at.get_or_insert(now);
                alert.note(now, state.word(), format!("{word} on {channel}"));
            };
            self.with_record(number, one, out, told);
        }
    }

    fn failed_for_now(
        &mut self,
        parcel: Parcel,
        why: &str,
        retry_after_ms: Option<u64>,
        lane: &mut Lane,
        out: &mut Out,
    ) {
        lane.failures = lane.failures.saturating_add(1);
        lane.last_error = Some(super::super::condition::cut(why, 300));
        let Parcel { mut delivery, mut members } = parcel;
        let again = delivery.try_again(out.now, why, retry_after_ms, &self.settings.retry);
        lane.blocked_until =
            if again { delivery.next_at } else { later(out.now, self.settings.retry.first_ms) };
        // It was raised and is over, and nobody was told: one message will say both.
        let over = !self.keys.contains_key(&delivery.number) && !delivery.transition.is_over();
        if again && over && members.is_empty() && delivery.number > 0 {
            return self.fold_into_the_end(delivery, lane, out);
        }
        if again {
            for member in &mut members {
                member.state = DeliveryState::Pending;
                (member.lease_until, member.next_at) = (None, delivery.next_at);
                out.keep(member);
            }
            out.keep(&delivery);
            return lane.push(Parcel { delivery, members });
        }
        for member in &mut members {
            member.state = DeliveryState::Expired;
            member.lease_until = None;
            member.last_error.clone_from(&delivery.last_error);
        }
        for one in std::iter::once(delivery).chain(members) {
            let (number, channel, attempts) = (one.number, one.channel.clone(), one.attempts);
            self.with_record(number, one, out, |alert, now| {
                // A message that was tried may have arrived all the same: its end is told there too.
                alert.told.insert(channel.clone());
                alert.note(now, "expired", format!("on {channel} after {attempts} attempts"));
            });
        }
    }

    /// The end that waits behind this message becomes one that tells of the beginning as well.
    fn fold_into_the_end(&mut self, mut delivery: Delivery, lane: &mut Lane, out: &mut Out) {
        let (waiting, _) = lane.take_of(delivery.number);
        let end = waiting.into_iter().find(|one| one.transition.is_over());
        let Some(mut end) = end else {
            out.keep(&delivery);
            return lane.push(Parcel::single(delivery));
        };
        end.transition = Transition::Late { undelivered_ms: 0 };
        end.next_at = delivery.next_at;
        delivery.supersede(&end.key);
        let number = delivery.number;
        out.keep(&end);
        lane.push(Parcel::single(end));
        self.with_record(number, delivery, out, |alert, now| {
            alert.note(now, "superseded", "it is over: one late message will say both");
        });
    }

    /// A message never arrives.
    pub(super) fn failed_for_good(&mut self, parcel: Parcel, why: &str, lane: &mut Lane, out: &mut Out) {
        lane.failures = lane.failures.saturating_add(1);
        lane.gave_up = true;
        lane.last_error = Some(super::super::condition::cut(why, 300));
        let Parcel { delivery, members } = parcel;
        for mut one in std::iter::once(delivery).chain(members) {
            one.fail(why);
            let (number, channel, key) = (one.number, one.channel.clone(), one.key.clone());
            let never_heard = !one.transition.is_over()
                && self.record(number).is_some_and(|alert| !alert.told.contains(&channel));
            self.with_record(number, one, out, |alert, now| {
                alert.note(now, "failed", format!("on {channel}"));
            });
            // Whoever never heard of the alert is not told of its end.
            if never_heard && !self.keys.contains_key(&number) {
                let (waiting, _) = lane.take_of(number);
                for mut end in waiting {
                    end.supersede(&key);
                    self.with_record(number, end, out, |_, _| {});
                }
            }
        }
    }

    /// Writes a delivery that is settled, with its alert where that is known, and lets go of alerts that nothing waits
    /// for any more.
    pub(super) fn with_record(
        &mut self,
        number: u64,
        delivery: Delivery,
        out: &mut Out,
        change: impl FnOnce(&mut Alert, WallMs),
    ) {
        let now = out.now;
        let alert = match self.keys.get(&number) {
            Some(key) => self.open.get_mut(key).map(AsMut::as_mut),
            None => self.closing.get_mut(&number),
        };
        match alert {
            Some(alert) => {
                change(alert, now);
                let alert = alert.clone();
                out.fact(What::Settled, None, &alert, vec![delivery]);
            }
            None => out.fact_of(What::Settled, None, vec![delivery]),
        }
    }

    /// The record of an alert that stands, or that is over while messages about it wait.
    pub(super) fn record(&self, number: u64) -> Option<&Alert> {
        match self.keys.get(&number) {
            Some(key) => self.open.get(key).map(AsRef::as_ref),
            None => self.closing.get(&number),
        }
    }

    /// Says when a channel began to fail or works again, and plans the canaries of one that fails.
    pub(super) fn judge(&mut self, channel: &str, lane: &mut Lane, out: &mut Out) {
        let waits = lane.oldest().is_some_and(|at| later(at, self.settings.degraded_wait_ms) <= out.now);
        let failing = lane.failures >= self.settings.degraded_after || (lane.failures > 0 && waits);
        // A message that is never tried again is lost on this channel: one is enough.
        let bad = failing || lane.gave_up;
        if bad == lane.degraded {
            return;
        }
        (lane.degraded, lane.probes) = (bad, 0);
        if bad {
            self.plan_probe(channel, lane, out.now);
        }
        let why = bad.then(|| {
            let (failures, error) = (lane.failures, lane.last_error.clone().unwrap_or_default());
            if lane.gave_up {
                return format!("a message was given up: {error}");
            }
            format!("{failures} messages in a row could not be delivered: {error}")
        });
        out.effects.push(Effect::Degraded { channel: channel.to_owned(), why });
    }
}
