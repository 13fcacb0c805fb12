//! The router's memory, and the order of things within one step.

use super::super::condition::{AlertKey, Condition};
use super::super::delivery::later;
use super::super::fact::AlertFact;
use super::super::notice::{IdempotencyKey, Notice};
use super::super::record::Alert;
use super::super::settings::Settings;
use super::super::silence::Silence;
use super::super::statistics::{Medians, Statistics};
use super::event::{ChannelReading, Effect, Event, OpenCounts, Work};
use super::lane::{Lane, Parcel};
use super::out::{Out, Sending};
use crate::domain::journal::Ticket;
use crate::domain::time::WallMs;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Keys whose flaps are remembered.
pub(super) const FLAPS_MAX: usize = 4_096;

/// A deadline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The conditions of open alerts had time to be asserted after the start.
    Grace,
    /// A condition that is not an alert yet is sampled.
    Sample(AlertKey),
    /// A quiet period is over.
    Quiet(AlertKey),
    /// A consequence has outlived its root.
    Outlived(AlertKey),
    /// A silence ends.
    Silence(String),
    /// An acknowledgement ends.
    Ack(AlertKey),
    /// The next people are told.
    Escalate(AlertKey),
    /// A provider is asked what became of a message, by the message's key.
    Confirm(String),
    /// A channel that is degraded gets a canary.
    Probe(String),
}

/// A condition that may become an alert.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub(super) condition: Condition,
    pub(super) since: WallMs,
    pub(super) holds: bool,
    /// The last samples, the newest in the lowest bit.
    pub(super) samples: u64,
}

/// Work that is not on disk yet, and what waits for it.
#[derive(Debug)]
struct Outstanding {
    work: Arc<Work>,
    sends: Vec<Sending>,
    /// Its messages in the file of last resort.
    spooled: Option<Vec<IdempotencyKey>>,
}

/// See [`super`].
#[derive(Debug)]
pub struct Router {
    pub(super) settings: Settings,
    pub(super) tag: String,
    pub(super) last_number: u64,
    pub(super) last_word: u64,
    /// Boxed: a node of the map has room for eleven, and half of it is empty.
    pub(super) open: BTreeMap<AlertKey, Box<Alert>>,
    pub(super) keys: BTreeMap<u64, AlertKey>,
    /// Alerts that stand, by the root that they follow from.
    pub(super) following: BTreeMap<AlertKey, BTreeSet<AlertKey>>,
    /// Alerts that are over while messages about them wait.
    pub(super) closing: BTreeMap<u64, Alert>,
    pub(super) watched: BTreeMap<AlertKey, Watch>,
    pub(super) quiet: BTreeMap<AlertKey, WallMs>,
    pub(super) flaps: BTreeMap<AlertKey, VecDeque<WallMs>>,
    /// Alerts of before the start whose conditions were not asserted yet.
    pub(super) unconfirmed: BTreeSet<AlertKey>,
    pub(super) silences: BTreeMap<String, Silence>,
    pub(super) lanes: BTreeMap<String, Lane>,
    /// Messages that a provider accepted and is still asked about, by key.
    pub(super) confirming: BTreeMap<String, Parcel>,
    pub(super) agenda: BTreeSet<(WallMs, Due)>,
    pub(super) statistics: Statistics,
    pub(super) counts: OpenCounts,
    outstanding: BTreeMap<Ticket, Outstanding>,
    last_ticket: u64,
}

impl Router {
    pub(super) fn empty(settings: Settings, tag: String) -> Self {
        let lanes = settings.channels.iter().map(|channel| {
            let lane = Lane::new(channel.tiers.clone());
            (channel.name.clone(), lane)
        });
        Self {
            lanes: lanes.collect(),
            settings,
            tag,
            last_number: 0,
            last_word: 0,
            open: BTreeMap::new(),
            keys: BTreeMap::new(),
            following: BTreeMap::new(),
            closing: BTreeMap::new(),
            watched: BTreeMap::new(),
            quiet: BTreeMap::new(),
            flaps: BTreeMap::new(),
            unconfirmed: BTreeSet::new(),
            silences: BTreeMap::new(),
            confirming: BTreeMap::new(),
            agenda: BTreeSet::new(),
            statistics: Statistics::default(),
            counts: OpenCounts::default(),
            outstanding: BTreeMap::new(),
            last_ticket: 0,
        }
    }

