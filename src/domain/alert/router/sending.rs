//! Who is told: the steps of a policy become deliveries, and deliveries go out, one per channel at a time.

use super::super::codes::{ALERTING_DEGRADED, NEVER_HIDDEN};
use super::super::condition::AlertKey;
use super::super::delivery::Delivery;
use super::super::fact::What;
use super::super::notice::Transition;
use super::super::record::Alert;
use super::core::{Due, Router};
use super::lane::{Lane, MEMBERS_MAX, Parcel};
use super::out::{Out, Sending};
use crate::domain::escalation::{Escalation, Taken};
use crate::domain::time::WallMs;

impl Router {
    /// Begins the policy of an alert; answers the deliveries of the steps that are due at once.
    pub(super) fn begin_telling(&mut self, alert: &mut Alert, out: &mut Out) -> Vec<Delivery> {
        let Some(policy) = self.settings.policy(alert.key.code(), alert.severity).cloned() else {
            alert.note(out.now, "untold", "no policy covers it");
            return Vec::new();
        };
        alert.escalation = Some(Escalation::begin(&policy, out.now));
        self.take_steps(alert, out)
    }

    /// Takes every step that is due.
    fn take_steps(&mut self, alert: &mut Alert, out: &mut Out) -> Vec<Delivery> {
        let Some(mut escalation) = alert.escalation.take() else { return Vec::new() };
        let Some(policy) = self.settings.policy_named(&escalation.policy).cloned() else {
            alert.note(out.now, "untold", "its policy is not configured any more");
            return Vec::new();
        };
        let mut made = Vec::new();
        while let Some(taken) = escalation.take(&policy, out.now) {
            made.extend(self.tell(alert, &mut escalation, &taken, out));
        }
        if let Some(at) = escalation.next_at {
            self.agenda.insert((at, Due::Escalate(alert.key.clone())));
        }
        alert.escalation = Some(escalation);
        made
    }

    /// Makes the deliveries of one step.
    fn tell(
        &mut self,
        alert: &mut Alert,
        escalation: &mut Escalation,
        taken: &Taken,
        out: &mut Out,
    ) -> Vec<Delivery> {
        let first = (taken.step, taken.round) == (1, 0);
        let mut made: Vec<Delivery> = Vec::new();
        let seq = if first { alert.seq } else { alert.seq.saturating_add(1) };
        let mut reminds = false;
        for channel in &taken.channels {
            // A channel that fails is not told of its own failure.
            let own = alert.key.code() == ALERTING_DEGRADED && alert.key.scope() == channel;
            let Some(lane) = self.lanes.get_mut(channel).filter(|_| !own) else { continue };
            // What still waits says it already.
            if lane.holds(alert.number) || made.iter().any(|delivery| delivery.channel == *channel) {
                continue;
            }
            let transition = match (first, alert.told.contains(channel)) {
                (true, _) => Transition::Raise,
                (false, true) => {
                    reminds = true;
                    Transition::Reminder { count: escalation.reminders.saturating_add(1) }
                }
                (false, false) => Transition::Escalated { step: taken.step },
            };
            let delivery = Delivery::new((alert.number, &alert.id), seq, channel, transition, out.now);
            lane.push(Parcel::single(delivery.clone()));
            made.push(delivery);
        }
        if reminds {
            escalation.reminders = escalation.reminders.saturating_add(1);
        }
        if !made.is_empty() {
            alert.seq = seq;
        }
        let names: Vec<&str> = made.iter().map(|delivery| delivery.channel.as_str()).collect();
        alert.note(out.now, "step", format!("{} of {}: {}", taken.step, escalation.policy, names.join(", ")));
        made
    }

    pub(super) fn escalate(&mut self, key: &AlertKey, out: &mut Out) {
        let Some(mut alert) = self.open.get(key).cloned() else { return };
        let due = alert.escalation.as_ref().and_then(|escalation| escalation.next_at);
        if alert.ack.is_some() || alert.hidden.is_some() || due.is_none_or(|at| at > out.now) {
            return;
        }
        let deliveries = self.take_steps(&mut alert, out);
        out.fact(What::Escalated, None, &alert, deliveries);
        self.open.insert(key.clone(), alert);
    }

    /// Lets every channel that is free take its next message.
    pub(super) fn pump(&mut self, out: &mut Out) {
        let names: Vec<String> = self
            .lanes
            .iter()
            .filter(|(_, lane)| lane.is_free(out.now) && lane.due(out.now, 0).is_some())
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            if out.recording.contains(&name) {
                continue;
            }
            let Some(mut lane) = self.lanes.remove(&name) else { continue };
            if let Some(parcel) = self.next_parcel(&name, &mut lane, out.now) {
                self.claim(&name, &mut lane, parcel, out);
            }
            self.lanes.insert(name, lane);
        }
    }

    /// The next message of a channel within its limits.
    fn next_parcel(&self, name: &str, lane: &mut Lane, now: WallMs) -> Option<Parcel> {
        let urgent = |parcel: &Parcel| {
            self.record(parcel.delivery.number).is_some_and(|alert| alert.key.code() == NEVER_HIDDEN)
        };
        let free_at = lane.budget.free_at(now, &lane.tiers);
        if free_at > now {
            lane.held_until = Some(free_at);
            return lane.take_due(now, urgent);
        }
        let was_held = lane.held_until.take().is_some();
        let above = self.settings.channel(name).map_or(usize::MAX, |plan| plan.bundle_above);
        let beyond = if was_held { 0 } else { above };
        let (first, many) = lane.due(now, beyond)?;
        let plain = |parcel: &Parcel| {
            parcel.members.is_empty() && parcel.delivery.transition != Transition::Canary && !urgent(parcel)
        };
        if !many || !plain(first) {
            return lane.take_due(now, |_| true);
        }
        let mut parcel = lane.take_due(now, |_| true)?;
        while parcel.members.len() < MEMBERS_MAX {
            let Some(next) = lane.take_due(now, plain) else { break };
            parcel.members.push(next.delivery);
        }
        parcel.delivery.members = parcel.members.iter().map(|member| member.key.clone()).collect();
        Some(parcel)
    }

    fn claim(&self, name: &str, lane: &mut Lane, mut parcel: Parcel, out: &mut Out) {
        let lease = self.settings.retry.lease_ms;
        parcel.delivery.claim(out.now, lease);
        let carrier = parcel.delivery.key.clone();
        for member in &mut parcel.members {
            member.claim(out.now, lease);
            member.within = Some(carrier.clone());
        }
        let Some(mut notice) = self.notice(&parcel.delivery, &parcel.members, None) else {
            // Its alert is not known any more; nothing can be said of it.
            parcel.delivery.fail("its alert is not on record");
            out.keep(&parcel.delivery);
            return;
        };
        if let (Transition::Late { undelivered_ms }, Some(alert)) =
            (&mut notice.transition, self.record(parcel.delivery.number))
        {
            *undelivered_ms = Self::undelivered(alert, out.now);
        }
        lane.budget.spend(out.now, &lane.tiers);
        if !lane.tiers.is_empty() {
            out.channels.insert(name.to_owned());
        }
        parcel.all().for_each(|delivery| out.keep(delivery));
        out.sends.push(Sending { channel: name.to_owned(), key: carrier, notice: Box::new(notice) });
        lane.flight = Some(parcel);
    }
}
