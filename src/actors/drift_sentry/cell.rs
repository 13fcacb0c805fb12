//! The sentry's shell: takes numbers from the tap, from published changes and from requests, steps the pure streams, and
//! performs what follows.
//!
//! It promises: every detection stands on the alert board until it is over; a cut is asked of the order management until
//! that has written it down; streams are saved every few seconds and at once when anything but a number changed, so that
//! a restart goes on where the last save was. The web sends to it; nothing waits for it. When it dies its successor reads
//! what was saved. It judges no order.

use super::handle::{DriftAsk, DriftDone, DriftFailure, DriftRequest};
use super::{DriftSetup, DriftTap};
use crate::actors::journal::SaveDrift;
use crate::actors::oms::{Ask, EventStream};
use crate::db::DriftRow;
use crate::domain::alert::Condition;
use crate::domain::drift::{Effect, OrderSource, Sample, Stream, StreamName, Streams};
use crate::domain::ids::StrategyId;
use crate::domain::oms::{Actor as By, Answer};
use crate::domain::time::WallMs;
use crate::supervision::Ctx;
use actix::fut::ActorFutureExt;
use actix::{Actor, AsyncContext, Handler, Message, WrapFuture};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::TryRecvError;
use tokio::task::JoinSet;

/// The alert of a stream that has left its baseline.
pub const DRIFTED: &str = "drift_detected";
/// How often numbers are taken.
const TICK: Duration = Duration::from_millis(100);
/// How often the shared view is renewed.
const SHOW: Duration = Duration::from_millis(500);
/// How often streams that changed are saved.
const SAVE: Duration = Duration::from_secs(5);
/// Changes that are read in one tick; more wait for the next.
const CHANGES_PER_TICK: usize = 4_096;
/// Pause before the saved streams are read again.
const LOAD_AGAIN: Duration = Duration::from_secs(1);
/// How long the order management may take for a cut.
const CUT_WITHIN: Duration = Duration::from_secs(5);
/// Who cuts.
const OWN_NAME: &str = "drift_sentry";

/// See the module's head.
pub struct DriftSentry {
    setup: DriftSetup,
    streams: Streams,
    orders: OrderSource,
    changes: EventStream,
    room: Vec<Sample>,
    /// Streams that are not saved as they are now.
    unsaved: BTreeSet<StreamName>,
    /// Streams that are not shown as they are now.
    unshown: BTreeSet<StreamName>,
    /// Cuts and their lifting that the order management has not confirmed, newest per stream.
    owed: BTreeMap<(StrategyId, StreamName), Ask>,
    asking: bool,
    loaded: bool,
    saved_at: Instant,
    tasks: JoinSet<()>,
}

/// The order management's answer to a cut or its lifting.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Told {
    key: (StrategyId, StreamName),
    restrains: bool,
    done: bool,
}

impl DriftSentry {
    pub(super) fn new(setup: DriftSetup) -> Self {
        let plan = setup.plan.clone();
        let streams = Streams::new(plan.policies, plan.fallback, plan.streams_max);
        Self {
            streams,
            orders: OrderSource::default(),
            changes: setup.oms_readings.subscribe(),
            setup,
            room: Vec::new(),
            unsaved: BTreeSet::new(),
            unshown: BTreeSet::new(),
            owed: BTreeMap::new(),
            asking: false,
            loaded: false,
            saved_at: crate::clock::monotonic(),
            tasks: JoinSet::new(),
        }
    }

    fn now() -> WallMs {
        WallMs(crate::clock::wall_millis())
    }

