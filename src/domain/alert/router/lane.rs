//! One channel's messages: those that wait, in the order they are due, and the one that is on its way.
//!
//! One message at a time, and the next only when the outcome of the one before is on disk: so a crash can repeat at
//! most one message per channel, and a channel never hears that an alert is over before it heard of the alert.

use super::super::budget::Budget;
use super::super::delivery::Delivery;
use super::super::lines::{ChannelRecord, Trouble};
use super::super::settings::Tier;
use crate::domain::journal::Ticket;
use crate::domain::time::WallMs;
use std::collections::BTreeMap;

/// Messages that go out as one, at most.
pub(super) const MEMBERS_MAX: usize = 500;

/// A message and those that go out within it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parcel {
    pub(super) delivery: Delivery,
    pub(super) members: Vec<Delivery>,
}

impl Parcel {
    pub(super) const fn single(delivery: Delivery) -> Self {
        Self { delivery, members: Vec::new() }
    }

    /// Itself and its members.
    pub(super) fn all(&self) -> impl Iterator<Item = &Delivery> {
        std::iter::once(&self.delivery).chain(&self.members)
    }

    /// Does it tell of an alert?
    pub(super) fn tells_of(&self, number: u64) -> bool {
        self.all().any(|delivery| delivery.number == number)
    }
}

type Place = (WallMs, u64, u64);

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Lane {
    waiting: BTreeMap<Place, Parcel>,
    /// Where each message waits, by alert and transition.
    places: BTreeMap<(u64, u64), Place>,
    /// The one on its way.
    pub(super) flight: Option<Parcel>,
    /// Its outcome is being written.
    pub(super) recording: Option<Ticket>,
    /// A failing channel is left alone until then.
    pub(super) blocked_until: WallMs,
    /// Its limits hold messages back until then.
    pub(super) held_until: Option<WallMs>,
    pub(super) budget: Budget,
    pub(super) tiers: Vec<Tier>,
    pub(super) failures: u32,
    /// A message was given up since the last one that arrived.
    pub(super) gave_up: bool,
    pub(super) last_ok: Option<WallMs>,
    pub(super) last_error: Option<String>,
    pub(super) degraded: bool,
    /// Canaries that it got by itself since it is degraded.
    pub(super) probes: u32,
    /// When it gets the next one.
    pub(super) probe_at: Option<WallMs>,
}

impl Lane {
    /// A lane without messages.
    pub(super) fn new(tiers: Vec<Tier>) -> Self {
        Self { tiers, ..Self::default() }
    }

    /// A message is to go out.
    pub(super) fn push(&mut self, parcel: Parcel) {
        let (number, seq) = parcel.delivery.place();
        let place = (parcel.delivery.next_at, number, seq);
        for delivery in parcel.all() {
            self.places.insert(delivery.place(), place);
        }
        self.waiting.insert(place, parcel);
    }

    /// Takes a message that waits out.
    fn take(&mut self, place: Place) -> Option<Parcel> {
        let parcel = self.waiting.remove(&place)?;
        for delivery in parcel.all() {
            self.places.remove(&delivery.place());
        }
        Some(parcel)
    }

    /// The first message that is due, and whether more than `beyond` others are due as well.
    pub(super) fn due(&self, now: WallMs, beyond: usize) -> Option<(&Parcel, bool)> {
        let mut due = self.waiting.range(..=(now, u64::MAX, u64::MAX));
        let (_, first) = due.next()?;
        let more = due.take(beyond.saturating_add(1)).count() > beyond;
        Some((first, more))
    }

    /// The first due message that fits.
    pub(super) fn take_due(&mut self, now: WallMs, fits: impl Fn(&Parcel) -> bool) -> Option<Parcel> {
        let range = self.waiting.range(..=(now, u64::MAX, u64::MAX));
        let place = range.take(MEMBERS_MAX).find(|(_, parcel)| fits(parcel)).map(|(place, _)| *place)?;
        self.take(place)
    }

    /// Takes out single messages about an alert that wait; those within larger ones stay, and are counted.
    pub(super) fn take_of(&mut self, number: u64) -> (Vec<Delivery>, usize) {
        let places: Vec<Place> =
            self.places.range((number, 0)..=(number, u64::MAX)).map(|(_, place)| *place).collect();
        let (mut taken, mut within) = (Vec::new(), 0_usize);
        for place in places {
            match self.waiting.get(&place) {
                Some(parcel) if parcel.members.is_empty() => {
                    taken.extend(self.take(place).map(|parcel| parcel.delivery));
                }
                Some(_) => within = within.saturating_add(1),
                None => {}
            }
        }
        (taken, within)
    }

    /// Does a message about an alert wait, or is one on its way?
    pub(super) fn holds(&self, number: u64) -> bool {
        self.places.range((number, 0)..=(number, u64::MAX)).next().is_some() || self.flies(number)
    }

    /// Is a message about an alert on its way?
    pub(super) fn flies(&self, number: u64) -> bool {
        self.flight.as_ref().is_some_and(|parcel| parcel.tells_of(number))
    }

    /// May the next one go out?
    pub(super) fn is_free(&self, now: WallMs) -> bool {
        self.flight.is_none() && self.recording.is_none() && self.blocked_until <= now
    }

    /// Does nothing wait, and is nothing on its way?
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.flight.is_none() && self.recording.is_none()
    }

    /// A message has arrived: whatever was wrong is over.
    pub(super) fn works(&mut self, now: WallMs) {
        (self.failures, self.gave_up, self.last_error) = (0, false, None);
        self.last_ok = Some(now);
    }

    /// What is kept of it.
    pub(super) fn record(&self) -> ChannelRecord {
        let trouble =
            Trouble { failures: self.failures, gave_up: self.gave_up, last_error: self.last_error.clone() };
        ChannelRecord { budget: self.budget.clone(), last_ok: self.last_ok, trouble }
    }

    /// Goes on from what was kept of it; true when something was wrong with it.
    pub(super) fn restore(&mut self, kept: ChannelRecord) -> bool {
        let ChannelRecord { budget, last_ok, trouble } = kept;
        (self.budget, self.last_ok) = (budget, last_ok);
        (self.failures, self.gave_up, self.last_error) =
            (trouble.failures, trouble.gave_up, trouble.last_error);
        self.failures > 0 || self.gave_up
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Since when the oldest one waits. Looks at the ones that are due first, which are the oldest but for retries.
    pub(super) fn oldest(&self) -> Option<WallMs> {
        self.waiting.values().take(64).map(|parcel| parcel.delivery.created_at).min()
    }
}
