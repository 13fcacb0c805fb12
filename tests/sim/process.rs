//! The process: rebuilt from what was synced, told things, doing what the order management asks, and crashing
//! before any effect.

use crate::checks::Moment;
use crate::wire::{Request, Wire};
use crate::world::{Item, World};
use plimsoll::domain::journal::Snapshot;
use plimsoll::domain::oms::{Actor, Effect, Event, Fact, Oms, StartHow};
use std::hash::Hash;

impl World {
    /// Rebuilds the order management from what was synced, and starts it.
    pub fn start(&mut self, how: StartHow) {
        self.born = self.now;
        let settings = self.settings.clone();
        let (from, rebuilt) = match &self.store.snapshot {
            Some((rows, Snapshot { state, .. })) => (*rows, Oms::restore(settings, state)),
            None => (0, Ok(Oms::new(settings).unwrap())),
        };
        let rebuilt = match rebuilt {
            Ok(rebuilt) => rebuilt,
            Err(error) => return self.fail(format!("I9 journal: {error}")),
        };
        self.marks.hit_if("snapshot_used", from > 0);
        self.oms = rebuilt;
        for row in self.store.rows.iter().skip(from) {
            match Fact::from_row(&row.kind, &row.payload) {
                Ok(Some(fact)) => {
                    if let Err(error) = self.oms.apply(&fact, row.at) {
                        let why = format!("I9 journal: row {} cannot be replayed: {error}", row.seq.0);
                        return self.fail(why);
                    }
                }
                Ok(None) => {}
                Err(error) => return self.fail(format!("I9 journal: row {}: {error}", row.seq.0)),
            }
        }
        self.wire = Wire::new(self.wire.session + 1);
        let by = Actor { name: "plimsoll".to_owned(), reason: "start".to_owned() };
        self.check(&Moment::Started);
        if self.people.latched {
            self.step(Event::Killed { by: crate::people::operator("kill") });
        }
        self.step(Event::Start { how, by });
        let venue = self.venue.clone();
        self.core(1, Event::VenueStarted { venue, epoch: 1 });
        let session = self.wire.session;
        let pause = self.rng.u64(1..100);
        self.at(pause, Item::Connect(session));
    }

    pub fn crash(&mut self) {
        self.tell(|| "CRASH".to_owned());
        self.marks.note_crash(&self.store, &self.oms);
        self.store.crash();
        self.life += 1;
        self.people.forget_waiting();
        self.check(&Moment::Crashed);
    }

    /// Ends this life and begins the next.
    pub fn restart(&mut self, how: StartHow) {
        self.crash();
        self.start(how);
    }

    /// Gives the order management an event and does what it asks, in order.
    pub fn step(&mut self, event: Event) {
        if self.failure.is_some() {
            return;
        }
        if !matches!(event, Event::Tick | Event::Marked { .. }) {
            self.tell(|| format!("> {event:?}"));
        }
        self.watcher.before(&event, &self.oms);
        self.check(&Moment::Told(&event));
        let clock = self.clock();
        let effects = self.oms.step(clock, event);
        self.watcher.after(&effects, &mut self.marks);
        let crash_in =
            (!self.healed && self.chance(self.options.crash)).then(|| self.rng.usize(..=effects.len()));
        let life = self.life;
        for (index, effect) in effects.into_iter().enumerate() {
            self.effects += 1;
            if crash_in == Some(index) || self.options.crash_at == Some(self.effects) {
                return self.restart(StartHow::Warm);
            }
            self.perform(effect);
            if self.failure.is_some() || life != self.life {
                return;
            }
        }
    }

    pub(crate) fn perform(&mut self, effect: Effect) {
        if !matches!(effect, Effect::Publish(_) | Effect::Notice(_) | Effect::Persist(_)) {
            self.tell(|| format!("< {effect:?}"));
        }
        std::mem::discriminant(&effect).hash(&mut self.hasher);
        self.check(&Moment::Effect(&effect));
        match effect {
            Effect::Persist(batch) => {
                for row in &batch.rows {
                    self.tell(|| format!("< row {} {}", row.kind, row.payload));
                    (self.now, row.kind, &row.payload).hash(&mut self.hasher);
                }
                let ticket = batch.ticket;
                self.store.pending.push_back(batch);
                if self.options.lying_sync {
                    self.core(0, Event::Durable { ticket });
                }
                let (life, pause) = (self.life, self.rng.u64(0..=self.options.sync_ms));
                self.at(pause, Item::Sync(life));
            }
            Effect::Submit(_, order) => self.send(Request::Place(order.into_inner())),
            Effect::Cancel(_, cancel) => self.send(Request::Cancel(cancel)),
            Effect::Query(_, _, id) => self.send(Request::Query(id)),
            Effect::FetchOpenOrders(_) => self.send(Request::OpenOrders),
            Effect::FetchFills(_, symbol, after) => self.send(Request::Fills(symbol, after)),
            Effect::FetchBalances(_) => self.send(Request::Balances),
            Effect::CheckFill(venue, fill) => {
                let key = (venue.clone(), fill.symbol.clone(), fill.trade_id.clone());
                let booked = Some(self.store.fills.contains_key(&key));
                self.core(1, Event::FillChecked { venue, fill, booked });
            }
            Effect::Reply(to, answer) => {
                if let Err(why) = self.people.answered(to, &answer) {
                    self.fail(why);
                }
            }
            Effect::EngageLatch { .. } => self.people.latched = true,
            Effect::LiftLatch(_) => {
                self.people.latched = false;
                self.core(1, Event::LatchCleared { reply: None });
            }
            Effect::Drained { .. } => self.people.drained = true,
            Effect::StartRefused { why } => self.people.refused_start = Some(why),
            Effect::Publish(_) | Effect::Notice(_) | Effect::Raise { .. } | Effect::Clear { .. } => {}
        }
    }
}