    /// Takes an event in. Effects are to be performed in order.
    pub fn step(&mut self, now: WallMs, event: Event) -> Vec<Effect> {
        let mut out = Out::at(now);
        match event {
            Event::Observed { blips, holding, ended } => self.observed(blips, holding, ended, &mut out),
            Event::Tick => self.tick(&mut out),
            Event::Asked { reply, ask } => self.asked(reply, ask, &mut out),
            Event::Committed { ticket } => self.committed(ticket, &mut out),
            Event::Spooled { ticket } => self.spooled(ticket, &mut out),
            Event::Sent { channel, key, outcome } => self.settle(&channel, &key, outcome, &mut out),
            Event::Confirmed { channel, key, answer } => self.confirmed(&channel, &key, answer, &mut out),
            Event::Recovered { notices } => self.recovered(notices, &mut out),
        }
        self.pump(&mut out);
        self.finish(out)
    }

    fn tick(&mut self, out: &mut Out) {
        while let Some((at, due)) = self.agenda.first().cloned() {
            if at > out.now {
                break;
            }
            self.agenda.pop_first();
            match due {
                Due::Grace => self.grace_is_over(out),
                Due::Sample(key) => self.sample(&key, out),
                Due::Quiet(key) => self.quiet_is_over(&key, out),
                Due::Outlived(key) => self.show_if_free(&key, out),
                Due::Silence(id) => self.silence_is_over(&id, out),
                Due::Ack(key) => self.ack_is_over(&key, out),
                Due::Escalate(key) => self.escalate(&key, out),
                Due::Confirm(key) => self.ask_provider(&key, out),
                Due::Probe(channel) => self.probe(&channel, out),
            }
        }
        self.leases(out);
        self.spool_what_waits(out);
    }

    /// Hands what the step gathered to the disk; effects that need no disk come first.
    fn finish(&mut self, mut out: Out) -> Vec<Effect> {
        let mut effects = std::mem::take(&mut out.effects);
        let channel = |name: &String| self.lanes.get(name).map(|lane| (name.clone(), lane.record()));
        let work = Work {
            ticket: Ticket(self.last_ticket.saturating_add(1)),
            at: out.now,
            facts: out.facts,
            alerts: out.alerts.into_values().collect(),
            deliveries: out.deliveries.into_values().collect(),
            silences: out.silences,
            channels: out.channels.iter().filter_map(channel).collect(),
            answers: out.answers,
        };
        if work.is_empty() {
            return effects;
        }
        self.last_ticket = work.ticket.0;
        for channel in &out.recording {
            if let Some(lane) = self.lanes.get_mut(channel) {
                lane.recording = Some(work.ticket);
            }
        }
        let work = Arc::new(work);
        let is_kept = !out.recovered.is_empty();
        let (now, later) = if is_kept { (out.sends, Vec::new()) } else { (Vec::new(), out.sends) };
        let spooled = is_kept.then_some(out.recovered);
        let waiting = Outstanding { work: Arc::clone(&work), sends: later, spooled };
        self.outstanding.insert(work.ticket, waiting);
        effects.push(Effect::Commit(work));
        effects.extend(now.into_iter().map(Sending::into_effect));
        effects
    }

    fn committed(&mut self, ticket: Ticket, out: &mut Out) {
        let Some(done) = self.outstanding.remove(&ticket) else { return };
        if let Some(keys) = done.spooled {
            out.effects.push(Effect::Unspool { keys });
        }
        self.release(ticket, done.sends, out);
        let answers = done.work.answers.iter().cloned();
        out.effects.extend(answers.map(|(to, answer)| Effect::Reply { to, answer }));
        if !done.work.alerts.is_empty() {
            out.effects.push(Effect::Changed { alerts: done.work.alerts.clone() });
        }
    }

