//! Accepted is not delivered: a provider that can be asked is asked what became of a message, until it says so or too
//! much time has passed.
//!
//! When it is asked next stands in the delivery's record. A message that did not arrive after all counts as one that was
//! refused: its channel is degraded, and whoever comes next in the policy is told.

use super::super::delivery::{Confirm, Delivery, DeliveryState, later, pause_ms};
use super::super::notice::{IdempotencyKey, Transition};
use super::super::settings::Retry;
use super::core::{Due, Router};
use super::event::{Effect, Word};
use super::lane::{Lane, Parcel};
use super::out::Out;
use crate::domain::time::WallMs;
use std::collections::BTreeMap;

/// Messages that are asked about at once. Beyond them accepted is all that is known.
const CONFIRMING_MAX: usize = 1_000;
/// Before a provider is asked for the first time, milliseconds; each further pause is twice the one before.
const FIRST_MS: u64 = 1_000;
/// Up to this.
const MAX_MS: u64 = 300_000;

/// When to ask after so many times.
fn next_ask(key: &IdempotencyKey, asked: u32, now: WallMs) -> WallMs {
    let pauses = Retry { first_ms: FIRST_MS, max_ms: MAX_MS, ..Retry::default() };
    later(now, pause_ms(key.as_str(), asked.saturating_add(1), &pauses))
}

impl Router {
    /// A provider has a message.
    pub(super) fn accepted(
        &mut self,
        channel: &str,
        mut parcel: Parcel,
        provider_id: Option<String>,
        lane: &mut Lane,
        out: &mut Out,
    ) {
        let can_ask = self.settings.channel(channel).is_some_and(|plan| plan.confirms);
        let asks = can_ask && self.settings.confirm_ms > 0 && self.confirming.len() < CONFIRMING_MAX;
        if !(asks && provider_id.is_some()) {
            lane.works(out.now);
            parcel.delivery.provider_id = provider_id;
            return self.arrived(parcel, DeliveryState::Accepted, out);
        }
        let next_at = next_ask(&parcel.delivery.key, 0, out.now);
        let confirm = Some(Confirm { asked: 0, next_at, until: later(out.now, self.settings.confirm_ms) });
        (parcel.delivery.provider_id, parcel.delivery.confirm) = (provider_id, confirm);
        parcel.members.iter_mut().for_each(|member| member.confirm = confirm);
        let mut kept = parcel.clone();
        for one in std::iter::once(&mut kept.delivery).chain(&mut kept.members) {
            (one.state, one.lease_until, one.delivered_at) = (DeliveryState::Accepted, None, Some(out.now));
        }
        self.plan_to_ask(kept);
        // Its provider can be reached. Whether its messages arrive is not known by that.
        lane.failures = 0;
        self.arrived(parcel, DeliveryState::Accepted, out);
    }

    fn plan_to_ask(&mut self, parcel: Parcel) {
        let Some(confirm) = parcel.delivery.confirm else { return };
        let key = parcel.delivery.key.as_str().to_owned();
        self.agenda.insert((confirm.next_at.min(confirm.until), Due::Confirm(key.clone())));
        self.confirming.insert(key, parcel);
    }

    /// After a start: messages that were being asked about are asked about again, at their time.
    pub(super) fn ask_again(&mut self, accepted: Vec<Delivery>) {
        let (carriers, members): (Vec<Delivery>, Vec<Delivery>) =
            accepted.into_iter().partition(|delivery| delivery.within.is_none());
        let mut within: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        for member in members {
            let carrier = member.within.as_ref().map_or("", |key| key.as_str()).to_owned();
            within.entry(carrier).or_default().push(member);
        }
        for delivery in carriers {
            let members = within.remove(delivery.key.as_str()).unwrap_or_default();
            self.plan_to_ask(Parcel { delivery, members });
        }
    }