    /// Reads what was saved, off this thread; until then numbers wait in the tap.
    fn load(&mut self, ctx: &mut Ctx<Self>) {
        let readers = self.setup.readers.clone();
        let rows = actix_rt::task::spawn_blocking(move || readers.drift());
        ctx.wait(rows.into_actor(self).map(|read, sentry, ctx| match read {
            Ok(Ok(rows)) => sentry.restore(rows),
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "the drift streams cannot be read yet");
                ctx.run_later(LOAD_AGAIN, |sentry, ctx| sentry.load(ctx));
            }
            // The process ends.
            Err(_) => {}
        }));
    }

    fn restore(&mut self, rows: Vec<DriftRow>) {
        self.loaded = true;
        for row in rows {
            let name = StreamName::new(&row.name);
            match (name, serde_json::from_str::<Stream>(&row.state)) {
                (Ok(name), Ok(stream)) => {
                    let effects = self.streams.restore(&name, stream);
                    self.unshown.insert(name);
                    self.perform(effects);
                }
                (name, stream) => tracing::warn!(
                    stream = row.name, name_read = name.is_ok(), error = ?stream.err(),
                    "a saved drift stream cannot be read; it learns anew"
                ),
            }
        }
    }

    fn tick(&mut self, ctx: &mut Ctx<Self>) {
        if !self.loaded {
            return;
        }
        let samples = self.setup.tap.take(std::mem::take(&mut self.room));
        let now = Self::now();
        for sample in &samples {
            self.observe(now, sample);
        }
        self.room = samples;
        self.read_changes(now);
        self.tell_owed(ctx);
        if self.saved_at.elapsed() >= SAVE {
            self.save();
        }
    }

    fn read_changes(&mut self, now: WallMs) {
        for _ in 0..CHANGES_PER_TICK {
            match self.changes.try_recv() {
                Ok(stamped) => {
                    let samples = self.orders.note(&stamped.change);
                    samples.iter().for_each(|sample| self.observe(now, sample));
                }
                // What was missed is missing in the series; what comes next is as good as ever.
                Err(TryRecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "the drift sentry missed changes of orders");
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn observe(&mut self, now: WallMs, sample: &Sample) {
        // A refusal is counted there and shown.
        if let Ok(effects) = self.streams.observe(now, &sample.name, sample.strategy.as_ref(), sample.x) {
            self.touched(&sample.name);
            self.perform(effects);
        }
    }

    fn touched(&mut self, name: &StreamName) {
        if !self.unsaved.contains(name) {
            self.unsaved.insert(name.clone());
        }
        if !self.unshown.contains(name) {
            self.unshown.insert(name.clone());
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        if effects.is_empty() {
            return;
        }
        for effect in effects {
            match effect {
                Effect::Open { stream, reason, evidence, since } => {
                    let policy = self.streams.policy(&stream);
                    let condition = Condition {
                        severity: Some(policy.severity),
                        evidence: Some(evidence),
                        since: Some(since),
                        contained: policy.consequence.factor().map(|factor| {
                            format!("entries of its strategy are cut to {factor} of what they ask for")
                        }),
                        ..Condition::new(DRIFTED, stream.as_str(), reason)
                    };
                    self.setup.alerts.report(condition);
                }
                Effect::Close { stream } => self.setup.alerts.clear(DRIFTED, stream.as_str()),
                Effect::Restrain { stream, strategy, factor, reason } => {
                    let by = By { name: OWN_NAME.to_owned(), reason };
                    let key = (strategy.clone(), stream.clone());
                    let stream = stream.as_str().to_owned();
                    self.owed.insert(key, Ask::Restrain { strategy, stream, factor, by });
                }
                Effect::Release { stream, strategy, by, reason } => {
                    let by = By { name: by, reason };
                    let key = (strategy.clone(), stream.clone());
                    let stream = stream.as_str().to_owned();
                    self.owed.insert(key, Ask::Release { strategy, stream, by });
                }
            }
        }
        self.save();
    }

    /// Asks the order management for the first of what is owed; one at a time, so that their order holds.
    fn tell_owed(&mut self, ctx: &mut Ctx<Self>) {
        if self.asking {
            return;
        }
        let Some((key, ask)) = self.owed.iter().next().map(|(key, ask)| (key.clone(), ask.clone())) else {
            return;
        };
        self.asking = true;
        let (oms, own) = (self.setup.oms.clone(), ctx.handle());
        let restrains = matches!(ask, Ask::Restrain { .. });
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn_local(async move {
            let done = match oms.ask(ask, CUT_WITHIN).await {
                Ok(Answer::Refused(refusal)) => {
                    tracing::error!(
                        strategy.name = %key.0, stream = %key.1, code = refusal.code, detail = refusal.detail,
                        runbook = DRIFTED, "the order management refuses a cut"
                    );
                    // It will not be another answer next time, unless it is only not ready.
                    refusal.kind != crate::domain::oms::RefusalKind::Unavailable
                }
                Ok(_) => true,
                Err(_) => false,
            };
            // Closed means that this incarnation has ended; its successor asks again.
            let _ = own.tell(Told { key, restrains, done });
        });
    }

    fn save(&mut self) {
        self.saved_at = crate::clock::monotonic();
        if self.unsaved.is_empty() {
            return;
        }
        let now = Self::now();
        let row = |name: &StreamName| {
            let stream = self.streams.get(name)?;
            let state = serde_json::to_string(stream)
                .inspect_err(|error| tracing::error!(stream = %name, error = %error, "a stream has no form"))
                .ok()?;
            Some(DriftRow { name: name.as_str().to_owned(), at: now, state })
        };
        let rows: Vec<DriftRow> = self.unsaved.iter().filter_map(row).collect();
        if self.setup.save.tell(SaveDrift(rows)).is_ok() {
            self.unsaved.clear();
        }
    }

    fn show(&mut self) {
        self.setup.readings.show(&self.streams, &self.unshown, self.setup.tap.dropped(), self.loaded);
        self.unshown.clear();
    }
}

impl Actor for DriftSentry {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // What an earlier incarnation had raised stands or falls with what was saved.
        for alert in self.setup.alerts.open().iter().filter(|alert| alert.code == DRIFTED) {
            self.setup.alerts.clear(DRIFTED, &alert.scope);
        }
        self.load(ctx);
        ctx.run_interval(TICK, |sentry, ctx| sentry.tick(ctx));
        ctx.run_interval(SHOW, |sentry, _| sentry.show());
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.save();
    }
}

impl Handler<DriftRequest> for DriftSentry {
    type Result = ();

    fn handle(&mut self, request: DriftRequest, _: &mut Ctx<Self>) {
        let answer = if self.loaded { self.answer(request.ask) } else { Err(DriftFailure::Down) };
        // Whoever gave up waiting reads the stream instead.
        let _ = request.answer.send(answer);
    }
}

impl Handler<Told> for DriftSentry {
    type Result = ();

    fn handle(&mut self, told: Told, _: &mut Ctx<Self>) {
        self.asking = false;
        // A newer word on the same stream may have come meanwhile: that one is asked for next.
        let same =
            self.owed.get(&told.key).is_some_and(|ask| matches!(ask, Ask::Restrain { .. }) == told.restrains);
        if !told.done || !same {
            return;
        }
        self.owed.remove(&told.key);
        if told.restrains {
            self.streams.confirmed(&told.key.1);
            self.touched(&told.key.1);
            self.save();
        }
    }
}

impl DriftSentry {
    fn answer(&mut self, ask: DriftAsk) -> Result<DriftDone, DriftFailure> {
        let now = Self::now();
        match ask {
            DriftAsk::Observe { stream, values } => {
                let mut done = DriftDone::default();
                for x in values {
                    let effects = self.streams.post(now, &stream, x)?;
                    self.touched(&stream);
                    self.perform(effects);
                    if x.is_finite() { done.taken += 1 } else { done.rejected += 1 }
                }
                Ok(done)
            }
            DriftAsk::Rebaseline { stream, by, reason } => {
                let effects = self.streams.rebaseline(now, &stream, &by, &reason)?;
                tracing::warn!(event = "drift_rebaselined", stream = %stream, actor = by, reason);
                self.touched(&stream);
                self.perform(effects);
                self.save();
                self.show();
                Ok(DriftDone::default())
            }
        }
    }
}

/// The tap's end for one venue's market session.
#[derive(Debug, Clone)]
pub struct MarketTap {
    /// Where numbers go.
    pub tap: DriftTap,
    /// Whose.
    pub venue: crate::domain::ids::VenueId,
}