    fn spooled(&mut self, ticket: Ticket, out: &mut Out) {
        let Some(waiting) = self.outstanding.get_mut(&ticket) else { return };
        let sends = std::mem::take(&mut waiting.sends);
        self.release(ticket, sends, out);
    }

    fn release(&mut self, ticket: Ticket, sends: Vec<Sending>, out: &mut Out) {
        for lane in self.lanes.values_mut().filter(|lane| lane.recording == Some(ticket)) {
            lane.recording = None;
        }
        out.effects.extend(sends.into_iter().map(Sending::into_effect));
    }

    /// What the database does not take in time goes to the file of last resort.
    fn spool_what_waits(&mut self, out: &mut Out) {
        let after = self.settings.spool_after_ms;
        let late =
            |waiting: &&Outstanding| waiting.spooled.is_none() && later(waiting.work.at, after) <= out.now;
        let late: Vec<Arc<Work>> =
            self.outstanding.values().filter(late).map(|waiting| Arc::clone(&waiting.work)).collect();
        for work in late {
            let notices = self.worth_spooling(&work.facts);
            if let Some(waiting) = self.outstanding.get_mut(&work.ticket) {
                waiting.spooled = Some(notices.iter().map(|(key, _)| key.clone()).collect());
            }
            out.effects.push(Effect::Spool { ticket: work.ticket, notices });
        }
    }

    /// The messages that a file of last resort must hold so that nothing of these facts is lost.
    fn worth_spooling(&self, facts: &[AlertFact]) -> Vec<(IdempotencyKey, Notice)> {
        let mut found = Vec::new();
        for fact in facts {
            let mut any = false;
            for delivery in fact.deliveries.iter().filter(|delivery| !delivery.state.is_final()) {
                if let Some(notice) = self.notice(delivery, &[], fact.alert.as_ref()) {
                    found.push((delivery.key.clone(), notice));
                    any = true;
                }
            }
            if let Some(alert) = fact.alert.as_ref().filter(|_| !any) {
                let key = IdempotencyKey::new(&alert.id, alert.seq, "last_resort");
                found.push((key, self.notice_of(alert, None)));
            }
        }
        found
    }

    /// Work that is not on disk yet, and since when the oldest of it waits.
    #[must_use]
    pub fn undurable(&self) -> (usize, Option<WallMs>) {
        (self.outstanding.len(), self.outstanding.values().map(|waiting| waiting.work.at).min())
    }

    /// How many alerts stand.
    #[must_use]
    pub const fn counts(&self) -> OpenCounts {
        self.counts
    }

    /// The medians of incidents that are over.
    #[must_use]
    pub fn medians(&self) -> Medians {
        self.statistics.medians()
    }

    /// How each channel is.
    #[must_use]
    pub fn channels(&self) -> Vec<ChannelReading> {
        let read = |(name, lane): (&String, &Lane)| ChannelReading {
            name: name.clone(),
            last_ok: lane.last_ok,
            // A message that was given up is one, whatever was accepted since.
            failures: lane.failures.max(u32::from(lane.gave_up)),
            last_error: lane.last_error.clone(),
            waiting: lane.len(),
            oldest: lane.oldest(),
            busy: lane.flight.is_some() || lane.recording.is_some(),
            held_until: lane.held_until,
        };
        self.lanes.iter().map(read).collect()
    }

    /// The alerts that stand, by key.
    pub fn open(&self) -> impl Iterator<Item = &Alert> {
        self.open.values().map(AsRef::as_ref)
    }

    /// The silences that hold.
    pub fn silences(&self) -> impl Iterator<Item = &Silence> {
        self.silences.values()
    }

    /// The settings that it follows.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }
}