    /// The time to ask about a message has come.
    pub(super) fn ask_provider(&mut self, key: &str, out: &mut Out) {
        let Some(mut parcel) = self.confirming.remove(key) else { return };
        let delivery = &mut parcel.delivery;
        let asked = delivery.confirm.zip(delivery.provider_id.clone());
        let Some((mut confirm, provider_id)) = asked.filter(|(confirm, _)| out.now < confirm.until) else {
            let seconds = self.settings.confirm_ms / 1_000;
            return self.unconfirmed(parcel, &format!("its provider did not say within {seconds} s"), out);
        };
        confirm.asked = confirm.asked.saturating_add(1);
        confirm.next_at = next_ask(&delivery.key, confirm.asked, out.now);
        delivery.confirm = Some(confirm);
        out.keep(delivery);
        let (channel, key) = (delivery.channel.clone(), delivery.key.clone());
        out.effects.push(Effect::Confirm { channel, key, provider_id });
        self.plan_to_ask(parcel);
    }

    /// A provider was asked.
    pub(super) fn confirmed(&mut self, channel: &str, key: &IdempotencyKey, answer: Word, out: &mut Out) {
        match answer {
            Word::Pending => {}
            Word::Unasked { why } => {
                if let Some(parcel) = self.confirming.get_mut(key.as_str()) {
                    let error = format!("its provider could not be asked: {why}");
                    parcel.delivery.last_error = Some(super::super::condition::cut(&error, 300));
                    out.keep(&parcel.delivery);
                }
            }
            Word::NotOffered => {
                if let Some(parcel) = self.confirming.remove(key.as_str()) {
                    self.unconfirmed(parcel, "its provider cannot be asked", out);
                }
            }
            Word::Delivered => {
                if let Some(parcel) = self.confirming.remove(key.as_str()) {
                    self.known(channel, parcel, None, out);
                }
            }
            Word::Failed { why } => {
                if let Some(parcel) = self.confirming.remove(key.as_str()) {
                    self.known(channel, parcel, Some(&why), out);
                }
            }
        }
    }

    /// Accepted is all that will be known of these.
    fn unconfirmed(&mut self, parcel: Parcel, why: &str, out: &mut Out) {
        let Parcel { delivery, members } = parcel;
        for mut one in std::iter::once(delivery).chain(members) {
            (one.confirm, one.last_error) = (None, Some(format!("accepted, and not confirmed: {why}")));
            let (number, channel) = (one.number, one.channel.clone());
            self.with_record(number, one, out, |alert, now| {
                alert.note(now, "unconfirmed", format!("on {channel}: {why}"));
            });
            self.let_go(number);
        }
    }

    /// The provider has said what became of a message: it arrived, or why it did not.
    fn known(&mut self, channel: &str, mut parcel: Parcel, failed: Option<&str>, out: &mut Out) {
        let mut lane = self.lanes.remove(channel).unwrap_or_default();
        let numbers: Vec<u64> = parcel.all().map(|delivery| delivery.number).collect();
        out.channels.insert(channel.to_owned());
        for one in std::iter::once(&mut parcel.delivery).chain(&mut parcel.members) {
            one.confirm = None;
        }
        match failed {
            None => {
                lane.works(out.now);
                self.arrived(parcel, DeliveryState::Delivered, out);
            }
            Some(why) => {
                for one in parcel.all() {
                    self.untell(one);
                }
                self.failed_for_good(parcel, why, &mut lane, out);
            }
        }
        self.judge(channel, &mut lane, out);
        if self.settings.channel(channel).is_some() {
            self.lanes.insert(channel.to_owned(), lane);
        }
        for number in numbers {
            self.hurry(number, out);
            self.let_go(number);
        }
    }

    /// What was taken for told was not: the first message to a channel did not arrive.
    fn untell(&mut self, delivery: &Delivery) {
        let first = matches!(delivery.transition, Transition::Raise | Transition::Escalated { .. });
        let alert = match self.keys.get(&delivery.number) {
            Some(key) => self.open.get_mut(key).map(AsMut::as_mut),
            None => self.closing.get_mut(&delivery.number),
        };
        if let (true, Some(alert)) = (first, alert) {
            alert.told.remove(&delivery.channel);
        }
    }
}
